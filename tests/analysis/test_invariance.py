"""Names, ids and the order of rows change no result: methods.md 6.7."""

from dataclasses import asdict, is_dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoked.analysis.agreement.group import group
from yoked.analysis.agreement.kappa import compare_kappa
from yoked.analysis.agreement.kernels import similarity
from yoked.analysis.agreement.latent import latent_agreement
from yoked.analysis.agreement.responses import response_agreement
from yoked.analysis.kernels.linear_share import linear_share
from yoked.analysis.sensitivity.efficiency import absolute_efficiency, kernel_efficiency
from yoked.analysis.sessions.kernel import kernel
from yoked.analysis.sessions.summary import summarise

from .observers.linear import Linear, run, session, unit

N = 13
TEMPLATES = [unit(np.exp(-((np.arange(N) - c) ** 2) / 4)) for c in (5, 6, 8)]
LABELS = ("session", "observer", "reference", "other", "observers", "sessions")
LABELS += ("reference_observer", "other_observer")
names = st.lists(
    st.sampled_from(["p1", "p2", "p10", "P2", "ann", "zoe", "10", "2"]),
    min_size=3,
    max_size=3,
    unique=True,
)


def tables():
    """Return the trials of three observers on one set of stimuli, and the noise."""
    table, source = run(Linear(TEMPLATES[0]), "2afc", 400, [0.1, 0.2], 1, n_pairs=120)
    table["contrast"] /= 10
    shown = source.fields[table["stimulus_id"].to_numpy()][:, :, 0, 0]
    is_target = table["target"].to_numpy()[:, None] == np.arange(2)
    added = np.where(is_target, table["contrast"].to_numpy()[:, None], 0)
    rng = np.random.default_rng(2)
    observers = [Linear(template) for template in TEMPLATES]
    chosen = [o.choose(o.decision_variables(shown, added, rng)) for o in observers]
    return [table.assign(response=one) for one in chosen], source


TABLES, SOURCE = tables()


def sessions(ids, observers, row_seed=None):
    """Return the three sessions under these names, rows shuffled by a seed."""
    made = []
    for k, table in enumerate(TABLES):
        rows = (
            table if row_seed is None else table.sample(frac=1, random_state=row_seed)
        )
        yoked_to = None if k == 0 else ids[0]
        made.append(
            session(rows, SOURCE, id=ids[k], observer=observers[k], yoked_to=yoked_to)
        )
    return made


PLAIN = sessions(["a", "b", "c"], ["o1", "o2", "o3"])


def numbers(result):
    """Return a result as nested lists of numbers and notes, without its labels."""
    if is_dataclass(result):
        result = {k: getattr(result, k) for k in asdict(result)}
    if isinstance(result, dict):
        kept = {k: v for k, v in result.items() if k not in LABELS}
        return {k: numbers(v) for k, v in kept.items()}
    if isinstance(result, np.ndarray):
        return result.ravel().tolist()
    return [numbers(v) for v in result] if isinstance(result, tuple) else result


def same(one, other):
    """Assert that two results agree in all but their labels."""
    one, other = numbers(one), numbers(other)
    assert flat(one) == pytest.approx(flat(other), rel=1e-7, abs=1e-9, nan_ok=False)


def flat(value):
    """Return the leaves of nested lists and dictionaries, in order, numbers only."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [leaf for one in value for leaf in flat(one)]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return [float(value)] if is_number else []


@pytest.mark.parametrize(
    "measure",
    [
        summarise,
        partial(kernel, method="weighted_sum"),
        absolute_efficiency,
        kernel_efficiency,
        linear_share,
    ],
)
def test_one_session_is_the_same_under_other_names_and_row_orders(measure):
    plain = measure(PLAIN[0])
    assert len(flat(numbers(plain))) > 5
    for ids, row_seed in ((["p10", "p2", "p1"], 3), (["z", "y", "x"], 4)):
        same(plain, measure(sessions(ids, ids, row_seed)[0]))


@pytest.mark.parametrize(
    "measure",
    [
        response_agreement,
        compare_kappa,
        latent_agreement,
        similarity,
        lambda a, b: similarity(a, b, order=2),
    ],
)
def test_two_sessions_compare_alike_under_other_names_and_row_orders(measure):
    plain = measure(*PLAIN[:2])
    assert len(flat(numbers(plain))) > 5
    for ids, row_seed in ((["p10", "p2", "p1"], 3), (["z", "y", "x"], 4)):
        same(plain, measure(*sessions(ids, ids, row_seed)[:2]))


@given(names, names, st.permutations(range(3)), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_a_group_is_the_same_under_other_names_ids_and_orders(
    ids, observers, order, row_seed
):
    made = sessions(ids, observers, row_seed)
    plain, found = group(PLAIN), group([made[i] for i in order])
    same(plain.dprime, found.dprime)
    for name in ("kernel", "se", "between_sd"):
        a, b = (getattr(one.kernel, name) for one in (plain, found))
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)
    same(plain.kernel.lower_ceiling, found.kernel.lower_ceiling)
    same(plain.kernel.upper_ceiling, found.kernel.upper_ceiling)
    for old, new in zip(("o1", "o2", "o3"), observers, strict=True):
        mine, theirs = plain.kernel.of(old), found.kernel.of(new)
        np.testing.assert_allclose(mine.kernel, theirs.kernel, rtol=1e-6, atol=1e-9)
        dprimes = dict(zip(found.observers, found.dprime_by_observer, strict=True))
        before = dict(zip(plain.observers, plain.dprime_by_observer, strict=True))
        same(before[old], dprimes[new])
