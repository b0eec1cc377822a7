"""Planning a study."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import DATABASE, OUTPUT_FILE, SEED
from ..output import Row, output
from ..progress import progress
from .trials import opened

if TYPE_CHECKING:
    from ...experiments.protocols.protocol import Protocol
    from ..planning.check import Check
    from ..planning.pilot import Pilot
    from ..planning.power import Aim, Beliefs
    from ..planning.situation import Situation


SHORT = {
    "kernel": "kernel cosine",
    "dprime": "d' interval",
    "gamma": "gamma interval",
    "eigenvalue": "eigenvalue",
}


def brief(row: dict[str, Any]) -> Row:
    """Return what a table shows of an aim; "as truth": with the pilot's values."""
    plan = row["plan"]
    return {
        "aim": SHORT[row["aim"]],
        "wanted": row["wanted"],
        "trials": row["trials"],
        **(
            {} if row["pilot"] is None else {"as truth": row["trials_if_pilot_is_true"]}
        ),
        "pairs": row["pairs"],
        f"at {plan['trials']}": plan["value"],
        "reach it": None if plan["reached"] is None else f"{plan['reached']:.0%}",
        "simulated": simulated(row["check"]),
    }


def simulated(found: dict[str, Any] | None) -> str:
    """Return what simulated sessions gave, as "median (SD), reached"."""
    if found is None or found["median"] is None:
        return "-"
    text = "∞" if found["median"] == float("inf") else f"{found['median']:.3g}"
    if found["sd"] is not None:
        text += f" (SD {found['sd']:.2g})"
    return text + f", {found['reached']:.0%}"


@click.command()
@click.argument("name", metavar="PROTOCOL")
@click.option("--condition", help="Which condition of the protocol to plan for.")
@click.option(
    "--assurance",
    type=float,
    default=0.8,
    show_default=True,
    help="Share of sessions that shall reach each aim; .5 plans for the usual one.",
)
@click.option(
    "--pilot",
    type=(DATABASE, str),
    metavar="DB SESSION",
    help="Plan for the observer of this session, allowing for what it leaves open.",
)
@click.option(
    "--gamma",
    type=click.FloatRange(0),
    show_default="1.35",
    help="Internal noise of the observer: internal / external SD.",
)
@click.option(
    "--efficiency",
    type=click.FloatRange(0, 1, min_open=True),
    show_default="0.5",
    help="Of the observer's template: its squared cosine with the ideal one.",
)
@click.option(
    "--lapses",
    type=float,
    default=0.0,
    show_default=True,
    help="How often the observer guesses, whatever is shown; none beside a pilot.",
)
@click.option(
    "--contrast",
    type=click.FloatRange(0, 1),
    help="One contrast for all trials, instead of the protocol's and calibration.",
)
@click.option(
    "--proportion-correct",
    type=float,
    help="How often the observer is correct, instead of what contrast makes of it.",
)
@click.option(
    "--correlation",
    type=float,
    default=0.9,
    show_default=True,
    help="Wanted: cosine between kernel and template.",
)
@click.option(
    "--dprime-interval",
    type=float,
    default=0.3,
    show_default=True,
    help="Wanted: full width of the 95 % interval of d'.",
)
@click.option(
    "--gamma-interval",
    type=float,
    default=1.0,
    show_default=True,
    help="Wanted: full width of the 95 % interval of gamma.",
)
@click.option(
    "--eigenvalue",
    type=float,
    default=0.66,
    show_default=True,
    help="Wanted: second-order eigenvalue to be found, in noise variances.",
)
@click.option(
    "--check/--no-check",
    "checks",
    default=True,
    help="Simulate sessions of the planned length; on unless told otherwise.",
)
@click.option(
    "--sessions",
    type=click.IntRange(2),
    help="How many to simulate for each aim; by default 20, or fewer long ones.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the check.")
