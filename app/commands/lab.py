"""The lab."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import DATABASE, OUTPUT_FILE, PLAN, variant_options
from ..output import Row, output
from ..progress import progress
from .again import spelled
from .calibrate import as_size

if TYPE_CHECKING:
    from ...experiments.lab.request import Request, Unfinished
    from ..reports.lab_summary import LabSummary

CHECKED = ("bar-in-noise", "gabor-in-noise", "movie-bar")  # one of each shape
MAIN_TRIALS = """\
Main trials, instead of the protocol's; practice and calibration shrink in proportion,
to 4 and 10 at least."""
ASKED = ("participant", "session", "monitor", "distance_cm")
LEFT_OUT = (  # of a command that goes on
    "participant", "session", "monitor", "distance_cm", "scale", "lut", "seed",
    "trials", "contrast", "yoke_to", "is_new", "resume", "accept_irregular", "plan",
    "early",
)  # fmt: skip
KEPT = ("scale", "lut", "monitor", "distance_cm", "seed")  # by a resumed session


def brief(row: Row) -> Any:
    """Return what a table shows of a self-test."""
    faults = row["faults"] or ["nothing to put right"]
    return {
        "passed": row["passed"],
        "refresh": f"{row['refresh_hz']:.2f} Hz",
        "found": "; ".join(map(str, faults)),  # type: ignore[arg-type]
        "report": row["report"],
    }


@click.command()
@click.argument("names", nargs=-1, metavar="[PROTOCOL] DB")
@click.option("--participant", metavar="CODE", help="A code, never a name.")
@click.option("--session", type=int, help="How often the participant has sat here.")
@PLAN
@click.option(
    "--early",
    metavar="REASON",
    help="Begin the sitting of a --plan before its time; REASON is stored.",
)
@click.option("--monitor", metavar="NAME", help="As `yoked calibrate` stored it.")
@click.option(
    "--distance",
    "distance_cm",
    type=float,
    metavar="CM",
    help="From the eye to the screen.",
)
@click.option(
    "--scale",
    type=int,
    help="Screen px per px of the stimulus, instead of the nearest.",
)
@click.option(
    "--lut",
    type=click.Choice(["auto", "identity", "calibration"]),
    default="auto",
    show_default=True,
    help="Look-up table; auto takes the monitor's if it is calibrated.",
)
@variant_options(MAIN_TRIALS)
@click.option(
    "--yoke-to", metavar="SESSION", help="Show the trials of this session again."
)
@click.option("--resume", metavar="SESSION", help="Go on with this session.")
@click.option(
    "--new",
    "is_new",
    is_flag=True,
    help="Begin a session although the participant's last is unfinished.",
)
@click.option(
    "--screen", type=click.IntRange(0), default=0, help="Number of the screen."
)
@click.option("--windowed", is_flag=True, help="In a window; timing is then not exact.")
@click.option("--size-px", callback=as_size, metavar="WxH", help="Of the window.")
@click.option(
    "--refresh",
    "refresh_hz",
    type=float,
    metavar="HZ",
    help="Pace a screen that has no refresh to measure, such as a virtual one.",
)
@click.option(
    "--accept-irregular",
    metavar="REASON",
    help="Use a screen whose measured refresh is irregular; REASON is stored.",
)
@click.option(
    "--keyboard",
    type=click.Choice(["auto", "ptb", "event"]),
    default="auto",
    show_default=True,
    help="Where keys come from: Psychtoolbox, or the window's events.",
)
@click.option("--box", metavar="PORT", help="Serial port of a response box.")
@click.option("--box-map", default="", metavar="SENT=RESPONSE,...", help="Its buttons.")
@click.option("--language", default="en", show_default=True, help="Of the texts.")
@click.option(
    "--read-back",
    type=click.Choice(["block", "every"]),
    default="block",
    show_default=True,
    help="Compare the pixels of the first trial of each block, or of every one.",
)
@click.option(
    "--absent-after",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    metavar="N",
    help="Trials in a row without a response that pause the session; 0: never.",
)
@click.option("--no-dialog", is_flag=True, help="Ask nothing: all comes by options.")
@click.option("--check", is_flag=True, help="Test this very screen instead.")
@click.option(
    "--report",
    type=OUTPUT_FILE,
    default="lab-check.html",
    show_default=True,
    help="Where the self-test's page goes.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=60.0,
    show_default=True,
    help="How long the self-test watches for dropped frames.",
)
@click.option("--loopback", metavar="PORT", help="Serial port with its ends joined.")
@output(brief)
def lab(check: bool, **options: Any) -> "Row | LabSummary":
    """Run a session on this screen (PsychoPy), or --check it.

    Without --participant, a dialog asks who sits where. Every trial is stored before
    the next begins; Escape pauses. With --resume, --yoke-to or --plan, PROTOCOL is left
    out; a plan of sittings says which protocol the participant is due for.
    Whose last session is unfinished needs --resume or --new. At the end the session is
    summed up, finished or not.

    \b
    Examples:
        yoked lab bar-in-noise results.db
        yoked lab bar-in-noise results.db --participant p01 --monitor lab-1
        yoked lab results.db --resume 2026-01-10-kq7m4x2p
        yoked lab results.db --plan sittings.toml --participant p01
        yoked lab --check --monitor lab-1
    """
    from ...experiments.lab.window import require_lab

    if check:
        require_lab()
        return checked(**options)
    db, request = as_request(**options)
    require_lab()
    return summed_up(db, request)


def summed_up(db: Path, request: "Request") -> "LabSummary":
    """Run a session, and sum up what is in the log by then."""
    from ...experiments.lab.request import Unfinished
    from ...experiments.lab.run import run_lab
    from ...experiments.session.results import load_session
    from ..reports.lab_summary import session_summary

    begun: list[str] = []
    try:
        outcome = run_lab(db, request, say, began=begun.append)
    except Unfinished as error:
        raise click.ClickException(choice(db, request, error)) from error
    except KeyboardInterrupt:
        for session_id in begun:
            say(f"\nNot finished; {going_on(db, session_id)}")
        raise
    except Exception as error:
        for session_id in begun:  # at most one
            error.add_note(going_on(db, session_id))
        raise
    if not outcome.is_finished:
        say(f"Not finished; {going_on(db, outcome.session_id)}")
    return session_summary(load_session(db, outcome.session_id))


def going_on(db: Path, session_id: str) -> str:
    """Say how a session goes on."""
    return f"go on with: {spelled([db], LEFT_OUT, resume=session_id)}"


def choice(db: Path, request: "Request", error: "Unfinished") -> str:
    """Spell out the two commands of which the operator has to choose one."""
    names = [] if request.yoke_to else click.get_current_context().params["names"][:-1]
    said = {"participant": request.participant, "session": request.sitting}
    said |= {"monitor": request.monitor, "distance_cm": request.distance_cm}
    new = {name: value for name, value in said.items() if value not in (None, "")}
    if request.sitting == 1:
        del new["session"]
    resumes = spelled([db], LEFT_OUT, resume=error.session_id)
    begins = spelled([*names, db], **new, is_new=True)
    return f"{error}. Go on with it:\n    {resumes}\nor begin another:\n    {begins}"


def say(sentence: str) -> None:
    """Tell the operator something, beside what is printed as the result."""
    click.echo(sentence, err=True)


def as_request(
    names: tuple[str, ...],
    trials: int | None,
    contrast: float | None,
    plan: Path | None,
    no_dialog: bool,
    windowed: bool,
    **options: Any,
) -> "tuple[Path, Request]":
    """Check the arguments, ask for what is missing, and give them in one.

    Raises
    ------
    click.UsageError
        If arguments are missing or do not go together.
    """
    from ...experiments.lab.rehearsal import shortened
    from ...experiments.lab.request import Request
    from ...experiments.protocols.sittings import load_sittings

    if plan is None and options["early"] is not None:
        raise click.UsageError("--early needs a --plan")
    starts = options["resume"] is None
    is_named = starts and options["yoke_to"] is None and plan is None
    protocol, db = named(names, is_named)
    if protocol is not None:
        protocol = protocol.with_options(contrast=contrast)
        protocol = protocol if trials is None else shortened(protocol, trials)
    elif trials is not None or contrast is not None:
        raise click.UsageError("--trials and --contrast need a PROTOCOL")
    if starts:
        options |= asked(no_dialog, **{name: options[name] for name in ASKED})
    else:
        require_kept(options)
    wanted = set(Request.__dataclass_fields__)
    given = {name: value for name, value in options.items() if name in wanted}
    given |= {name: options[name] or "" for name in ("participant", "monitor")}
    sitting = options["session"] or 1
    return db, Request(
        **given,
        protocol=protocol,
        plan=None if plan is None else load_sittings(plan),
        sitting=sitting,
        full_screen=not windowed,
    )


def named(names: tuple[str, ...], needs_protocol: bool) -> tuple[Any, Path]:
    """Give the protocol, None if it was left out, and the database.

    Raises
    ------
    click.UsageError
        If there are too many names, or too few.
    """
    from ...experiments.protocols.files import load_protocol

    least = 2 if needs_protocol else 1
    if not least <= len(names) <= 2:
        wanted = "PROTOCOL DB" if needs_protocol else "[PROTOCOL] DB"
        got = " ".join(names) or "none"
        raise click.UsageError(f"arguments must be {wanted}, got {got}")
    *protocols, db = names
    path = DATABASE.convert(db, None, click.get_current_context())
    return (load_protocol(protocols[0]) if protocols else None), Path(path)


def require_kept(options: dict[str, Any]) -> None:
    """Refuse options that a session which goes on has decided already."""
    for name in KEPT:
        if options[name] not in (None, "auto"):
            option = {"distance_cm": "--distance"}.get(name, f"--{name}")
            raise click.UsageError(
                f"--resume keeps the session's own setting; leave out {option}"
            )


def asked(no_dialog: bool, **texts: Any) -> dict[str, Any]:
    """Give who sits where: by the options, or by what the operator says.

    Raises
    ------
    click.UsageError
        If nobody may be asked.
    click.Abort
        If the operator cancels.
    """
    from ...experiments.lab.dialog import answers_from, ask_operator
    from ...experiments.lab.setup import monitor_names

    known = {name: value for name, value in texts.items() if value is not None}
    if texts["participant"] is not None:
        # A distance that nobody said is the monitor's own.
        return {**texts, "participant": answers_from(known).participant}
    if no_dialog:
        raise click.UsageError("--participant must be given with --no-dialog")

    def prompt(label: str, default: str) -> str:
        return click.prompt(label, default=default, err=True)

    responses = ask_operator(known, monitor_names(), prompt, say)
    if responses is None:
        raise click.Abort
    return vars(responses).copy()


def checked(
    monitor: str | None,
    screen: int,
    windowed: bool,
    size_px: tuple[int, int] | None,
    refresh_hz: float | None,
    report: Path,
    seconds: float,
    loopback: str | None,
    lut: str,
    **_: Any,
) -> Row:
    """Test the screen, write the page about it, and give what was found."""
    from ...experiments.lab.boxes import loopback_ms
    from ...experiments.lab.check import run_check
    from ...experiments.lab.setup import choose_lut, find_monitor
    from ...experiments.lab.window import open_window
    from ...experiments.protocols.files import load_protocol
    from ..reports.lab_report import write_check

    if not report.parent.is_dir():
        raise FileNotFoundError(f"the folder of {str(report)!r} must exist")
    known = find_monitor(monitor or "")
    made = known.calibration if lut != "identity" else None
    window = open_window(
        background=choose_lut(lut, known)[128],
        screen=screen,
        full_screen=not windowed,
        size_px=size_px,
        refresh_hz=refresh_hz,
        require_vsync=False,
    )
    try:
        with progress("self-test") as update:
            found = run_check(
                window,
                [load_protocol(name) for name in CHECKED],
                calibration=None if made is None else made.to_dict(),
                monitor=known,
                seconds=seconds,
                is_paced=refresh_hz is not None,
                loopback=None
                if loopback is None
                else lambda: loopback_ms(loopback, window.now),
                loopback_device=loopback or "loop-back",
                progress=update,
            )
    finally:
        window.close()
    write_check(found, report)
    return {**found.to_dict(), "report": str(report)}
