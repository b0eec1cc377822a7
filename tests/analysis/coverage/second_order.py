"""How often tests of kernels find something where nothing is: levels at 5 %."""

from collections.abc import Mapping

import numpy as np

from yoked.analysis.kernels.significance import kernel_test
from yoked.analysis.second_order import spectrum as spectrum_module
from yoked.analysis.second_order.spectrum import eigen_spectrum
from yoked.analysis.trials.design import TrialDesign

from .study import Column, Found, Parameters, Table

PERMUTATIONS = 39
BLOCK = 50  # trials

OBSERVERS = ("linear", "drift", "mixed contrasts", "noise ignored")
CELLS = tuple(
    {"observer": observer, "task": task, "eigenvalues": way}
    for observer in OBSERVERS
    for task in ("2afc", "yes_no")
    for way in ("formed", "Lanczos")
)


def session(cell: Parameters, rng: np.random.Generator) -> Mapping[str, Found]:
    """Simulate a linear observer of 30 elements, 600 trials, a fifth shown twice."""
    trials = _trials(cell, rng)
    seed = int(rng.integers(2**31))
    before = spectrum_module.MANY_ELEMENTS
    spectrum_module.MANY_ELEMENTS = 128 if cell["eigenvalues"] == "formed" else 1
    try:
        part = "keep" if cell["task"] == "2afc" else "remove"
        found = eigen_spectrum(trials, PERMUTATIONS, seed, linear_part=part)
    finally:
        spectrum_module.MANY_ELEMENTS = before
    kernel = None
    if cell["observer"] == "noise ignored":
        kernel = kernel_test(trials, PERMUTATIONS, seed).p_any <= 0.05
    return {"eigenvalue": found.p[0] <= 0.05, "kernel": kernel}


def _trials(cell: Parameters, rng: np.random.Generator) -> TrialDesign:
    n, n_pairs, p, sd = 600, 120, 30, 0.1
    field = np.concatenate([np.arange(n - n_pairs), np.arange(n_pairs)])
    is_2afc = cell["task"] == "2afc"
    noise = rng.normal(0, sd, (n - n_pairs, 2 if is_2afc else 1, p))
    template = np.exp(-np.square(np.arange(p) - 10) / 8)
    template /= np.linalg.norm(template)
    target = rng.permutation(np.arange(n - n_pairs) % 2)[field]
    several = cell["observer"] == "mixed contrasts"
    contrast = rng.permutation(np.arange(n - n_pairs) % 3)[field] if several else 0
    signal = (np.array([0.5, 1.4, 3.0]) if several else np.array([1.4]))[contrast] * sd
    weight = 0.0 if cell["observer"] == "noise ignored" else 1.0
    drive = weight * noise[field] @ template
    drive = drive + sd * rng.normal(size=drive.shape)
    if is_2afc:
        side = drive[:, 1] - drive[:, 0] + np.where(target == 1, signal, -signal)
    else:
        side = drive[:, 0] + np.where(target == 1, signal, 0) - signal / 2
    if cell["observer"] == "drift":
        side = side + sd * np.linspace(-1.5, 1.5, n)
    kind = 2 * (contrast + np.zeros(n, int)) + target
    block = np.arange(n) // BLOCK
    shown = noise[field].astype(np.float32)
    halves = np.zeros((2, n, p), np.float32)
    rows = np.arange(n)
    if is_2afc:
        sign = np.where(target == 1, 1, -1)[:, None]
        halves[0] = sign * shown[rows, target]
        halves[1] = -sign * shown[rows, 1 - target]
    else:
        halves[1 - target, rows] = shown[:, 0]
    return TrialDesign(
        response=side > 0,
        target=target,
        cell=kind,
        contrast=1.0 + contrast + np.zeros(n),
        cluster=field,
        stratum=np.unique(100 * block + kind, return_inverse=True)[1],
        halves=halves,
        shape=(1, 1, p),
        is_forced_choice=is_2afc,
    )


TABLE = Table(
    name="second-order",
    title="Tests of kernels where there is nothing to find",
    text=(
        "A linear observer of 30 elements, gamma 1, 600 trials of which 120 show noise "
        "again; drift: a criterion that wanders by 3 SD of the internal noise from "
        "first trial to last; mixed contrasts: three, of about 60, 75 and 95 % "
        "correct; noise ignored: responses depend on the signal only. Per cent of "
        "sessions in which the test of the largest eigenvalue, and that of any kernel "
        "at all, is significant at 5 %, with 39 permutations. Eigenvalues of formed "
        "kernels as up to 128 elements; by Lanczos as above. In yes/no the linear part "
        "is removed first."
    ),
    cells=CELLS,
    session=session,
    columns=(
        Column("eigenvalue, %", "eigenvalue", "true", 0.0, 7.0),
        Column("any kernel, %", "kernel", "true", 0.0, 7.0),
    ),
    n_sessions=300,
)