@click.option("--plot", type=OUTPUT_FILE, help="Picture to write: .svg, .png or .pdf.")
@output(brief)
def power(
    name: str,
    condition: str | None,
    assurance: float,
    pilot: tuple[Path, str] | None,
    gamma: float | None,
    efficiency: float | None,
    lapses: float,
    contrast: float | None,
    proportion_correct: float | None,
    checks: bool,
    sessions: int | None,
    seed: int,
    plot: Path | None,
    correlation: float,
    dprime_interval: float,
    gamma_interval: float,
    eigenvalue: float,
) -> list[Row]:
    """Plan a study: trials and double-pass pairs that reach an aim.

    Closed forms say how many main trials, second showings included, a session like the
    protocol's needs so that four of five such sessions (--assurance) have a kernel, a
    d', an internal noise and a second-order eigenvalue as sure as wanted. The observer
    is assumed to be linear, or to be that of a pilot session; a protocol that
    calibrates is planned at the proportion correct that it aims at. Sessions of that
    length are then simulated, as `yoked simulate` would run them, and analysed. A
    protocol with conditions is planned by one of them, at its share of the trials.

    \b
    Examples:
        yoked power bar-in-noise --plot plan.svg
        yoked power equivalent-noise --condition sd-0.15
        yoked power mine.toml --gamma 0.8 --correlation 0.95 --no-check
        yoked power bar-in-noise --pilot results.db 2026-01-10-kq7m4x2p
    """
    from ...experiments.protocols.files import load_protocol
    from ..figures import check_plot_name
    from ..planning.power import Wanted, aims

    if plot is not None:
        check_plot_name(plot)
    wanted = Wanted(correlation, dprime_interval, gamma_interval, eigenvalue, assurance)
    protocol = one_condition(load_protocol(name), condition)
    assumed, believed, known = settled(
        protocol, pilot, gamma, efficiency, lapses, contrast, proportion_correct
    )
    planned = aims(assumed, wanted, believed)
    found: list[Check | None] = [None for _ in planned]
    if checks:
        found = checked(planned, assumed, sessions, seed)
    say(assumed, planned, found, known)
    if plot is not None:
        from ..planning.plot import write_power_plot

        write_power_plot(plot, assumed, planned, found)
        click.echo(f"Wrote {plot}.", err=True)
    return [
        described(aim, check, assumed, known)
        for aim, check in zip(planned, found, strict=True)
    ]


def one_condition(protocol: "Protocol", condition: str | None) -> "Protocol":
    """Return the protocol of one condition; one without conditions is itself.

    Raises
    ------
    LookupError
        If the protocol has no such condition.
    ValueError
        If it has conditions, and none is named.
    """
    if condition is not None:
        return protocol.alone(condition)
    if protocol.conditions:
        names = ", ".join(each.name for each in protocol.conditions)
        raise ValueError(f"--condition must be one of {names}, got none")
    return protocol


def settled(
    protocol: "Protocol",
    place: tuple[Path, str] | None,
    gamma: float | None,
    efficiency: float | None,
    lapses: float,
    contrast: float | None,
    proportion_correct: float | None,
) -> "tuple[Situation, Beliefs | None, Pilot | None]":
    """Return what is assumed, what else a pilot leaves possible, and the pilot."""
    from ..planning.situation import EFFICIENCY, GAMMA, situation

    where = (contrast, proportion_correct)
    if place is None:
        gamma = GAMMA if gamma is None else gamma
        efficiency = EFFICIENCY if efficiency is None else efficiency
        return situation(protocol, gamma, efficiency, *where, lapses), None, None
    if lapses:
        why = "what they did to the pilot's numbers they will do again"
        raise ValueError(f"lapses must be left out with a pilot, got {lapses:g}; {why}")
    from ...experiments.session.results import session_data
    from ..planning.pilot import beliefs, read_pilot, situation_of

    db, session = place
    with opened(db) as store:
        known = read_pilot(session_data(store, session))
    assumed = situation_of(known, protocol, gamma, efficiency, *where)
    return assumed, beliefs(known, assumed, gamma is not None), known


