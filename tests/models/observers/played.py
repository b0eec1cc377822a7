"""Sessions of the circuits on bar-in-noise, made once in a process."""

from functools import cache

from yoked.experiments.protocols.files import load_protocol
from yoked.models.registry import load
from yoked.models.simulate import run

# Contrast of 75 % correct on bar-in-noise at gamma .5.
CONTRASTS = {
    "linear": 0.161,
    "ln": 0.209,
    "hammerstein": 0.146,
    "energy": 0.295,
    "max": 0.279,
    "gain-control": 0.169,
}
GAMMA = 0.5
TRIALS = 8_000


@cache
def played(name, trials=TRIALS, seed=1):
    """Return a session of a circuit."""
    protocol = load_protocol("bar-in-noise")
    options = {"trials": trials, "contrast": CONTRASTS[name], "internal_noise": GAMMA}
    return run(protocol, load(name), seed=seed, **options)
