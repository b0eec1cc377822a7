"""How a protocol meets a monitor: geometry, scale, look-up table, and what is refused.

All of it is plain arithmetic on what is known of the monitor; the window comes later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ..monitors.calibrations import Calibration, calibration_names, load_calibration
from ..monitors.geometry import fitting_distance_cm, nearest_scale, px_per_degree
from ..protocols.checks import suggestion
from ..protocols.protocol import Protocol
from .refresh import Flips
from .screen import Screen
from .stage import IDENTITY, Stage
from .trial import shown_ms, timing_faults

LUTS = ("auto", "identity", "calibration")
MAX_SCALE_ERROR = 0.25  # of an element's size; whole pixels cannot do better
MAX_SCALE = 64
NEAREST_CM, FARTHEST_CM = 10.0, 1000.0


@dataclass(frozen=True)
class Monitor:
    """What is known of a monitor; None where nothing is.

    Attributes
    ----------
    name
        "" for one that nobody described.
    width_cm, size_px
        Of the visible picture.
    distance_cm
        From the eye to its middle.
    calibration
        With its look-up table.
    """

    name: str = ""
    width_cm: float | None = None
    size_px: tuple[int, int] | None = None
    distance_cm: float | None = None
    calibration: Calibration | None = None

    @property
    def px_per_degree(self) -> float | None:
        """Pixels in a degree of visual angle; None where a length is unknown."""
        if self.width_cm and self.size_px and self.distance_cm:
            return px_per_degree(self.width_cm, self.size_px[0], self.distance_cm)
        return None


def find_monitor(name: str, distance_cm: float | None = None) -> Monitor:
    """Look a monitor up among our calibrations, then in PsychoPy's own records.

    Parameters
    ----------
    name
        "" for a monitor about which nothing is known.
    distance_cm
        Where the observer sits; by default as stored with the monitor.

    Raises
    ------
    LookupError
        If nobody knows a monitor of that name.
    ValueError
        If the distance is out of range.
    """
    if distance_cm is not None and not NEAREST_CM <= distance_cm <= FARTHEST_CM:
        rule = f"from {NEAREST_CM:g} to {FARTHEST_CM:g} cm"
        raise ValueError(f"distance must be {rule}, got {distance_cm:g}")
    if not name:
        return Monitor(distance_cm=distance_cm)
    if name in calibration_names():
        made = load_calibration(name)
        distance = made.distance_cm if distance_cm is None else distance_cm
        return Monitor(name, made.width_cm, made.size_px, distance, made)
    from .monitors import monitor_geometry

    known: dict[str, Any] = monitor_geometry(name)
    if not known:
        names = monitor_names()
        near = suggestion(name, names) or f"; there are {', '.join(names) or 'none'}"
        raise LookupError(f"no monitor named {name!r}{near}")
    distance = known.get("distance_cm") if distance_cm is None else distance_cm
    return Monitor(name, known.get("width_cm"), known.get("size_px"), distance)


def monitor_names() -> list[str]:
    """List the monitors that we or PsychoPy know."""
    names = set(calibration_names())
    if find_spec("psychopy") is not None:
        from psychopy import monitors  # pyright: ignore[reportMissingImports]

        names |= set(monitors.getAllMonitors())
    return sorted(names)


def choose_lut(name: str, monitor: Monitor) -> tuple[int, ...]:
    """Give the look-up table that was asked for.

    Parameters
    ----------
    name
        'identity', 'calibration', or 'auto': the monitor's if it has one.

    Raises
    ------
    ValueError
        If the monitor has no calibration to take it from.
    """
    if name not in LUTS:
        raise ValueError(f"lut must be one of {', '.join(LUTS)}, got {name!r}")
    if name == "identity" or (name == "auto" and monitor.calibration is None):
        return IDENTITY
    if monitor.calibration is None:
        rule = "that of a calibrated monitor (run `yoked calibrate`)"
        raise ValueError(f"lut calibration must be {rule}, got {monitor.name!r}")
    return monitor.calibration.lut


@dataclass(frozen=True)
class Setup:
    """A protocol on a screen.

    Attributes
    ----------
    stage
        Where its patches are, at which scale and through which table.
    monitor
        What is known of the screen.
    """

    stage: Stage
    monitor: Monitor

    def display(self, protocol: Protocol, screen: Screen) -> dict[str, Any]:
        """Give what a session stores of the screen."""
        per_degree, made = self.monitor.px_per_degree, self.monitor.calibration
        element = self.stage.scale * protocol.display.element_px[1]
        used = made is not None and self.stage.lut == made.lut
        return {
            "lut": list(self.stage.lut),
            "calibration": made.to_dict() if made is not None and used else None,
            "scale": self.stage.scale,
            "refresh_hz": round(screen.refresh_hz, 3),
            "size_px": [int(side) for side in screen.size_px],
            "screen_px": [int(side) for side in screen.screen_px],
            "px_per_degree": per_degree,
            "deg_per_element": per_degree and element / per_degree,
            "monitor": self.monitor.name or None,
            "distance_cm": self.monitor.distance_cm,
            "shown_ms": shown_ms(protocol.timing, screen.refresh_hz),
        }


def set_up(
    protocol: Protocol,
    monitor: Monitor,
    lut: Sequence[int] = IDENTITY,
    scale: int | None = None,
) -> Setup:
    """Choose the scale of a protocol on a monitor.

    Parameters
    ----------
    protocol
        Says how large an element should be.
    monitor
        Says how large a pixel is.
    lut
        Screen level of each contrast level.
    scale
        Screen px for each stimulus px; by default the one that comes nearest to the
        protocol's size, or 1 where the monitor's size is unknown.

    Raises
    ------
    ValueError
        If no whole-number scale comes near, with the distance at which one does.
    """
    if scale is not None and not 1 <= scale <= MAX_SCALE:
        raise ValueError(f"scale must be from 1 to {MAX_SCALE}, got {scale}")
    if scale is None:
        scale = _fitting_scale(protocol, monitor)
    return Setup(Stage.of(protocol, lut, scale), monitor)


def _fitting_scale(protocol: Protocol, monitor: Monitor) -> int:
    per_degree = monitor.px_per_degree
    if per_degree is None or monitor.width_cm is None or monitor.size_px is None:
        return 1
    nearest = nearest_scale(protocol.display, per_degree)
    if abs(nearest.error) > MAX_SCALE_ERROR:
        fitting = fitting_distance_cm(
            protocol.display, nearest.scale, monitor.width_cm, monitor.size_px[0]
        )
        wanted = f"{protocol.display.deg_per_element:g} degrees within 25 %"
        raise ValueError(
            f"an element must be {wanted}, got {nearest.deg_per_element:.3g} at "
            f"{monitor.distance_cm:g} cm; sit at {fitting:.0f} cm, or choose --scale"
        )
    return nearest.scale


def require_screen(
    protocol: Protocol, stage: Stage, size_px: tuple[int, int], refresh_hz: float
) -> None:
    """Refuse a screen that is too small or too slow for a protocol.

    Raises
    ------
    ValueError
        With one sentence a line.
    """
    height, width = stage.shape
    found = timing_faults(protocol, refresh_hz)
    if width > size_px[0] or height > size_px[1]:
        rule = f"at least {width} x {height} px at scale {stage.scale}"
        found.append(f"the screen must be {rule}, got {size_px[0]} x {size_px[1]}")
    if found:
        raise ValueError("\n".join(found))


def monitor_fault(monitor: Monitor, screen_px: Sequence[int]) -> str | None:
    """Say in a sentence what is wrong if a screen is not the monitor's; else None.

    Parameters
    ----------
    monitor
        As it is stored; of no name, as it was when a session began.
    screen_px
        Of the screen as it is, in pixels of its frame buffer.

    Examples
    --------
    >>> monitor_fault(Monitor("lab-1", size_px=(1920, 1080)), (1920, 1080))
    """
    if monitor.size_px is None or tuple(monitor.size_px) == tuple(screen_px):
        return None
    known, got = (f"{px[0]} x {px[1]}" for px in (monitor.size_px, screen_px))
    whose, way = "as when the session began", "set it to that resolution"
    if monitor.name:
        whose = f"as monitor {monitor.name} is stored"
        anew = f"yoked calibrate {monitor.name} --size-px {screen_px[0]}x{screen_px[1]}"
        way = f"{way}, without scaling, or measure it anew: {anew}"
    shown = monitor.size_px[0] / screen_px[0]
    size = "" if shown == 1 else f": 1 degree would be shown as {shown:.2g}"
    return f"the screen must be {known} px, {whose}, got {got}{size}; {way}"


def require_monitor(monitor: Monitor, screen_px: Sequence[int]) -> None:
    """Raise ValueError if a screen is not as the monitor is stored."""
    fault = monitor_fault(monitor, screen_px)
    if fault is not None:
        raise ValueError(fault)


def require_steady(refresh: Flips | None, reason: str | None) -> None:
    """Raise ValueError if a measured refresh is irregular and nobody accepts it.

    Parameters
    ----------
    refresh
        What was measured; None where the rate was given.
    reason
        The operator's, for which the screen is used all the same.
    """
    if refresh is None or refresh.is_steady or reason:
        return
    way = "or say why it will do all the same: --accept-irregular REASON"
    raise ValueError(f"{irregular(refresh)}, {way}")


def irregular(refresh: Flips) -> str:
    """Say in a sentence that a refresh is irregular, and what may help."""
    way = "turn variable refresh off and close other programs"
    return f"the refresh must be steady, got {refresh.found()}; {way}"
