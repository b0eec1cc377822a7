"""The verdict in sentences: for every pair of observers one, with its numbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...analysis.agreement.verdict import DepthVerdict, PairVerdict, Verdicts
from .numbers import inline, prose

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Sentence:
    """What is said of a pair.

    Attributes
    ----------
    kind
        The verdict in a word or two, for the mark before it.
    text
        The whole sentence.
    """

    kind: str
    text: "Markup"


def sentence(pair: PairVerdict) -> Sentence:
    """Say of two observers where they differ, where they are alike, what is unknown."""
    from markupsafe import Markup

    verbs = {"differs": "<b>differ</b> in", "alike": "are <b>alike</b> in"}
    names = (_name(pair.other_observer), _name(pair.reference_observer))
    told = {kind: _depths(pair, kind) for kind in verbs}
    parts = [
        Markup(verbs[kind]) + " their " + found for kind, found in told.items() if found
    ]
    unknown = _depths(pair, "cannot be told")
    if unknown:
        cannot = Markup("it <b>cannot be told</b>")
        if parts:
            unknown = Markup("in their {} {}").format(unknown, cannot)
        else:
            whether = Markup("{} whether they differ in their {}")
            unknown = whether.format(cannot, unknown)
    who = Markup(" and ").join(names) + " "
    if not parts:
        text = Markup("Of ") + who + unknown
    else:
        text = who + Markup(", and ").join(parts) + ("; " if unknown else "") + unknown
    kind = "differ" if pair.kind == "differs" else pair.kind
    return Sentence(kind, text + ".")


def _name(observer: str) -> "Markup":
    """Set a name in bold, in one piece where it fits into a line."""
    from markupsafe import Markup

    return Markup('<strong class="whole">{}</strong>').format(observer)


def _depths(pair: PairVerdict, kind: str) -> "Markup":
    """Join the depths with one verdict, each with its numbers or its reason."""
    from markupsafe import Markup

    found = [_depth(each) for each in pair.depths if each.kind == kind]
    *others, last = found or [Markup("")]
    return (
        Markup(", ").join(others) + (Markup(" and ") if others else Markup("")) + last
    )


def _depth(found: DepthVerdict) -> "Markup":
    from markupsafe import Markup

    if found.share.value is None:
        return Markup("{} ({})").format(found.name, prose(found.reason or ""))
    small = ", by less than the margin" if found.is_small else ""
    numbers = Markup('<span class="whole">({}{})</span>')
    return Markup("{} ").format(found.name) + numbers.format(inline(found.share), small)


def rule(judged: Verdicts) -> str:
    """Say how the verdicts were reached: margin, level, correction."""
    each = "95 %"
    if judged.n_shares > 1:
        each = (
            f"{100 * judged.level:.1f} %, which is 95 % for all {judged.n_shares} "
            "shares of this page at once (Bonferroni)"
        )
    return (
        "The number is the share: how alike two observers are, over how alike noise "
        "would let them look if they were one (1, the ceiling). They differ where its "
        "interval lies below 1, and are alike where it lies above a margin of "
        f"{judged.margin:g}; else these data cannot tell, for a difference that was "
        f"not found is no proof of none. Each interval is of {each}."
    )
