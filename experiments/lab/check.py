"""Self-test of a screen: its pixels against the contract, its refresh, its flips.

Everything is measured on a `Screen`, on the machine and screen that will be used; what
cannot be measured there is None, and the report says "not measured".
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..clock import utc_now
from ..protocols.protocol import Protocol
from .flips import (
    Dropped,
    KeyLatency,
    Progress,
    count_dropped,
    key_latency,
    measure_refresh,
)
from .pixels import Pixels, check_background, check_pixels
from .refresh import Flips
from .screen import Screen
from .setup import Monitor, irregular, monitor_fault
from .stage import IDENTITY

SCALES = (1, 2, 3, 4)
NOT_SYNCHRONISED = "flips return at once: they do not wait for the screen"
PACED = "the computer's clock paced the flips: the screen's timing was not measured"


@dataclass(frozen=True)
class ScreenCheck:
    """All that was measured of a screen.

    Attributes
    ----------
    made_at
        UTC.
    size_px, screen_px
        Width and height of the window, and of the screen that it is on.
    nominal_hz
        Refresh rate that the window claims.
    refresh
        Measured.
    is_paced
        Whether the computer's clock paced the flips, in place of the screen.
    dropped
        None if flips do not wait for the screen.
    pixels
        One entry for each protocol, scale and table.
    background
        Level of an empty screen, read back, and the one that it should have.
    key_latency
        None without a loop-back device.
    calibration
        Id and monitor of the calibration whose table was used; None without.
    monitor, monitor_size_px
        The monitor that it should be, and its stored size; "" and None without.
    software
        Versions of what took part.
    """

    made_at: str
    size_px: tuple[int, int]
    screen_px: tuple[int, int]
    nominal_hz: float | None
    refresh: Flips
    is_paced: bool
    dropped: Dropped | None
    pixels: tuple[Pixels, ...]
    background: tuple[int, int]
    key_latency: KeyLatency | None = None
    calibration: dict[str, Any] | None = None
    monitor: str = ""
    monitor_size_px: tuple[int, int] | None = None
    software: dict[str, str] = field(default_factory=dict)

    @property
    def n_wrong_pixels(self) -> int:
        """Wrong pixels in all."""
        return sum(entry.n_wrong for entry in self.pixels)

    @property
    def faults(self) -> tuple[str, ...]:
        """What has to be put right before data are collected, a sentence each."""
        known = Monitor(self.monitor, size_px=self.monitor_size_px)
        wrong_size = monitor_fault(known, self.screen_px)
        found = [] if wrong_size is None else [wrong_size]
        if self.n_wrong_pixels:
            total = f"{self.n_wrong_pixels:,} of {self._n_pixels:,}"
            found.append(f"{total} pixels differ from the contract")
        shown, wanted = self.background
        if shown != wanted:
            found.append(f"the background reads back as {shown}, not {wanted}")
        if not self._n_pixels:
            found.append("no pixel was compared: no protocol fits the window")
        if self.is_paced:
            found.append(PACED)
        elif not self.refresh.is_synchronised:
            found.append(NOT_SYNCHRONISED)
        elif not self.refresh.is_steady:
            found.append(irregular(self.refresh))
        elif self.dropped is not None and self.dropped.n_dropped:
            share = f"{self.dropped.n_dropped} of {self.dropped.n:,}"
            found.append(f"{share} frames were dropped in {self.dropped.seconds:g} s")
        return tuple(found)

    @property
    def passed(self) -> bool:
        """Whether nothing has to be put right."""
        return not self.faults

    @property
    def _n_pixels(self) -> int:
        return sum(entry.n_pixels for entry in self.pixels)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data, the verdict first."""
        verdict = {"passed": self.passed, "faults": list(self.faults)}
        return {**verdict, **asdict(self), "refresh_hz": self.refresh.hz}


def run_check(
    screen: Screen,
    protocols: Sequence[Protocol],
    *,
    calibration: dict[str, Any] | None = None,
    monitor: Monitor | None = None,
    seconds: float = 60.0,
    scales: Sequence[int] = SCALES,
    is_paced: bool = False,
    loopback: Callable[[], Sequence[float]] | None = None,
    loopback_device: str = "loop-back",
    progress: Progress = lambda stage, done, total: None,
) -> ScreenCheck:
    """Measure a screen: pixels, refresh, dropped frames, key latency.

    Parameters
    ----------
    screen
        The window that sessions will use.
    protocols
        Whose frames are drawn and read back.
    calibration
        What `Calibration.to_dict` gave; its table is checked beside the identity.
    monitor
        That which the screen should be.
    seconds
        How long flips are watched for dropped frames.
    scales
        Whole-number scales at which frames are drawn.
    is_paced
        Whether the computer's clock paces the flips (`--refresh`); their timing is
        then the computer's, and is not measured.
    loopback
        Measures a loop-back device; gives latencies in ms.
    loopback_device
        What to call it.
    progress
        Called with a stage, how much of it is done, and how much there is.

    Raises
    ------
    OSError
        If the loop-back device does not answer.
    """
    luts = {"identity": IDENTITY}
    if calibration is not None:
        luts["calibration"] = tuple(calibration["lut"])
    pixels = check_pixels(screen, protocols, luts, scales, progress)
    background = check_background(screen, list(luts.values())[-1])
    refresh = measure_refresh(screen)
    dropped = None
    if refresh.is_synchronised and not is_paced:
        dropped = count_dropped(screen, refresh.median_ms, seconds, progress)
    latency = None
    if loopback is not None:
        latency = key_latency(loopback_device, loopback())
    return ScreenCheck(
        made_at=utc_now(),
        size_px=(int(screen.size_px[0]), int(screen.size_px[1])),
        screen_px=(int(screen.screen_px[0]), int(screen.screen_px[1])),
        nominal_hz=screen.refresh_hz,
        refresh=refresh,
        is_paced=is_paced,
        dropped=dropped,
        pixels=pixels,
        background=background,
        key_latency=latency,
        calibration=_named(calibration),
        monitor="" if monitor is None else monitor.name,
        monitor_size_px=None if monitor is None else monitor.size_px,
        software=_software(),
    )


def _named(calibration: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("id", "monitor", "made_at")
    return calibration and {name: calibration.get(name) for name in names}


def _software() -> dict[str, str]:
    """Give versions of what takes part."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for package in ("yoked", "psychopy", "pyglet", "psychtoolbox"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
