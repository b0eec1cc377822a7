"""Tables of order zero: a row for each session."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from ...analysis.trials.estimate import Estimate
from .entries import Entry
from .tables import Column, Shown, Table, absent, chance, fine, number, plain, table

if TYPE_CHECKING:
    from markupsafe import Markup

Named = tuple[str, Entry]  # the observer's name on this page
NO_PAIRS = "no trial was shown and answered twice"
MEAN_DPRIME = "mean over the contrasts of the trials, not that of all trials pooled"


def part(path: str, of: Callable[[Any], Any], why: str = "") -> Callable[[Named], Any]:
    """Return a getter of a number of a part such as "zero.course", or of the reason.

    Parameters
    ----------
    path
        The part, as `Depths.missing` names it.
    of
        Takes the number out of the part; None is unknown.
    why
        The reason, where the part has none of its own.
    """

    def get(row: Named) -> Any:
        depths = row[1].depths
        found = reduce(
            lambda at, name: at and getattr(at, name), path.split("."), depths
        )
        value = None if found is None else of(found)
        if value is not None:
            return value
        order = path.partition(".")[0]
        missing = depths.missing
        reasons = (missing.get(key) for key in (path, _UNDER.get(order, ""), "trials"))
        return absent(next(filter(None, reasons), why or "not told by these data"))

    return get


_UNDER = {"one": "kernels", "two": "two.kernel"}  # without it there is nothing else


def who(row: Named) -> Shown:
    """Show the observer."""
    return Shown(bold(row[0]))


def bold(name: str) -> "Markup":
    """Set a name in bold."""
    from markupsafe import Markup

    return Markup("<strong>{}</strong>").format(name)


def _person(row: Named) -> Shown:
    """Show observer, session, status and kind."""
    from markupsafe import Markup

    name, entry = row
    session = entry.session
    tag = Markup(' <span class="kind {}">{}</span>')
    kind = session.row.observer.kind
    status = "" if session.status == "finished" else tag.format("", session.status)
    code = Markup('<br><code class="soft">{}</code>').format(session.id)
    return Shown(bold(name) + tag.format(kind, kind) + status + code)


def _performance(rows: Sequence[Named]) -> str:
    """Name the performance that thresholds are of; a task has one."""
    fits = [each.depths.zero.psychometric for _, each in rows]
    levels = sorted({fit.threshold_at for fit in fits if fit})
    return " or ".join(f"{100 * level:.3g} %" for level in levels)


def zero_table(rows: Sequence[Named]) -> Table | None:
    """How well, and with which bias."""
    pooled = lambda name: lambda row: getattr(row[1].summary.pooled, name)  # noqa: E731
    return table(
        [
            Column("observer", "", _person),
            Column(
                "trials",
                "main trials that count: answered, valid, not excluded",
                lambda row: row[1].summary.n_counted,
                plain,
            ),
            Column("d′", "sensitivity, of all trials pooled", pooled("dprime")),
            Column(
                "criterion",
                "bias, in SDs of the decision variable; 0 is none",
                pooled("criterion"),
            ),
            Column(
                "chose first",
                "share of first choices; no response is correct",
                lambda row: row[1].summary.pooled.chose_first or absent(""),
            ),
            Column(
                "said yes",
                "share of “yes”, or of ratings in the upper half; no response is "
                "correct",
                lambda row: row[1].summary.pooled.said_yes or absent(""),
            ),
            Column(
                "proportion correct", "of these trials", pooled("proportion_correct")
            ),
            Column(
                "agreement of passes",
                "how often the second showing of a stimulus got the same response as "
                "the first",
                pooled("agreement"),
            ),
            Column(
                "internal noise γ",
                "internal over external SD at the decision variable, from the trials "
                "that were shown twice",
                lambda row: row[1].summary.pooled.internal_noise.gamma,
            ),
            Column(
                "efficiency",
                "(d′ / d′ of the ideal observer)²",
                part("zero.efficiency", lambda found: found.pooled),
            ),
            Column(
                f"threshold, {_performance(rows)} correct",
                "contrast at which the psychometric function reaches that",
                part("zero.psychometric", lambda found: found.threshold),
                fine,
            ),
            Column(
                "E / N at threshold",
                "the signal’s energy there over the spectral density of the noise",
                part(
                    "zero.physical_units",
                    lambda found: found.threshold_over_noise,
                    "there is no threshold",
                ),
            ),
            Column(
                "lapses",
                "share of trials that are guessed, by the errors on catch trials",
                part("zero.lapse_rate", lambda found: found),
            ),
            Column(
                "area under the ROC",
                "hits against false alarms over all criteria",
                part("zero.roc", lambda found: found.auc),
            ),
            Column(
                "da",
                "sensitivity where noise and signal differ in variance, from the ROC",
                part("zero.roc", lambda found: found.d_a),
            ),
        ],
        rows,
    )


def accuracy_table(rows: Sequence[Named]) -> Table | None:
    """How efficiency and internal noise go with contrast and accuracy."""
    return table(
        [
            Column("observer", "", who),
            Column(
                "efficiency’s power of contrast",
                "efficiency is in proportion to contrast to this power; 0 is one "
                "efficiency at all contrasts",
                part(
                    "zero.efficiency", lambda found: found.trend and found.trend.power
                ),
            ),
            Column(
                "p",
                "of a power of 0",
                part("zero.efficiency", lambda found: found.trend and found.trend.p),
                chance,
            ),
            Column(
                "log γ per SD of accuracy",
                "whether internal noise goes with accuracy: slope of log γ on the z "
                "score of proportion correct",
                part("zero.gamma_by_accuracy", lambda found: found.slope),
            ),
            Column(
                "p of that slope",
                "of a slope of 0",
                part("zero.gamma_by_accuracy", lambda found: found.p, NO_PAIRS),
                chance,
            ),
            Column(
                "γ per unit of proportion correct",
                "the line of Murray, Patel & Yee (2015)",
                part("zero.gamma_by_accuracy", lambda found: found.recipe),
            ),
        ],
        rows,
    )


def course_table(rows: Sequence[Named]) -> Table | None:
    """Criterion and sensitivity along the session."""

    def of(state: str, quantity: Callable[[Any], Estimate]) -> Callable[[Named], Any]:
        def shown(found: Any) -> Shown:
            from markupsafe import Markup

            one = number(quantity(getattr(found, state)))
            if found.first != state or one.is_absent:
                return one
            return Shown(Markup("<strong>{}</strong>").format(one.text))

        return part("zero.course", shown)

    dprime, gamma = lambda one: one.dprime, lambda one: one.internal_noise.gamma
    return table(
        [
            Column("observer", "", who),
            Column(
                "drift: p",
                "whether the criterion follows a smooth course (this and the next are "
                "corrected by Holm)",
                part("zero.course", lambda found: found.spline.p_holm),
                chance,
            ),
            Column(
                "blocks: p",
                "whether it jumps between blocks",
                part(
                    "zero.course",
                    lambda found: found.blocks and found.blocks.p_holm,
                    "there is one block",
                ),
                chance,
            ),
            Column(
                "trial before: p",
                "whether a response depends on the trial before",
                part("zero.course", lambda found: found.previous.p),
                chance,
            ),
            Column(
                "mean d′, constant",
                f"with a constant criterion; {MEAN_DPRIME}",
                of("constant", dprime),
            ),
            Column(
                "mean d′, given course",
                "conditional on the course of the criterion and the trial before",
                of("conditional", dprime),
            ),
            Column("γ, constant", "internal noise likewise", of("constant", gamma)),
            Column(
                "γ, given course", "internal noise likewise", of("conditional", gamma)
            ),
            Column(
                "γ without lapses",
                "that of attentive showings; where nothing tells lapses, from 10 % of "
                "them to none",
                part("zero.lapses", _without_lapses),
            ),
            Column(
                "change of d′: p",
                "whether d′ follows a smooth course",
                part("zero.learning", lambda found: found.sensitivity.time.p_holm),
                chance,
            ),
        ],
        rows,
    )


def _without_lapses(found: Any) -> Shown:
    from markupsafe import Markup

    if found.without is not None:
        return number(found.without.internal_noise.gamma)
    most, least = (
        given.internal_noise.gamma.value for given in (found.if_none, found.if_tenth)
    )
    if most is None or least is None:
        return absent(found.rate.note or NO_PAIRS)
    text = Markup('{:.2f} to {:.2f}<br><span class="interval">lapses 10 to 0 %</span>')
    return Shown(text.format(least, most))


def halves_table(rows: Sequence[Named]) -> Table | None:
    """The halves of the session."""

    def of(quantity: str, name: str, why: str = "") -> Callable[[Named], Any]:
        return part(
            "zero.learning",
            lambda found: getattr(getattr(found.sensitivity, quantity), name),
            why,
        )

    untold = "a half does not tell it"
    return table(
        [
            Column("observer", "", who),
            Column("mean d′, first half", MEAN_DPRIME, of("dprime", "first")),
            Column("second half", "likewise", of("dprime", "second")),
            Column("p", "of equal d′", of("dprime", "p", untold), chance),
            Column("γ, first half", "internal noise", of("gamma", "first")),
            Column("γ, second half", "likewise", of("gamma", "second")),
            Column("p of γ", "of equal γ", of("gamma", "p", untold), chance),
            Column(
                "d′ of the passes: p",
                "whether d′ changed between the first and the second showing of a "
                "stimulus",
                part(
                    "zero.learning",
                    lambda f: f.sensitivity.passes and f.sensitivity.passes.p_holm,
                    NO_PAIRS,
                ),
                chance,
            ),
        ],
        rows,
    )


def cueing_table(rows: Sequence[Named]) -> Table | None:
    """By what the cue said of the signal's place."""
    cued = [(name, each) for name, each in rows if each.depths.zero.cueing]
    by_cue = [
        (name, found.cue, found.n_trials, found)
        for name, each in cued
        for found in each.depths.zero.cueing.cues  # pyright: ignore[reportOptionalMemberAccess]
    ]
    by_cue += [
        (name, f"{found.cue} less {found.reference}", "", found)
        for name, each in cued
        for found in each.depths.zero.cueing.differences  # pyright: ignore[reportOptionalMemberAccess]
    ]
    return table(
        [
            Column("observer", "", lambda row: Shown(bold(row[0]))),
            Column("cue", "", lambda row: row[1], plain),
            Column("trials", "", lambda row: row[2], plain),
            Column("d′", "sensitivity", lambda row: row[3].dprime),
            Column(
                "correct",
                "where noise alone has no place, the rate of hits",
                lambda row: row[3].proportion_correct,
            ),
        ],
        by_cue,
    )
