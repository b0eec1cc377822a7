"""Differences between two models that are equally far from an observer.

Observers are written out here from normal deviates; nothing of the package simulates.
"""

import math

import numpy as np

from tests.analysis.observers.linear import session
from yoked.analysis.agreement.closeness import MEASURES
from yoked.analysis.agreement.closer import closer
from yoked.experiments.stimulus.sources import StoredNoise

from .shares import log
from .study import Column, Found, Parameters, Table

N = 13


def at_cosine(rho, number):
    """Return a template at this cosine to the first unit vector, of its own plane."""
    made = np.zeros(N)
    made[0], made[number] = rho, math.sqrt(1 - rho**2)
    return made


def observers(rng, rho, gammas, n_stimuli, n_pairs, bias=0.0):
    """Return sessions of one set of 2AFC trials: the observer, then the two models.

    The observer weights one element, with gamma 1. Correct in 75 % without noise of its
    own; `bias` moves the models' criteria, one up and one down.
    """
    noise = rng.standard_normal((n_stimuli, 2, 1, 1, N)).astype(np.float32) / 10
    target = rng.permutation(np.arange(n_stimuli) % 2)
    speaks = (noise[:, 1] - noise[:, 0]).reshape(n_stimuli, N) / (0.1 * math.sqrt(2))
    templates = [at_cosine(1.0, 1), at_cosine(rho, 1), at_cosine(rho, 2)]
    made = []
    for number, (template, gamma, shift) in enumerate(
        zip(templates, gammas, (0.0, bias, -bias), strict=True)
    ):
        decision = speaks @ template + 0.6745 * math.sqrt(2) * (2 * target - 1)
        yes = []
        for shown in (np.arange(n_stimuli), np.arange(n_pairs)):
            internal = gamma * rng.standard_normal(len(shown))
            yes.append(decision[shown] + internal > shift)
        table = log(target, 1.0, np.concatenate(yes), n_pairs)
        name = f"observer-{number}"
        made.append(session(table, StoredNoise(noise), id=name, observer=name))
    return made


def rejected(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Say of each measure whether it finds a difference between the two models."""
    person, *models = observers(
        rng,
        cell["cosine"],
        (1.0, cell["gamma a"], cell["gamma b"]),
        cell["stimuli"],
        cell["pairs"],
        cell["bias"],
    )
    found: dict[str, Found] = dict.fromkeys(MEASURES)
    for each in closer(person, models).differences:
        found[each.measure] = each.p < 0.05
    return found


def _cell(cosine, a, b, stimuli=400, pairs=200, bias=0.0):
    return {
        "cosine": cosine,
        "gamma a": a,
        "gamma b": b,
        "stimuli": stimuli,
        "pairs": pairs,
        "bias": bias,
    }


def _have_one_noise(cell: Parameters) -> bool:
    return cell["gamma a"] == cell["gamma b"]


CLOSER = Table(
    name="closer",
    title="Which model is closer, where none is",
    text=(
        "Two models with different templates at one cosine to the observer's (gamma 1, "
        "13 elements, 2AFC, stimuli and pairs as given): per cent of sessions in which "
        "`yoked.closer` finds a difference at 5 %. Where one model has more internal "
        "noise than the other, latent correlation and kappa differ truly: the answers "
        "do; share and kernel ask whether the computation does."
    ),
    cells=(
        _cell(0.7, 0.0, 0.0),
        _cell(0.7, 1.0, 1.0),
        _cell(0.7, 0.0, 0.0, bias=0.6),
        _cell(0.7, 0.0, 1.5),
    ),
    session=rejected,
    columns=(
        Column("latent %", "latent", "true", 3, 7, _have_one_noise),
        Column("kappa %", "kappa", "true", 3, 7, _have_one_noise),
        Column("share %", "share", "true", 3, 7),
        Column("kernel %", "kernel", "true", 3, 7),
        Column("share refused %", "share", "missing"),
    ),
    outside=(),
    n_sessions=1000,
)
