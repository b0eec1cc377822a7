"""Tables of order zero: a row for each session."""

from collections.abc import Callable, Sequence
from typing import Any

from ...analysis.trials.estimate import Estimate
from .columns import Named, bold, by_observer, part, told
from .tables import Column, Shown, Table, absent, chance, fine, number, plain, table

ONE_CONTRAST = "trials must be at two contrasts or more"
NO_PAIRS = "no trial was shown and answered twice"
MEAN_DPRIME = "mean over the contrasts of the trials, not that of all trials pooled"


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
            told(
                "efficiency",
                "(d′ / d′ of the ideal observer)²",
                "zero.efficiency",
                lambda found: found.pooled,
            ),
            told(
                f"threshold, {_performance(rows)} correct",
                "contrast at which the psychometric function reaches that",
                "zero.psychometric",
                lambda found: found.threshold,
                fine,
            ),
            told(
                "E / N at threshold",
                "the signal’s energy there over the spectral density of the noise",
                "zero.physical_units",
                lambda found: found.threshold_over_noise,
                why="there is no threshold",
            ),
            told(
                "lapses",
                "share of trials that are guessed, by the errors on catch trials",
                "zero.lapse_rate",
            ),
            told(
                "area under the ROC",
                "hits against false alarms over all criteria",
                "zero.roc",
                lambda found: found.auc,
            ),
            told(
                "da",
                "sensitivity where noise and signal differ in variance, from the ROC",
                "zero.roc",
                lambda found: found.d_a,
            ),
        ],
        rows,
    )


def accuracy_table(rows: Sequence[Named]) -> Table | None:
    """How efficiency and internal noise go with contrast and accuracy."""
    return by_observer(
        [
            told(
                "efficiency’s power of contrast",
                "efficiency is in proportion to contrast to this power; 0 is one "
                "efficiency at all contrasts",
                "zero.efficiency",
                lambda found: found.trend and found.trend.power,
                why=ONE_CONTRAST,
            ),
            told(
                "p",
                "of a power of 0",
                "zero.efficiency",
                lambda found: found.trend and found.trend.p,
                chance,
                why=ONE_CONTRAST,
            ),
            told(
                "log γ per SD of accuracy",
                "whether internal noise goes with accuracy: slope of log γ on the z "
                "score of proportion correct",
                "zero.gamma_by_accuracy",
                lambda found: found.slope,
            ),
            told(
                "p of that slope",
                "of a slope of 0",
                "zero.gamma_by_accuracy",
                lambda found: found.p,
                chance,
                why=NO_PAIRS,
            ),
            told(
                "γ per unit of proportion correct",
                "the line of Murray, Patel & Yee (2015)",
                "zero.gamma_by_accuracy",
                lambda found: found.recipe,
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
    return by_observer(
        [
            told(
                "drift: p",
                "whether the criterion follows a smooth course (this and the next are "
                "corrected by Holm)",
                "zero.course",
                lambda found: found.spline.p_holm,
                chance,
            ),
            told(
                "blocks: p",
                "whether it jumps between blocks",
                "zero.course",
                lambda found: found.blocks and found.blocks.p_holm,
                chance,
                why="there is one block",
            ),
            told(
                "trial before: p",
                "whether a response depends on the trial before",
                "zero.course",
                lambda found: found.previous.p,
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
            told(
                "γ without lapses",
                "that of attentive showings; where nothing tells lapses, from 10 % of "
                "them to none",
                "zero.lapses",
                _without_lapses,
            ),
            told(
                "change of d′: p",
                "whether d′ follows a smooth course",
                "zero.learning",
                lambda found: found.sensitivity.time.p_holm,
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
    return by_observer(
        [
            Column("mean d′, first half", MEAN_DPRIME, of("dprime", "first")),
            Column("second half", "likewise", of("dprime", "second")),
            Column("p", "of equal d′", of("dprime", "p", untold), chance),
            Column("γ, first half", "internal noise", of("gamma", "first")),
            Column("γ, second half", "likewise", of("gamma", "second")),
            Column("p of γ", "of equal γ", of("gamma", "p", untold), chance),
            told(
                "d′ of the passes: p",
                "whether d′ changed between the first and the second showing of a "
                "stimulus",
                "zero.learning",
                lambda f: f.sensitivity.passes and f.sensitivity.passes.p_holm,
                chance,
                why=NO_PAIRS,
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
