"""What a Methods paragraph says of comparisons: the margin, and every correction."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ...analysis.agreement.closer import SIMULATIONS
from ...analysis.agreement.verdict import ERROR, MARGIN, Verdicts
from ...analysis.trials.responses import SessionLike


def comparison_sentences(
    pairs: Sequence[tuple[SessionLike, SessionLike]], judged: Verdicts | None = None
) -> Iterator[str]:
    """Say how observers of the same trials are compared.

    Parameters
    ----------
    pairs
        Sessions of the same trials, a reference and another.
    judged
        The verdict, for its numbers; by default its rule alone.
    """
    if not pairs:
        return
    margin = MARGIN if judged is None else judged.margin
    corrected = f"{100 * (1 - ERROR):g} % for all of them together"
    if judged is not None and judged.n_shares:
        corrected += f" ({judged.n_shares} shares, each at {100 * judged.level:.1f} %)"
    yield (
        "Observers of the same trials were compared in their responses, first-order"
        " and second-order kernels, each by its correlation as a share of the ceiling"
        " that noise leaves. They count as different where the interval of the share"
        f" lies below 1, and as alike where it lies above a margin of {margin:g};"
        " intervals are corrected by Bonferroni over all pairs and orders, to hold at"
        f" {corrected}."
    )
    references = Counter(reference.id for reference, _ in pairs)
    if max(references.values()) > 1:
        yield (
            "Which of several models is closer to an observer was tested by the"
            " differences of latent correlation, error consistency, share and kernel"
            " correlation on the trials that all had, with standard errors by"
            " stimulus; p values are corrected over all pairs of models within a"
            f" measure by the largest statistic (max-T, {SIMULATIONS:,} draws from the"
            " estimated correlations), and by Holm's method beside it."
        )
