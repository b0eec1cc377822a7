"""Calibrations of monitors: geometry, gamma and look-up table, stored as JSON files.

The newest calibration of a monitor is `<monitor>.json` in the folder; what it replaced
goes to `earlier/`. A session keeps a copy of the one that it ran under, so that no file
has to be kept for old data to be understood.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..clock import utc_now
from ..protocols.checks import suggestion
from .geometry import px_per_degree
from .luminance import (
    LuminanceFit,
    Reading,
    TableQuality,
    fit_luminance,
    look_up_table,
    table_quality,
)

FOLDER_VARIABLE = "YOKED_CALIBRATIONS"
# A name is a file's name on every system: no path, no device, no trailing dot.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9_-])?")


@dataclass(frozen=True)
class Calibration:
    """What is known of a monitor: where it stands and what it shows.

    Attributes
    ----------
    monitor
        Its name.
    width_cm
        Width of the visible picture.
    size_px
        Its width and height in px.
    distance_cm
        From the eye to its middle.
    photometer
        Where the readings came from: an instrument, 'typed' or a file's name.
    readings
        Screen levels and luminances in cd/m2.
    fit
        The curve that they follow.
    lut
        Screen level of each of the 256 contrast levels.
    made_at
        UTC.
    software
        What made it.

    Raises
    ------
    ValueError
        If a name, length or table is out of range; one sentence a line.
    """

    monitor: str
    width_cm: float
    size_px: tuple[int, int]
    distance_cm: float
    photometer: str
    readings: tuple[Reading, ...]
    fit: LuminanceFit
    lut: tuple[int, ...]
    made_at: str
    software: str

    def __post_init__(self) -> None:
        found = [*_name_faults(self.monitor)]
        for name, low, high in (("width_cm", 5, 1000), ("distance_cm", 10, 1000)):
            value = getattr(self, name)
            if not low <= value <= high:
                found.append(f"{name} must be from {low} to {high}, got {value:g}")
        if len(self.size_px) != 2 or not all(64 <= px <= 16384 for px in self.size_px):
            rule = "width and height from 64 to 16384 px"
            found.append(f"size_px must be {rule}, got {list(self.size_px)}")
        rises = list(self.lut) == sorted(self.lut)
        if len(self.lut) != 256 or not rises or not 0 <= self.lut[0] <= 255:
            found.append("lut must be 256 screen levels that rise, got another table")
        if found:
            raise ValueError("\n".join(found))

    @property
    def id(self) -> str:
        """SHA-256 of all that it says."""
        canonical = json.dumps(self._content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def px_per_degree(self) -> float:
        """Pixels in a degree of visual angle, in the middle of the screen."""
        return px_per_degree(self.width_cm, self.size_px[0], self.distance_cm)

    @property
    def quality(self) -> TableQuality:
        """How well the table makes luminance linear."""
        return table_quality(self.fit, self.lut)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data, with its id: what a session stores."""
        return {"id": self.id, **self._content()}

    def _content(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "size_px": list(self.size_px),
            "readings": [[level, value] for level, value in self.readings],
            "lut": list(self.lut),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Calibration":
        """Build a calibration from what `to_dict` gave.

        Raises
        ------
        ValueError
            If something is missing, or was changed after it was made.
        """
        try:
            calibration = cls(
                **{name: data[name] for name in ("monitor", "photometer")},
                width_cm=float(data["width_cm"]),
                size_px=(int(data["size_px"][0]), int(data["size_px"][1])),
                distance_cm=float(data["distance_cm"]),
                readings=tuple((int(v), float(lum)) for v, lum in data["readings"]),
                fit=LuminanceFit(**data["fit"]),
                lut=tuple(int(level) for level in data["lut"]),
                made_at=str(data["made_at"]),
                software=str(data["software"]),
            )
            given = data["id"]
        except (KeyError, TypeError, IndexError) as error:
            rule = "one that `yoked calibrate` wrote"
            raise ValueError(f"a calibration must be {rule}, got {error!r}") from error
        if given != calibration.id:
            rule = f"id {given}, as when it was made"
            raise ValueError(f"the calibration must have {rule}, got {calibration.id}")
        return calibration


def calibrate(
    monitor: str,
    readings: Sequence[Reading],
    *,
    width_cm: float,
    size_px: tuple[int, int],
    distance_cm: float,
    photometer: str = "typed",
    made_at: str | None = None,
) -> Calibration:
    """Make a calibration of photometer readings; arguments as its attributes.

    Raises
    ------
    ValueError
        If the readings cannot be fitted, or a length is out of range.

    Examples
    --------
    >>> readings = [(v, 0.5 + 100 * (v / 255) ** 2.2) for v in range(0, 256, 51)]
    >>> made = calibrate("lab-1", readings, width_cm=53.0, size_px=(1920, 1080),
    ...                  distance_cm=57.0)
    >>> made.lut[128], round(made.px_per_degree, 1)
    (186, 36.0)
    """
    fit = fit_luminance(readings)
    return Calibration(
        monitor=monitor,
        width_cm=float(width_cm),
        size_px=size_px,
        distance_cm=float(distance_cm),
        photometer=photometer,
        readings=tuple((int(level), float(value)) for level, value in readings),
        fit=fit,
        lut=look_up_table(fit),
        made_at=made_at or utc_now(),
        software=f"yoked {version('yoked')}",
    )


def calibrations_folder() -> Path:
    """Give where calibrations are: `YOKED_CALIBRATIONS`, or the user's data folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("yoked", appauthor=False) / "calibrations"


def calibration_names(folder: Path | None = None) -> list[str]:
    """List the monitors that have a calibration."""
    folder = calibrations_folder() if folder is None else folder
    return sorted(path.stem for path in folder.glob("*.json"))


def save_calibration(calibration: Calibration, folder: Path | None = None) -> Path:
    """Store a calibration as its monitor's newest; the one before it is kept.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    folder = calibrations_folder() if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{calibration.monitor}.json"
    if path.exists():
        _keep_earlier(path)
    part = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8") as file:
            json.dump(calibration.to_dict(), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _keep_earlier(path: Path) -> None:
    """Copy a calibration aside, under a name that its content gives."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    kept = path.parent / "earlier" / f"{path.stem}-{digest}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(content)


def load_calibration(monitor: str, folder: Path | None = None) -> Calibration:
    """Load the newest calibration of a monitor.

    Raises
    ------
    LookupError
        If there is none; with the nearest name that there is.
    ValueError
        If its file is damaged or was changed by hand.
    """
    folder = calibrations_folder() if folder is None else folder
    names = calibration_names(folder)
    if monitor not in names:
        known = f"; there are {', '.join(names)}" if names else "; there is none yet"
        near = suggestion(monitor, names) or known
        raise LookupError(f"no calibration of a monitor named {monitor!r}{near}")
    path = folder / f"{monitor}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Calibration.from_dict(data if isinstance(data, dict) else {})
    except ValueError as error:  # not JSON, or not a calibration
        rule = "a calibration that nobody changed"
        raise ValueError(f"{str(path)!r} must be {rule}: {error}") from error


def _name_faults(name: str) -> list[str]:
    if _NAME.fullmatch(name):
        return []
    rule = "1 to 64 letters, digits, spaces, . _ or -, beginning with a letter or digit"
    return [f"monitor must be named by {rule}, got {name!r}"]


def age_days(made_at: str, now: str) -> int:
    """Give the whole days from the making of a calibration to now.

    Examples
    --------
    >>> made_at = "2026-01-01T12:00:00.000+00:00"
    >>> age_days(made_at, now="2026-01-31T13:00:00.000+00:00")
    30
    """
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(made_at)
    return math.floor(passed.total_seconds() / 86_400)
