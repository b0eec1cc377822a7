"""Few elements among many in noise that is not normal: the share that they explain."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtri

from tests.analysis.observers.linear import session as session_of
from yoked.analysis.kernels.decision import decision_of
from yoked.analysis.kernels.linear_share import linear_share
from yoked.analysis.trials.held import Held
from yoked.experiments.stimulus.sources import StoredNoise

from .study import Column, Found, Interval, Outside, Parameters, Table

DESIGNS = (
    {"task": "yes_no", "counting": 2, "elements": 120, "trials": 800},
    {"task": "2afc", "counting": 1, "elements": 60, "trials": 500},
    {"task": "yes_no", "counting": 4, "elements": 60, "trials": 500},
)


def simulate(cell: Parameters, rng: np.random.Generator):
    """Return (table, noise) of a session in binary noise, 75 % correct about."""
    n, share, pairs = cell["trials"], cell["share"], cell.get("pairs", 0)
    n_intervals, n_fields = 2 if cell["task"] == "2afc" else 1, n - pairs
    shape = (n_fields, n_intervals, 1, 1, cell["elements"])
    noise = rng.choice(np.array([-0.5, 0.5], np.float32), shape)
    flat = noise[:, :, 0, 0, : cell["counting"]].sum(axis=2, dtype=float)
    v = flat[:, 1] - flat[:, 0] if n_intervals == 2 else flat[:, 0]
    v = v / np.sqrt(0.25 * n_intervals * cell["counting"])
    target = rng.permutation(np.arange(n_fields) % 2)
    v = np.sqrt(share) * v + ndtri(0.75) * (2 * target - 1)
    field = np.concatenate([np.arange(n_fields), np.arange(pairs)])
    yes = v[field] + np.sqrt(1 - share) * rng.standard_normal(n) > 0
    table = pd.DataFrame(
        {
            "trial": np.arange(n),
            "stimulus_id": field,
            "target": target[field],
            "response": yes.astype(int),
            "contrast": 1.0,
            "repeats": pd.array([pd.NA] * n_fields + list(range(pairs)), dtype="Int64"),
            "block_kind": "main",
            "valid": True,
            "excluded": False,
        }
    )
    return table, StoredNoise(noise)


def session(cell: Parameters, rng: np.random.Generator) -> Mapping[str, Found]:
    """Simulate and analyse one session of a cell."""
    held = Held.of(session_of(*simulate(cell, rng), cell["task"]))
    decision = decision_of(held.responses, held.design)
    shares = linear_share(held, decision)
    rest = shares.nonlinear
    found: dict[str, Found] = {
        "share": Interval.of(shares.linear, cell["share"]),
        "exact": decision.law.law == "exact",
    }
    if rest.low is not None and rest.high is not None:
        found["excludes"] = not rest.low <= 0 <= rest.high
    return found


GIVEN_FEW = Table(
    name="given-few",
    title="The share of few elements among many",
    text=(
        "Binary noise of more elements than a tenth of the trials, of which the "
        "observer weighs one to four alike, about 75 % correct; `pairs` of the trials "
        "are shown again. The linear share as printed, "
        "`linear-share-given-few/1` where the decision variable is not normal: mean "
        "over the truth, and how many intervals hold it. At .978 answers are certain "
        "at the noise's few levels, and the share is refused as it should be. With "
        "pairs and a share of .8 r - share excludes 0 too often: r by the exact law is "
        "about .83 there "
        "(.81 with the true law), in part since elements that are beyond 2.5 SE by "
        "chance are taken into the law."
    ),
    cells=(
        *({**one, "share": s} for one in DESIGNS for s in (0.3, 0.5, 0.8, 0.978)),
        *({**DESIGNS[0], "share": s, "pairs": 300} for s in (0.3, 0.5, 0.8)),
    ),
    session=session,
    first_session=10,
    columns=(
        Column("share", "share", "mean ratio", 0.95, 1.05),
        Column("held", "share", "held", 92),
        Column("refused %", "share", "missing"),
        Column("law is exact", "exact", "true"),
        Column("r − share excludes 0", "excludes", "true", None, 5),
    ),
    n_sessions=200,
    outside=(
        Outside(
            "r − share excludes 0",
            {"elements": 120, "share": 0.8, "pairs": 300},
            "r by the exact law is .03 too large, as said above: where elements are "
            "many and weights few, r - share off 0 is no sign of a second order",
        ),
    ),
)
