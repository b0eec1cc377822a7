"""One trial as a picture."""

from pathlib import Path

import click

from ..options import OUTPUT_FILE, SEED
from ..output import Row, output


@click.command()
@click.argument("protocol")
@click.option(
    "-o",
    "picture",
    type=OUTPUT_FILE,
    required=True,
    help="File to write: .png, or .gif for a movie.",
)
@click.option(
    "--seed", type=SEED, default=0, show_default=True, help="Seed of the noise."
)
@click.option(
    "--stimulus-id",
    type=SEED,
    default=0,
    show_default=True,
    help="Which noise field of that seed.",
)
@click.option(
    "--target",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Interval with the target, from 0; in yes/no and rating 1 = signal.",
)
@click.option(
    "--contrast",
    type=click.FloatRange(0, 1),
    help="Contrast of the signal; the protocol's highest unless given.",
)
@click.option(
    "--place",
    type=click.IntRange(0),
    help="In a scene: place of the signal, from 0; the first unless given.",
)
@click.option(
    "--cue",
    type=click.IntRange(-1),
    help="Place that the cue points at; the signal's unless given, -1 for all places.",
)
@click.option("--condition", help="Condition of the protocol, as the trial is of it.")
@output()
def preview(
    protocol: str,
    picture: Path,
    seed: int,
    stimulus_id: int,
    target: int,
    contrast: float | None,
    place: int | None,
    cue: int | None,
    condition: str | None,
) -> Row:
    """Write one trial as a picture, as it will look.

    Intervals stand side by side, in order. The pixels are contrast levels, 128 the
    background; the digest is of these levels before they are magnified. Of a protocol
    with conditions it is the one that is named, or what they do not change. With noise
    on a basis it is said how much of the signal its images show, d' of one field for an
    ideal, a linear and a template observer, and how many elements will be clipped. In
    a scene with several places: how often an ideal, a linear and a max observer are
    right.

    \b
    Example:
        yoked preview bar-in-noise -o frame.png --seed 1
    """
    from ...experiments.protocols.basis_facts import basis_facts
    from ...experiments.protocols.files import load_protocol
    from ...experiments.protocols.place_facts import place_facts
    from ...experiments.protocols.signal_facts import signal_facts
    from ...experiments.stimulus.by_condition import without_conditions
    from ...experiments.stimulus.render import digest, render
    from ...experiments.stimulus.scene_frames import scene_trial
    from ...experiments.stimulus.sources import noise_source
    from ..files import whole_file
    from ..reports.picture import check_suffix, write_picture

    loaded = load_protocol(protocol)
    if condition is not None:
        loaded = loaded.of_condition(condition)
    elif loaded.conditions:  # what they do not change
        loaded = without_conditions(loaded)
    loaded = loaded.with_options(contrast=contrast)
    suffix = picture.suffix.lower()
    check_suffix(suffix, loaded)
    if target >= loaded.task.n_targets:
        raise ValueError(
            f"target must be below {loaded.task.n_targets} in {loaded.name}, "
            f"got {target}"
        )
    shown = max(loaded.contrast.values)
    where = scene_trial(loaded, place, cue)
    trial = {
        "stimulus_id": [stimulus_id],
        "contrast": [shown],
        "target": [target],
        "block_kind": ["main"],
        **{name: [value] for name, value in where.items()},
    }
    source = noise_source(loaded.noise.generator, loaded, seed)
    (frames,) = render(loaded, source, trial)
    facts, places = basis_facts(loaded), place_facts(loaded)
    with whole_file(picture, "wb") as file:
        write_picture(file, suffix, loaded, frames)
    return {
        "picture": str(picture),
        "protocol": loaded.name,
        # Noise of published seeds is a function of the stimulus id alone.
        "seed": seed if source.name.startswith("yoked-1") else None,
        "stimulus_id": stimulus_id,
        "target": target,
        **where,
        "contrast": shown,
        "digest": digest(frames),
        "signal": signal_facts(loaded).plain(),
        **({} if facts is None else {"noise_on_basis": facts.plain()}),
        **({} if places is None else {"places": places.plain()}),
    }
