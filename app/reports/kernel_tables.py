"""Tables of kernels, of both orders: a row for each session."""

from collections.abc import Sequence
from typing import Any

from .columns import Named, by_observer, part, told
from .numbers import prose
from .tables import Column, Shown, Table, absent, chance, fine, plain


def one_table(rows: Sequence[Named]) -> Table | None:
    """What the first-order kernel tells of responses, and responses of it."""
    return by_observer(
        [
            told(
                "any kernel: p",
                "whether responses depend on the noise at all",
                "one.test",
                lambda found: found.p_any,
                chance,
            ),
            told(
                "elements beyond chance",
                "p at most .05, corrected for all elements",
                "one.test",
                lambda found: int((found.p <= 0.05).sum()),
                plain,
            ),
            Column("cosine with the signal", "1 is the signal’s shape", _match),
            told(
                "foretold",
                "share of held-out responses that the kernel foretells",
                "one.template_agreement",
                lambda found: found.all_trials,
            ),
            told(
                "foretold of pairs",
                "the same, of the trials that were shown twice",
                "one.template_agreement",
                lambda found: found.double_pass,
            ),
            told(
                "bits a trial",
                "what the kernel tells of a held-out response",
                "one.fitted",
                lambda found: found.log_likelihood_gain,
                fine,
            ),
            told(
                "prior",
                "which the fit is pulled towards: the one that predicts best",
                "one.fitted",
                lambda found: found.prior,
                plain,
            ),
            told(
                "linear share",
                "of the decision’s variance, that a linear reading of the noise has",
                "one.linear_share",
                lambda found: found.linear,
            ),
            told(
                "linear, without lapses",
                "the same of attentive trials",
                "one.linear_share_without_lapses",
            ),
            told(
                "consistent share",
                "what repeats at the second showing, linear or not",
                "one.linear_share",
                lambda found: found.consistent,
            ),
            told(
                "efficiency over the kernel’s",
                "1 where the kernel is all that makes the observer inefficient",
                "one.efficiency",
                lambda found: found.ratio,
            ),
        ],
        rows,
    )


def _match(row: Named) -> Shown:
    entry = row[1]
    if entry.match is not None:
        return Shown(prose(f"{entry.match:.2f}"))
    if entry.panel is None:
        return part("one.fitted", lambda found: None)(row)
    is_known = entry.panel.template is not None
    return absent("the kernel or the signal is flat" if is_known else "no one signal")


def two_table(rows: Sequence[Named]) -> Table | None:
    """What second-order kernels tell."""
    return by_observer(
        [
            Column(
                "eigenvalues beyond chance",
                "dimensions of the second-order kernel that responses rest on",
                _eigenvalues,
            ),
            Column("p of the first", "of no second order at all", _first_p),
            told(
                "gain over linear (bits a trial)",
                "what the first of them adds in predicting held-out responses",
                "two.quadratic",
                lambda found: found.gain,
                fine,
            ),
            told(
                "r with order one",
                "correlation of the difference of the first-order kernel’s halves with "
                "what the second-order kernel makes of the signal: 1 for a smooth "
                "observer, less by noise",
                "two.consistency",
                lambda found: found.correlation,
            ),
            told(
                "p of r",
                "by permutation",
                "two.consistency",
                lambda found: found.p,
                chance,
            ),
            Column(
                "cascade",
                "which filters and non-linearities in turn answer like the observer; "
                "the score of each is its log likelihood less half its parameters "
                "times log trials, and the best is named where the next is 3 or more "
                "behind",
                _cascade,
            ),
        ],
        rows,
    )


def _spectrum(row: Named) -> Any:
    two = row[1].depths.two
    return two and (two.without_linear_part or two.spectrum)


def _eigenvalues(row: Named) -> Shown:
    found = _spectrum(row)
    if found is None:
        return part("two.spectrum", lambda found: None)(row)
    n, more, fewer = found.n_significant, found.n_positive, found.n_negative
    return Shown(f"{n} ({more} positive, {fewer} negative)" if n else "0")


def _first_p(row: Named) -> Any:
    found = _spectrum(row)
    if found is None:
        return part("two.spectrum", lambda found: None)(row)
    return chance(found.p[0])


def _cascade(row: Named) -> Shown:
    spectrum = _spectrum(row)
    if spectrum is not None and not spectrum.n_significant:
        return absent("no eigenvalue is beyond chance, so that no cascade is told")
    return part("two.signature", _named)(row)


def _named(found: Any) -> Shown:
    from markupsafe import Markup

    text = Markup("{}").format(found.short())
    if found.meaning:
        said = "; ".join(filter(None, (found.meaning, found.note)))
        text += Markup("<br><small>{}</small>").format(prose(said))
    return Shown(text)
