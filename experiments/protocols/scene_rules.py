"""Rules of a scene: patches apart and on the screen, cues that tell no answer."""

from itertools import combinations

import numpy as np

from .checks import Faults
from .parts import Parts
from .scene import (
    LEAST_ARROW_PX,
    Layout,
    Rectangle,
    arrow_px,
    cue_at,
    layout_of,
    marks,
)

MOST_PX = 4096  # across a scene


def check_scene(protocol: Parts) -> None:
    """Raise ProtocolError with one sentence for every rule that a scene breaks."""
    faults = Faults()
    cue, places = protocol.cue, protocol.places
    if cue.kind and protocol.task.kind == "mafc":
        rule = "left out in mafc, where the place is the answer and a cue gives it away"
        faults.unless(False, "cue", rule, cue.kind)
    if cue.kind and not places.count:
        faults.unless(False, "cue", "left out without places", cue.kind)
    faults.raise_any()
    if not places.count:
        return
    _check_task(protocol, faults)
    faults.raise_any()
    layout = layout_of(protocol)
    _check_patches(protocol, layout, faults)
    faults.raise_any()
    _check_drawn(protocol, layout, faults)
    faults.raise_any()


def _check_task(protocol: Parts, faults: Faults) -> None:
    kind, source, cue = protocol.task.kind, protocol.noise.source, protocol.cue
    rule = "2afc, yes_no or rating with places; patches of mafc are its alternatives"
    faults.unless(kind != "mafc", "task.kind", rule, kind)
    rule = "yoked-1 with places"
    faults.unless(source == "yoked-1", "noise.source", rule, source)
    n = protocol.places.count
    if cue.kind and n > 1:
        rule = f"above 1 / {n}, that of a cue that tells nothing, and at most 1"
        faults.unless(n * cue.validity > 1, "cue.validity", rule, cue.validity)
    elif cue.kind:
        rule = "left out with one place"
        faults.unless(False, "cue", rule, cue.kind)


def _check_patches(protocol: Parts, layout: Layout, faults: Faults) -> None:
    """Patches lie apart, and within the scene."""
    every = list(enumerate(layout.patches))
    for (i, one), (j, other) in combinations(every, 2):
        if _overlap(one, other):
            got = f"places {i} and {j} that overlap"
            faults.found.append(f"places must be apart by a patch, got {got}")
    height, width = layout.size_px
    for i, (top, left, tall, wide) in every:
        edge = layout.margin_px
        inside = top >= edge and left >= edge
        inside = inside and top + tall + edge <= height and left + wide + edge <= width
        if not inside:
            rule = f"within size_deg {protocol.places.size_deg:g} with mark and cue"
            faults.found.append(f"places must be {rule}, got place {i} that leaves it")
    rule = f"at most {MOST_PX} px across"
    faults.unless(max(height, width) <= MOST_PX, "the scene", rule, [height, width])


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return all(
        one[axis] < other[axis] + other[axis + 2]
        and other[axis] < one[axis] + one[axis + 2]
        for axis in (0, 1)
    )


def _check_drawn(protocol: Parts, layout: Layout, faults: Faults) -> None:
    """Neither a mark nor a cue covers a patch, and all of a cue is seen."""
    kind = protocol.cue.kind
    if kind == "arrow" and arrow_px(layout) < LEAST_ARROW_PX:
        rule = f"ring or marks unless {LEAST_ARROW_PX} px or more are free at fixation"
        faults.unless(False, "cue.kind", rule, kind)
        return
    if kind == "marks" and not protocol.places.marks:
        faults.unless(False, "places.marks", "true with a cue of marks", False)
        return
    covered = np.zeros(layout.size_px, bool)
    for top, left, tall, wide in layout.patches:
        covered[top : top + tall, left : left + wide] = True
    for patch in range(len(layout.patches)):
        drawn = {"mark": marks(layout, patch)} if protocol.places.marks else {}
        if kind:
            drawn["cue"] = cue_at(layout, kind, patch)
        for what, pixels in drawn.items():
            if (pixels & covered).any():
                got = f"that of place {patch} on a patch"
                faults.found.append(f"a {what} must be beside all patches, got {got}")
