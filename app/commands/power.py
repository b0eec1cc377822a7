"""Planning a study."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import OUTPUT_FILE, SEED
from ..output import Row, output
from ..progress import progress

if TYPE_CHECKING:
    from ..planning.check import Check
    from ..planning.power import Aim
    from ..planning.situation import Situation


SHORT = {
    "kernel": "kernel cosine",
    "dprime": "d' interval",
    "gamma": "gamma interval",
    "eigenvalue": "eigenvalue",
}


def brief(row: dict[str, Any]) -> Row:
    """Return what a table shows of an aim."""
    plan = row["plan"]
    return {
        "aim": SHORT[row["aim"]],
        "wanted": row["wanted"],
        "trials": row["trials"],
        "pairs": row["pairs"],
        f"at {plan['trials']}": plan["value"],
        "simulated": simulated(row["check"]),
    }


def simulated(found: dict[str, Any] | None) -> str:
    """Return what simulated sessions gave, as "median (SD)"."""
    if found is None or found["median"] is None:
        return "-"
    text = "∞" if found["median"] == float("inf") else f"{found['median']:.3g}"
    if found["sd"] is not None:
        text += f" (SD {found['sd']:.2g})"
    if found["infinite"]:
        text += f", {found['infinite']}/{found['sessions']} endless"
    if found["detected"] is not None:
        text += f", found {found['detected']:.0%}"
    return text


@click.command()
@click.argument("name", metavar="PROTOCOL")
@click.option(
    "--gamma",
    type=click.FloatRange(0),
    default=1.35,
    show_default=True,
    help="Internal noise of the observer: internal / external SD.",
)
@click.option(
    "--efficiency",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="Of the observer's template: its squared cosine with the ideal one.",
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
    gamma: float,
    efficiency: float,
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
    protocol's needs for a kernel, for d', for internal noise and for a second-order
    eigenvalue. The observer is assumed to be linear; a protocol that calibrates is
    planned at the proportion correct that it aims at. Sessions of that length are then
    simulated, as `yoked simulate` would run them, and analysed.

    \b
    Examples:
        yoked power bar-in-noise --plot plan.svg
        yoked power mine.toml --gamma 0.8 --correlation 0.95 --no-check
    """
    from ...experiments.protocols.files import load_protocol
    from ..files import check_plot_name
    from ..planning.power import Wanted, aims
    from ..planning.situation import situation

    if plot is not None:
        check_plot_name(plot)
    wanted = Wanted(correlation, dprime_interval, gamma_interval, eigenvalue)
    protocol = load_protocol(name)
    assumed = situation(protocol, gamma, efficiency, contrast, proportion_correct)
    planned = aims(assumed, wanted)
    found: list[Check | None] = [None for _ in planned]
    if checks:
        found = checked(planned, assumed, sessions, seed)
    say(assumed, planned, found)
    if plot is not None:
        from ..planning.plot import write_power_plot

        write_power_plot(plot, assumed, planned, found)
        click.echo(f"Wrote {plot}.", err=True)
    return [
        described(aim, check, assumed)
        for aim, check in zip(planned, found, strict=True)
    ]


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
    assumed: "Situation", planned: "list[Aim]", found: "list[Check | None]"
) -> None:
    """Write to standard error what is assumed, and what is to be said of the aims."""
    rates = [f"{rate:.1%}" for rate in assumed.proportions]
    correct = rates[0] if len(rates) == 1 else f"{rates[0]} to {rates[-1]}"
    levels = [f"{contrast:.3g}" for contrast in assumed.contrasts]
    shown = levels[0] if len(levels) == 1 else f"{levels[0]} to {levels[-1]}"
    click.echo(
        f"Assumed: gamma {assumed.gamma:g}, template efficiency {assumed.efficiency:g};"
        f" {correct} correct ({assumed.reason}) at contrast {shown};"
        f" {assumed.n_elements} elements; {assumed.protocol.name} has"
        f" {assumed.n_trials:,} main trials with {assumed.n_pairs:,} pairs.",
        err=True,
    )
    for aim, check in zip(planned, found, strict=True):
        for note in (aim.note, check.note if check else None):
            if note:
                click.echo(f"{aim.name}: {note}.", err=True)


def described(aim: "Aim", check: "Check | None", assumed: "Situation") -> Row:
    """Give what the command prints of an aim."""
    return {
        "aim": aim.name,
        "quantity": aim.quantity,
        "wanted": aim.wanted,
        "trials": aim.n_trials,
        "pairs": aim.n_pairs,
        "trials_without_double_pass": aim.n_independent,
        "trials_fitted_kernel": aim.n_fitted,
        "formula": aim.formula,
        "plan": {
            "trials": assumed.n_trials,
            "pairs": assumed.n_pairs,
            "value": aim.at_plan,
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
            "why": assumed.reason,
        },
        "note": aim.note,
    }
