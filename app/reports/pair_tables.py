"""Tables of two observers of the same trials: a row for each pair."""

from collections.abc import Callable, Sequence
from typing import Any

from .columns import bold
from .entries import Pair
from .tables import Column, Shown, Table, absent, plain, table


def depth_table(pairs: Sequence[Pair]) -> Table | None:
    """Correlation, ceiling and share of every pair at every depth."""
    rows = [
        (pair.profile, depth)
        for pair in pairs
        if pair.profile
        for depth in pair.profile.depths
    ]

    def of(name: str) -> Callable[[Any], Any]:
        def get(row: Any) -> Any:
            profile, depth = row
            found = getattr(depth, name)
            if found.value is None:
                note = profile.reason(depth) if name == "share" else found.note
                return absent(note or "")
            return found

        return get

    return table(
        [
            Column("observers", "", lambda row: Shown(bold(_both(row[0])))),
            Column("depth", "what is compared", lambda row: row[1].name, plain),
            Column("correlation", "of the two, as found", of("correlation")),
            Column(
                "ceiling", "what noise would leave of a correlation of 1", of("ceiling")
            ),
            Column(
                "share",
                "correlation over ceiling, less the bias of a ratio; sampling may go "
                "beyond 1",
                of("share"),
            ),
        ],
        rows,
    )


def _both(profile: Any) -> str:
    return f"{profile.other_observer} and {profile.reference_observer}"


def agreement_table(pairs: Sequence[Pair]) -> Table | None:
    """Agreement trial by trial of every pair."""

    def latent(name: str) -> Callable[[Any], Any]:
        def get(pair: Any) -> Any:
            if pair.latent is None:
                return absent(str(pair.faults["latent agreement"]))
            return getattr(pair.latent, name)

        return get

    return table(
        [
            Column(
                "observer", "", lambda pair: Shown(bold(pair.comparison.other_observer))
            ),
            Column("with", "", lambda pair: pair.comparison.reference_observer, plain),
            Column(
                "shared trials",
                "that count in both",
                lambda pair: pair.comparison.n_shared,
                plain,
            ),
            Column(
                "same response",
                "share of them that both answered alike",
                lambda pair: pair.comparison.same_response,
            ),
            Column(
                "of pairs",
                "the same, on the trials that were shown twice",
                lambda pair: pair.comparison.same_response_double_pass,
            ),
            Column(
                "best possible model",
                "between which shares of equal responses it would lie, by the double "
                "pass of the second observer",
                _best,
            ),
            Column(
                "error consistency κ",
                "equal correctness beyond what both accuracies make by chance",
                lambda pair: pair.comparison.error_consistency,
            ),
            Column(
                "latent correlation",
                "of the decision variables behind the responses",
                latent("correlation"),
            ),
            Column(
                "without internal noise",
                "the same over its ceiling: the share of the verdict",
                latent("disattenuated"),
            ),
        ],
        pairs,
    )


def _best(pair: Any) -> Shown:
    bounds = pair.comparison.ceiling
    lower, upper = bounds.lower.value, bounds.upper.value
    if lower is None or upper is None:
        return absent(bounds.upper.note or bounds.lower.note or "")
    return Shown(f"{lower:.2f} to {upper:.2f}")