def checked(
    planned: "list[Aim]", assumed: "Situation", sessions: int | None, seed: int
) -> "list[Check | None]":
    """Simulate sessions for each aim, with a bar for each."""
    from ..planning.check import check

    found: list[Check | None] = []
    with progress("check") as update:
        for aim in planned:

            def told(done: int, total: int, name: str = aim.name) -> None:
                update(name, done, total)

            found.append(check(aim, assumed, sessions, seed, told))
    return found


def say(
    assumed: "Situation",
    planned: "list[Aim]",
    found: "list[Check | None]",
    pilot: "Pilot | None" = None,
) -> None:
    """Write to standard error what is assumed, and what is to be said of the aims."""
    if pilot is not None:
        say_pilot(pilot)
    rates = [f"{rate:.1%}" for rate in assumed.proportions]
    correct = rates[0] if len(rates) == 1 else f"{rates[0]} to {rates[-1]}"
    levels = [f"{contrast:.3g}" for contrast in assumed.contrasts]
    shown = levels[0] if len(levels) == 1 else f"{levels[0]} to {levels[-1]}"
    click.echo(
        f"Assumed: gamma {assumed.gamma:.3g}, template efficiency"
        f" {assumed.efficiency:.3g};"
        f" {correct} correct ({assumed.reason}) at contrast {shown};"
        f" {assumed.n_elements} elements; {assumed.protocol.name} has"
        f" {assumed.n_trials:,} main trials with {assumed.n_pairs:,} pairs.",
        err=True,
    )
    for aim, check in zip(planned, found, strict=True):
        for note in (aim.note, check.note if check else None):
            if note:
                click.echo(f"{aim.name}: {note}.", err=True)


def say_pilot(pilot: "Pilot") -> None:
    """Write to standard error what was taken from a pilot, and what it cannot tell."""
    taken = {
        "(d' / ideal d')^2": pilot.absolute,
        "gamma": pilot.gamma,
        "linear share": pilot.linear,
        "criterion": pilot.criterion,
        "lapses (in the others already)": pilot.lapses,
    }
    told = [f"{name} {value.short()}" for name, value in taken.items()]
    click.echo(f"Pilot {pilot.session}: {', '.join(told)}.", err=True)
    for sentence in pilot.untold:
        click.echo(f"pilot: {sentence}.", err=True)


def described(
    aim: "Aim",
    check: "Check | None",
    assumed: "Situation",
    pilot: "Pilot | None" = None,
) -> Row:
    """Give what the command prints of an aim."""
    return {
        "aim": aim.name,
        "quantity": aim.quantity,
        "wanted": aim.wanted,
        "assurance": aim.assurance,
        "trials": aim.n_trials,
        "pairs": aim.n_pairs,
        "trials_on_average": aim.n_on_average,
        "trials_if_pilot_is_true": aim.n_if_true,
        "trials_without_double_pass": aim.n_independent,
        "trials_fitted_kernel": aim.n_fitted,
        "formula": aim.formula,
        "plan": {
            "trials": assumed.n_trials,
            "pairs": assumed.n_pairs,
            "value": aim.at_plan,
            "reached": aim.reached_at_plan,
        },
        "check": None
        if check is None
        else {name.removeprefix("n_"): value for name, value in vars(check).items()},
        "assumed": {
            "protocol": assumed.protocol.name,
            "elements": assumed.n_elements,
            "gamma": assumed.gamma,
            "efficiency": assumed.efficiency,
            "contrasts": assumed.contrasts,
            "proportions_correct": assumed.proportions,
            "lapses": assumed.lapses,
            "criterion": assumed.criterion,
            "linear_share": assumed.linear,
            "why": assumed.reason,
        },
        "pilot": None if pilot is None else plain(pilot),
        "note": aim.note,
    }


def plain(pilot: "Pilot") -> dict[str, Any]:
    """Give what JSON has of a pilot."""
    return {
        "session": pilot.session,
        "absolute_efficiency": pilot.absolute.to_dict(),
        "gamma": pilot.gamma.to_dict(),
        "linear_share": pilot.linear.to_dict(),
        "criterion": pilot.criterion.to_dict(),
        "lapses": pilot.lapses.to_dict(),
        "untold": list(pilot.untold),
    }
