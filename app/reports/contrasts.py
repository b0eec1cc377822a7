"""What was shown at each contrast: the signal in physical units, and efficiency.

Sessions whose displays differ differ in degrees; those that the page would describe in
the same words stand in one table.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...analysis.sensitivity.physical_units import ContrastEnergy, PhysicalUnits
from ...analysis.sessions.orders import OrderZero
from ...analysis.trials.estimate import Estimate
from .numbers import prose, significant
from .tables import Column, Shown, Table, absent, plain, table

SHOWN = "as it was shown"
Row = tuple[ContrastEnergy, list[Estimate | None]]


@dataclass(frozen=True)
class ByContrast:
    """Sessions with the same noise in physical units.

    Attributes
    ----------
    observers
        Their names.
    sentence
        Of the noise.
    unit
        Of energy.
    rows
        The signal at each contrast, rising, and the efficiency of each observer there.
    """

    observers: tuple[str, ...]
    sentence: str
    unit: str
    rows: tuple[Row, ...]

    def table(self) -> Table | None:
        """Give a row for each contrast, and why an efficiency is not there."""

        def of(name: str) -> Callable[[Row], Shown]:
            return lambda row: plain(significant(getattr(row[0], name), True))

        def efficiency(number: int) -> Callable[[Row], Any]:
            return lambda row: (
                row[1][number] or absent("was not shown at this contrast")
            )

        return table(
            [
                Column("contrast", "of the signal", of("contrast")),
                Column("RMS contrast", "of the signal", of("rms_contrast")),
                Column(f"energy ({self.unit})", "of the signal", of("energy")),
                Column("E / N", "over the noise’s spectral density", of("over_noise")),
                *(
                    Column(f"efficiency of {name}", "by its d′ there", efficiency(k))
                    for k, name in enumerate(self.observers)
                ),
            ],
            self.rows,
        )


def by_contrast(zeros: Sequence[tuple[str, OrderZero]]) -> list[ByContrast]:
    """Collect what was shown, sessions with the same noise together.

    Parameters
    ----------
    zeros
        Pairs of an observer's name and the session's numbers of order zero.
    """
    groups: dict[str, list[tuple[str, OrderZero, PhysicalUnits]]] = {}
    for name, zero in zeros:
        if zero.physical_units is not None:
            units = zero.physical_units
            groups.setdefault(_sentence(units), []).append((name, zero, units))
    return [
        ByContrast(
            observers=tuple(name for name, _, _ in group),
            sentence=sentence,
            unit=prose(group[0][2].unit),
            rows=tuple(_rows(group)),
        )
        for sentence, group in groups.items()
    ]


def _sentence(units: PhysicalUnits) -> str:
    width, height = (significant(side) for side in units.element_deg)
    frame = (
        "" if units.frame_s is None else f" for {significant(1e3 * units.frame_s)} ms"
    )
    # Protocols of one kind of stimuli ask for one geometry, whatever their names.
    where = units.geometry if units.geometry == SHOWN else "as the protocol asks for"
    return (
        f"an RMS contrast of {significant(units.noise_rms_contrast)} and a spectral"
        f" density of {significant(units.noise_density)} {prose(units.unit)} (elements"
        f" of {width} × {height}°{frame}, {where})"
    )


def _rows(group: Sequence[tuple[str, OrderZero, PhysicalUnits]]) -> Iterator[Row]:
    shown = {each.contrast: each for _, _, units in group for each in units.by_contrast}
    for contrast in sorted(shown):
        yield shown[contrast], [_efficiency(zero, contrast) for _, zero, _ in group]


def _efficiency(zero: OrderZero, contrast: float) -> Estimate | None:
    if zero.efficiency is None:
        return None
    found = [
        e.efficiency for e in zero.efficiency.by_contrast if e.contrast == contrast
    ]
    return found[0] if found else None
