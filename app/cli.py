"""The `yoked` command: a table of subcommands that are imported when they are run."""

from importlib import import_module

import click

from .complaints import one_line
from .options import in_utf8

# name: (file and function in app/commands, what --help says, equal to the function's
# first docstring line). In this order they are listed.
COMMANDS = {
    "protocols": ("catalogue:protocols", "List the protocols that can be run."),
    "new": (
        "new:new",
        "Write a protocol file to change: a commented skeleton, or a shipped one.",
    ),
    "observers": ("catalogue:observers", "List the models that can take part."),
    "power": (
        "power:power",
        "Plan a study: trials and double-pass pairs that reach an aim.",
    ),
    "preview": ("preview:preview", "Write one trial as a picture, as it will look."),
    "lab": ("lab:lab", "Run a session on this screen (PsychoPy), or --check it."),
    "calibrate": (
        "calibrate:calibrate",
        "Measure a monitor's luminance and store its look-up table.",
    ),
    "study": (
        "study:study",
        "Make studies, open and close them, and make links to them.",
    ),
    "backup": (
        "backups:backup",
        "Copy a database, also while a server writes to it.",
    ),
    "restore": (
        "backups:restore",
        "Bring a backup back, without those who withdrew since it was made.",
    ),
    "serve": ("serve:serve", "Collect data online: start the web task."),
    "doctor": (
        "doctor:doctor",
        "Say whether a server can run as it is told, and what helps where it cannot.",
    ),
    "accounts": (
        "accounts:accounts",
        "Make, list, reset and remove the accounts of researchers.",
    ),
    "page": (
        "page:page",
        "Write a jsPsych page that runs a protocol without our server.",
    ),
    "simulate": ("simulate:simulate", "Let a model take part in a protocol."),
    "match": (
        "match:match",
        "Find the noise that makes a model as consistent as a person.",
    ),
    "score": (
        "score:score",
        "Score how close observers come to people, at three depths.",
    ),
    "train": ("train:train", "Train an observer and write its weights."),
    "fit-retina": (
        "fit_retina:fit_retina",
        "Fit models of ganglion cells to a recording, and score them on held-out data.",
    ),
    "v1": (
        "v1:v1",
        "Compare a layer's tuning with cells of macaque V1, in fifteen properties.",
    ),
    "brain": (
        "brain:brain",
        "Score layers of networks by responses that were recorded to pictures.",
    ),
    "look-at": (
        "look_at:look_at_",
        "Let a network look at pictures as a Brain-Score model, and write an assembly.",
    ),
    "sweep": (
        "sweep:sweep",
        "Let observers of several seeds do several protocols, or several people's "
        "trials.",
    ),
    "reproduce": (
        "reproduce:reproduce",
        "Make a figure of the docs anew: what it rests on, pictures and tables.",
    ),
    "weights": (
        "weights:weights",
        "Fetch the weights of a pretrained network, once.",
    ),
    "white-box": (
        "white_box:white_box",
        "Compute a model's kernels from its gradients, also those of any layer.",
    ),
    "attack": (
        "robustness:attack",
        "Say how an observer's accuracy falls when stimuli are changed against it.",
    ),
    "corrupt": (
        "robustness:corrupt",
        "Say how an observer's accuracy falls when stimuli are corrupted.",
    ),
    "sensitivity": (
        "robustness:sensitivity",
        "Say how far a small change of the stimulus can move single units of a layer.",
    ),
    "import": ("importing_faces:import_", "Read other people's data as sessions."),
    "sessions": ("trials:sessions", "List the sessions of a database."),
    "sittings": (
        "sittings:sittings",
        "List the participants of a plan of sittings, and when each may come again.",
    ),
    "codes": (
        "codes:codes",
        "List the completion codes of web sessions, and how each ended.",
    ),
    "merge": (
        "merge:merge",
        "Bring the databases of several machines together in one.",
    ),
    "export": ("trials:export", "Write trials as CSV."),
    "exclude": (
        "keeping:exclude",
        "Exclude trials from every statistic; they stay in the log.",
    ),
    "withdraw": (
        "keeping:withdraw",
        "Delete a session's trials for good: its participant has withdrawn.",
    ),
    "analyse": (
        "analyse:analyse",
        "Estimate sensitivity, kernels and second-order kernels.",
    ),
    "cueing": (
        "cueing:cueing",
        "Say how d' depends on whether the cue was valid.",
    ),
    "conditions": (
        "conditions:conditions",
        "Summarise a session by condition, and how the conditions differ.",
    ),
    "equivalent-noise": (
        "conditions:equivalent_noise",
        "Estimate equivalent input noise from thresholds at several noise SDs.",
    ),
    "compare": (
        "reporting:compare",
        "Compare observers with one whose trials they share, at three depths.",
    ),
    "closer": (
        "reporting:closer",
        "Say which model comes closer to several people.",
    ),
    "choices": (
        "choices:choices",
        "Compare people and models by their choices alone, without noise.",
    ),
    "texture-mnist": (
        "texture_mnist:texture_mnist",
        "Write digits made of textures, for probes of what a layer knows of either.",
    ),
    "digits": (
        "digits:digits",
        "Write digits under debris or in clutter, and plain ones, at some levels.",
    ),
    "label": (
        "label:label",
        "Let a network say what pictures show, as a table of choices.",
    ),
    "objects": (
        "objects:objects",
        "Say whether models and people find the same images hard to tell from others.",
    ),
    "group": ("reporting:group", "Average observers, each over its sessions."),
    "plot": ("plotting:plot", "Write one plot as SVG, PNG or PDF."),
    "report": ("reporting:report", "Write a page that shows observers side by side."),
    "demo": (
        "demo:demo",
        "Run people and models side by side, then take part yourself.",
    ),
    "bench": (
        "bench:bench",
        "Measure generator and kernels beside this machine's baseline.",
    ),
}


class LazyGroup(click.Group):
    """A group that knows its subcommands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one subcommand, or None if there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        found = import_module(f"{__package__}.commands.{module}")
        return in_utf8(getattr(found, attribute))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; a wrong name gets the nearest right one."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from ..experiments.protocols.checks import suggestion

            ctx.fail(f"no command named {name!r}{suggestion(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the list of subcommands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand; a foreseen error or Ctrl-C ends it with one line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            ctx.exit(130)
        except Exception as error:
            message = None if ctx.params["traceback"] else one_line(error)
            if message is None:
                raise
            raise click.ClickException(message) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="yoked")
@click.option(
    "--traceback", is_flag=True, help="Show where an error came from, to report it."
)
def cli(traceback: bool) -> None:
    """People and networks do the same psychophysics.

    Same trials, same pixels, same analysis.

    \b
    Examples:
        yoked simulate bar-in-noise template results.db
        yoked analyse results.db
    """
