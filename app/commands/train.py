"""Training ahead of time."""

from pathlib import Path
from typing import Any

import click

from ..options import OUTPUT_FILE, SEED
from ..output import Row, output
from ..progress import progress


@click.command()
@click.argument("observer")
@click.argument("protocol")
@click.option(
    "-o", "weights", type=OUTPUT_FILE, required=True, help="File for the weights."
)
@click.option(
    "--seed",
    type=SEED,
    help="Seed of first weights and trials: another seed is another individual.",
)
@click.option("--device", help="Where to train: cpu (unless given) or cuda.")
@output()
def train(
    observer: str, protocol: str, weights: Path, seed: int | None, device: str | None
) -> Row:
    """Train an observer and write its weights.

    For the stimuli of a protocol, on trials that no session shows. `yoked simulate`
    trains by itself what is not trained yet.

    \b
    Example:
        yoked train retina-cnn bar-in-noise -o weights.pt
    """
    from ...experiments.protocols.files import load_protocol
    from ...experiments.session.observer import Practice
    from ...models.registry import load
    from ...models.simulate import teach

    task = load_protocol(protocol)
    given = {"seed": seed, "device": device}
    options = {name: value for name, value in given.items() if value is not None}
    network: Any = load(observer, **options)
    if not hasattr(network, "learn") or not hasattr(network, "save"):
        raise ValueError(f"observer must be one that is trained, got {observer!r}")
    with progress(network.name) as update:
        teach(network, Practice(task), update)
    network.save(weights)
    return {
        "weights": str(weights),
        "observer": observer,
        "protocol": task.name,
        "stimulus_hash": task.stimulus_hash,
        "weights_hash": network.weights_hash,
    }
