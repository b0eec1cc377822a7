"""Photometers that PsychoPy supports, by its plugins, each read as cd/m2."""

import math
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..protocols.checks import suggestion
from .screen import Screen

# It reads our own picture back and would call any screen perfect.
NO_INSTRUMENT = "ScreenBufferPhotometerDevice"
PLUGINS = "psychopy-minolta, psychopy-photoresearch, psychopy-crs, psychopy-gammasci"
# Some plugins are installed but not declared to PsychoPy, which then misses them.
UNDECLARED = {
    "psychopy_photoresearch.pr": ("PR650", "PR655"),
    "psychopy_crs.colorcal": ("ColorCAL",),
    "psychopy_crs.optical": ("OptiCAL",),
    "psychopy_gammasci.gammasci": ("S470",),
}


def _classes() -> dict[str, Any]:
    """Give the photometer classes of PsychoPy and its installed plugins, by name."""
    from psychopy import logging, plugins  # pyright: ignore[reportMissingImports]
    from psychopy.hardware import photometer  # pyright: ignore[reportMissingImports]

    logging.console.setLevel(logging.CRITICAL)
    plugins.scanPlugins()
    plugins.activatePlugins()
    found = _undeclared() | photometer.getAllPhotometers()
    return {
        name: cls
        for name, cls in found.items()
        if name != NO_INSTRUMENT and hasattr(cls, "getLum")
    }


def _undeclared() -> dict[str, Any]:
    """Give the classes of plugins that are installed but were not declared."""
    found = {}
    for module, names in UNDECLARED.items():
        if find_spec(module.split(".")[0]) is not None:
            loaded = import_module(module)
            found |= {name: getattr(loaded, name) for name in names}
    return found


class Photometer:
    """A photometer on a serial port.

    Parameters
    ----------
    name
        That of an installed PsychoPy plugin; upper or lower case.
    port
        Such as COM3 or /dev/ttyUSB0.

    Raises
    ------
    LookupError
        If no plugin brings a photometer of that name.
    OSError
        If nothing answers on the port.
    """

    def __init__(self, name: str, port: str) -> None:
        classes = {known.lower(): cls for known, cls in _classes().items()}
        if name.lower() not in classes:
            known = sorted(cls.__name__ for cls in classes.values())
            found = f"there are {', '.join(known)}" if known else "there is none"
            near = suggestion(name, known) or f"; {found}"
            raise LookupError(
                f"no photometer named {name!r}{near} (plugins: {PLUGINS})"
            )
        self.name = classes[name.lower()].__name__
        self._port = port
        try:
            self._device = classes[name.lower()](port)
        except Exception as error:  # each plugin has exceptions of its own
            raise OSError(f"{self._sentence()}, got {error}") from error
        if getattr(self._device, "OK", True) is False:
            raise OSError(f"{self._sentence()}, got no answer")

    def read(self) -> float:
        """Measure once; cd/m2.

        Raises
        ------
        OSError
            If the instrument gave no luminance (too dark, flat battery, unplugged).
        """
        try:
            value = self._device.getLum()
        except Exception as error:  # each plugin has exceptions of its own
            raise OSError(f"{self._sentence()}, got {error}") from error
        if value is None or not (math.isfinite(value) and value >= 0):
            raise OSError(f"{self._sentence()} with a luminance, got {value}")
        return float(value)

    def close(self) -> None:
        """Let go of the port, where the plugin knows how."""
        link: Any = getattr(self._device, "com", None)
        if hasattr(link, "close"):
            link.close()

    def _sentence(self) -> str:
        return f"the {self.name} on {self._port} must answer"


def show_level(screen: Screen, level: int) -> None:
    """Fill a screen with one level, as it is: no look-up table."""
    width, height = screen.size_px
    (patch,) = screen.prepare([np.full((height, width), level, np.uint8)])
    for _ in range(3):  # as many buffers as a driver may queue
        screen.draw(patch)
        screen.flip()


def read_levels(
    show: Callable[[int], None],
    photometer: Photometer,
    levels: tuple[int, ...],
    *,
    settle_s: float = 1.0,
    progress: Callable[[int, int], None] = lambda done, total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[tuple[int, float]]:
    """Show levels one after the other and read each.

    Parameters
    ----------
    show
        Puts a level before the photometer.
    photometer
        What reads it.
    levels
        Screen levels from 0 to 255.
    settle_s
        How long a level stands before it is read; slow screens need more.
    progress
        Called with how many levels are done, and how many there are.
    sleep
        Waits so many seconds.
    """
    readings = []
    for done, level in enumerate(levels, start=1):
        show(level)
        sleep(settle_s)
        readings.append((level, photometer.read()))
        progress(done, len(levels))
    return readings
