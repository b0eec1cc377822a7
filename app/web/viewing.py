"""Screen and distance of a participant: what the browser measured, and what follows."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...experiments.monitors.blind_spot import MeasuredViewing, measured_viewing
from ...experiments.protocols.parts import Display
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.viewing import DISTANCE, ViewingAsked
from ..studies.description import Study
from .responses import ResponseError, is_number

_FIELDS = {"card_px", "is_upright", "spots_px"}


def viewing_asked(protocol: Protocol, study: Study | None) -> ViewingAsked:
    """Give what is measured: as the protocol says, or else the study."""
    if protocol.viewing.measure or study is None:
        return protocol.viewing
    return study.viewing


def parse_viewing(data: object, asked: ViewingAsked) -> MeasuredViewing | None:
    """Give what follows from what a browser measured; None if it was left out.

    Raises
    ------
    ResponseError
        If the body is none of ours.
    ViewingError
        If what was measured cannot be.
    """
    if data == {"left_out": True}:
        return None
    if not isinstance(data, dict) or data.keys() != _FIELDS:
        rule = f"an object with {', '.join(sorted(_FIELDS))}"
        raise ResponseError(f"a viewing must be {rule}")
    card, upright, spots = (
        data[name] for name in ("card_px", "is_upright", "spots_px")
    )
    if not is_number(card) or not isinstance(upright, bool):
        raise ResponseError("card_px must be a number, and is_upright true or false")
    n = asked.repeats if asked.measure == DISTANCE else 0
    if not isinstance(spots, list) or len(spots) != n or not all(map(is_number, spots)):
        raise ResponseError(f"spots_px must be a list of {n} numbers")
    return measured_viewing(card, upright, spots)


def kept_viewing(found: MeasuredViewing | None, asked: ViewingAsked) -> dict[str, Any]:
    """Give what a session's display keeps of it."""
    if found is None:
        return {"measured": "", "asked": asked.measure}
    return {"measured": asked.measure, **asdict(found)}


def merged_display(
    known: Mapping[str, Any], display: Mapping[str, Any], asked: Display
) -> dict[str, Any]:
    """Give what is known of a screen with what a browser says now.

    Where the distance was measured, the degrees follow from it as a lab's do: the same
    names, so that an analysis in physical units finds them.
    """
    merged = {**known, **display, "css_px_per_degree_is": "assumed"}
    viewing = known.get("viewing") or {}
    if viewing.get("measured"):
        per_degree = viewing["px_per_degree"]
        merged["css_px_per_degree_is"] = viewing["measured"]
        # What the server computed, at the page's zoom of now.
        merged["css_px_per_degree"] = per_degree / display["device_pixel_ratio"]
        if viewing["measured"] == DISTANCE:
            merged["px_per_degree"] = per_degree
            merged["distance_cm"] = viewing["distance_mm"] / 10
            element_px = display["scale"] * asked.element_px[1]
            merged["deg_per_element"] = element_px / per_degree
    return merged
