"""Trial designs of known observers, made without a session, for the tests of fits."""

import numpy as np

from tests.analysis.observers.linear import Linear, linear_responses, unit
from yoked.analysis.trials.design import TrialDesign

SIGNAL_AT_75 = {"yes_no": 2 * 0.6745, "2afc": np.sqrt(2) * 0.6745}  # decision SDs


def linear_design(observer, task, n, seed, n_pairs=0, shape=None):
    """Return the trials of an observer that is 75 % correct."""
    signal = observer.sd_decision * SIGNAL_AT_75[task]
    if task == "yes_no":
        observer = Linear(
            observer.template, observer.sd, observer.gamma, criterion=signal / 2
        )
    made = TrialDesign.of(*linear_responses(observer, task, n, signal, seed, n_pairs))
    return reshaped(made, shape) if shape else made


def reshaped(trials, shape):
    """Return the same trials with fields of (frames, rows, columns)."""
    return TrialDesign(**{**vars(trials), "shape": shape})


def yes_no_design(noise, yes, target, shape=None, cluster=None, cell=None):
    """Return yes/no trials from arrays."""
    noise, has_signal = noise.astype(np.float32), (target == 1)[:, None]
    n, p = noise.shape
    cell = target if cell is None else cell
    return TrialDesign(
        response=yes,
        target=target,
        cell=cell,
        contrast=np.ones(n),
        cluster=np.arange(n) if cluster is None else cluster,
        stratum=cell,
        halves=np.stack([noise * has_signal, noise * ~has_signal]),
        shape=shape or (1, 1, p),
        is_forced_choice=False,
    )


def gabor_template(n=16, sigma=2.5, cycles=3):
    """Return a Gabor of norm 1 on a square grid."""
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    envelope = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    return unit((envelope * np.cos(2 * np.pi * cycles * x / n)).ravel())


def cosine(kernel, template):
    """Return the cosine of the angle between a kernel and a template."""
    return float(unit(np.ravel(kernel)) @ unit(np.ravel(template)))
