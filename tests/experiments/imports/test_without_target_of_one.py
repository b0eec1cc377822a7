"""Tables of one stimulus a trial, or of several, of which no response is correct.

Was the face happy (yes/no), how happy was it (rating), which of four was the happiest?
What is expected is computed here from the table alone.
"""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

import yoked
from tests.experiments.imports.agreement_by_hand import agree_by_hand
from yoked.app.exports.wide_csv import write_wide
from yoked.experiments.imports.table import import_table
from yoked.experiments.imports.table_settings import TableSettings
from yoked.experiments.store.sqlite import open_store

WEIGHTS = np.array([0, 0.2, 0.5, 1, 0.5, -0.3, -0.6])  # of 7 features of a face
SD, N, PAIRS = 0.15, 900, 600
GAMMA, YES = 0.9, 0.35
NAMES = [f"feature_{k}" for k in range(7)]
ABSENT = "the task has no correct answer"


def faces(said, square=0.0, seed=1):
    """Return what somebody has: features of faces, and what was said of each.

    `said` turns what was felt, in SDs of what the noise makes felt, into responses.
    """
    rng = np.random.default_rng(seed)
    stimulus = np.concatenate([np.arange(N), np.arange(PAIRS)])
    features = rng.normal(0, SD, (N, 7))
    seen = features @ WEIGHTS / np.linalg.norm(WEIGHTS) / SD
    seen = seen + square * ((features[:, 3] / SD) ** 2 - 1)
    felt = seen[stimulus] + GAMMA * rng.normal(size=len(stimulus))
    table = pd.DataFrame(features[stimulus], columns=NAMES)
    again = pd.array([None] * N + list(range(PAIRS)), dtype="Int64")
    return table.assign(
        subject="ann", trial=range(len(table)), repeats=again, response=said(felt)
    )


def is_happy(felt):
    return (felt > np.quantile(felt, 1 - YES)).astype(int)


def how_happy(felt):
    return np.digitize(felt, [-2, -1, 0.3, 1.2, 2])  # 0 to 5


def imported(table, folder, task="yes_no", **options):
    path = folder / "faces.csv"
    table.to_csv(path, index=False)
    columns = {"observer": "subject"}
    how = TableSettings(task, noise_columns="feature_", columns=columns, **options)
    db_path = folder / f"{len(list(folder.iterdir()))}.db"
    (made,) = import_table(path, db_path, how)
    return made, yoked.load_session(db_path, made.session)


@pytest.fixture(scope="module")
def table():
    return faces(is_happy)


@pytest.fixture(scope="module")
def session(table, tmp_path_factory):
    return imported(table, tmp_path_factory.mktemp("faces"))[1]


@pytest.fixture(scope="module")
def linear(session):
    return yoked.depths(session, orders=2)


def means_by_hand(table, yes):
    features = table[NAMES].astype(np.float32).astype(np.float64)
    of_yes, of_no = features[yes], features[~yes]
    return of_yes.mean(), -of_no.mean()


def test_kernel_agreement_and_gamma_are_those_by_hand(table, session):
    yes = table["response"] == 1
    of_yes, of_no = means_by_hand(table, yes)
    ours = yoked.kernel(session, method="weighted_sum")
    np.testing.assert_allclose(ours.kernel.ravel(), of_yes + of_no, rtol=1e-5)
    np.testing.assert_allclose(ours.target_half.ravel(), of_yes, rtol=1e-5)
    np.testing.assert_allclose(ours.nontarget_half.ravel(), of_no, rtol=1e-5)
    assert ours.formula == "kernel-yes-no-said-yes-less-no/1"
    assert ours.n_per_class == {"said_no": (~yes).sum(), "said_yes": yes.sum()}
    second = table[table["repeats"].notna()]
    first = table.set_index("trial").loc[second["repeats"].astype(int)]
    pairs = np.stack([first["response"].to_numpy(), second["response"].to_numpy()])
    share = (pairs[0] == pairs[1]).mean()
    assert yoked.agreement(session).value == pytest.approx(share, abs=1e-12)
    pooled = yoked.summarise(session).pooled
    assert pooled.said_yes.value == yes.mean()
    assert pooled.pairs_said_yes.value == (pairs == 1).mean()
    z = NormalDist().inv_cdf(((pairs == 1).sum() + 0.5) / (2 * PAIRS + 1))
    r = brentq(lambda r: agree_by_hand(z, r) - share, 0.01, 0.99)
    gamma = np.sqrt(1 / r - 1)
    assert pooled.internal_noise_pooled.gamma.value == pytest.approx(gamma, rel=1e-4)
    likely = pooled.internal_noise.gamma
    assert likely.value == pytest.approx(gamma, rel=0.05)
    assert likely.low < GAMMA < likely.high


def test_the_second_order_kernel_is_the_difference_of_two_covariances(table, session):
    yes = (table["response"] == 1).to_numpy()
    features = table[NAMES].astype(np.float32).to_numpy(np.float64)
    by_hand = np.cov(features[yes].T) - np.cov(features[~yes].T)
    ours = yoked.kernel(session, order=2).kernel
    np.testing.assert_allclose(ours, by_hand, atol=1e-9)


def test_a_linear_observer_is_recovered_and_has_no_second_order(linear):
    fitted = linear.one.fitted
    truth = WEIGHTS / np.linalg.norm(WEIGHTS) / np.sqrt(1 + GAMMA**2)
    band = fitted.unshrunken.kernel
    assert np.all(band.low_all.ravel() <= truth)
    assert np.all(truth <= band.high_all.ravel())
    assert linear.one.linear_share.linear.low < 1 / (1 + GAMMA**2)
    assert linear.one.linear_share.linear.high > 1 / (1 + GAMMA**2)
    assert fitted.target_half is None
    assert fitted.nontarget_half is None
    assert fitted.unshrunken.halves is None
    assert linear.two.without_linear_part.p[0] > 0.05
    assert linear.two.quadratic.gain.low < 1e-3


def test_both_orders_of_a_known_observer_come_back_in_spite_of_the_bias(tmp_path):
    _, found = imported(faces(is_happy, square=0.7, seed=3), tmp_path)
    depths = yoked.depths(found, orders=2)
    assert np.corrcoef(depths.one.fitted.kernel.ravel(), WEIGHTS)[0, 1] > 0.95
    second = depths.two
    assert second.quadratic.gain.low > 0
    assert np.argmax(second.kernel.diagonal.ravel()) == 3
    assert second.spectrum.n_significant >= 1


def test_what_needs_a_correct_answer_is_absent_with_that_sentence(session, linear):
    pooled = linear.summary.pooled
    for estimate in (pooled.dprime, pooled.criterion, pooled.proportion_correct):
        assert (estimate.value, estimate.note) == (None, ABSENT)
    for part in ("course", "lapses", "learning", "roc", "psychometric"):
        assert linear.missing[f"zero.{part}"] == ABSENT
    assert linear.missing["two.consistency"] == ABSENT
    assert linear.missing["one.likelihood_ratios"] == ABSENT
    assert linear.zero.dprime_slope.slope.note == ABSENT
    assert not linear.faults
    (row,) = linear.summary.table()
    assert "d'" not in row
    assert row["said yes"].startswith("0.35")
    with pytest.raises(ValueError, match=f"ann .*: {ABSENT}"):
        yoked.plot.roc(session)


def test_the_keys_of_the_json_are_those_of_the_task(linear):
    keys = set(linear.parts()["pooled"].parts())
    assert {"said_yes", "pairs_said_yes"} <= keys
    assert not {"chose_first", "pairs_chose_first"} & keys


def test_two_observers_are_compared_at_three_depths(table, session, tmp_path):
    rng = np.random.default_rng(2)
    other = np.where(
        rng.random(len(table)) < 0.2, 1 - table["response"], table.response
    )
    _, theirs = imported(table.assign(response=other, subject="bob"), tmp_path)
    found = yoked.compare(session, theirs)
    rates = [(table.response == 1).mean(), (other == 1).mean()]
    same = (table.response == other).mean()
    by_chance = rates[0] * rates[1] + (1 - rates[0]) * (1 - rates[1])
    kappa = (same - by_chance) / (1 - by_chance)
    assert found.error_consistency.value == pytest.approx(kappa, abs=1e-12)
    assert found.kappa.ceiling.self_kappa.value == pytest.approx(
        self_kappa(rates[0], 1 / (1 + GAMMA**2)), abs=0.1
    )
    assert found.depth_profile.depths[1].correlation.value > 0.9
    assert found.depth_profile.reference_dprime.note == ABSENT
    assert not found.faults


def self_kappa(p, r):
    """Return kappa of two passes, of the agreement that r foretells."""
    agree = agree_by_hand(NormalDist().inv_cdf(p), r)
    by_chance = p**2 + (1 - p) ** 2
    return (agree - by_chance) / (1 - by_chance)


def test_plots_have_what_there_is(session):
    pytest.importorskip("matplotlib")
    titles = [axis.get_title() for axis in yoked.plot.measures(session).axes]
    assert titles == ["said yes", "internal noise γ"]
    assert len(yoked.plot.kernels(session, method="fitted").axes) == 1
    halves = yoked.plot.kernels(session, method="weighted_sum").axes[1]
    said = [text.get_text() for text in halves.get_legend().get_texts()]
    assert said == ["“yes”", "“no”, turned round"]


def test_a_scale_is_cut_in_the_middle(tmp_path):
    table = faces(how_happy)
    made, found = imported(table, tmp_path, "rating", n_alternatives=6)
    high = table["response"] >= 3
    kernel = yoked.kernel(found, method="weighted_sum").kernel.ravel()
    np.testing.assert_allclose(kernel, sum(means_by_hand(table, high)), rtol=1e-5)
    assert yoked.summarise(found).pooled.said_yes.value == high.mean()
    assert not any("coded" in note for note in made.notes)


def test_the_chosen_of_four_is_compared_with_the_rest(tmp_path):
    rng, m = np.random.default_rng(4), 4
    fields = rng.normal(0, SD, (N, m, 7))
    stimulus = np.r_[np.arange(N), np.arange(PAIRS)]
    seen = (fields @ WEIGHTS / np.linalg.norm(WEIGHTS) / SD)[stimulus]
    said = (seen + 0.5 * rng.normal(size=seen.shape)).argmax(axis=1)
    names = [f"feature_{k}_{i}" for k in range(m) for i in range(7)]
    table = pd.DataFrame(fields[stimulus].reshape(len(said), -1), columns=names)
    again = pd.array([None] * N + list(range(PAIRS)), dtype="Int64")
    table = table.assign(subject="ann", trial=range(len(said)), repeats=again)
    table = table.assign(response=said)
    _, found = imported(table, tmp_path, "mafc", n_alternatives=m)
    shown = fields[stimulus].astype(np.float32).astype(np.float64)
    chosen = shown[np.arange(len(said)), said]
    rest = (shown.sum(axis=1) - chosen) / (m - 1)
    difference = pd.DataFrame(2 * (chosen - rest))
    kernel = yoked.kernel(found, method="weighted_sum")
    np.testing.assert_allclose(kernel.kernel.ravel(), difference.mean(), rtol=1e-5)
    by_field = (difference - difference.mean()).groupby(stimulus).sum()
    se = np.sqrt((by_field**2).sum() * N / (N - 1)) / len(said)
    np.testing.assert_allclose(kernel.se.ravel(), se, rtol=1e-4)
    assert np.corrcoef(kernel.kernel.ravel(), WEIGHTS)[0, 1] > 0.99
    depths = yoked.depths(found, orders=1)
    assert depths.one.weighted_sum.formula == "kernel-mafc-chosen-less-rejected/1"
    assert depths.summary.pooled.chose_first.value == (said == 0).mean()
    rates = np.bincount(said) / len(said)
    turned = table.assign(response=(said + (np.arange(len(said)) % 3 == 0)) % m)
    _, other = imported(
        turned.assign(subject="bob"), tmp_path, "mafc", n_alternatives=m
    )
    theirs = np.bincount(turned["response"]) / len(said)
    by_chance = rates @ theirs
    kappa = ((turned["response"] == said).mean() - by_chance) / (1 - by_chance)
    ours = yoked.compare(found, other).error_consistency.value
    assert ours == pytest.approx(kappa, abs=1e-12)


def test_it_is_said_how_a_table_without_targets_was_read(table, tmp_path):
    made, found = imported(table, tmp_path)
    assert made.notes[0].startswith("there is no column target: read as a task without")
    assert len(made.notes) == 1
    assert set(found.trials["contrast"]) == {0.0}
    assert found.trials["correct"].isna().all()
    one_sided = table[:N].assign(response=(np.arange(N) > 20).astype(int))
    made, _ = imported(one_sided, tmp_path)
    assert made.notes[-1] == (
        "98% of response are 1: are they coded as they should be?"
    )
    one_sided = one_sided.assign(response=1)
    with pytest.raises(ValueError, match="each response must be given in a trial"):
        yoked.kernel(imported(one_sided, tmp_path)[1], method="weighted_sum")


def test_a_target_that_was_drawn_is_noticed_where_it_is_believed(table, tmp_path):
    rng = np.random.default_rng(7)
    drawn = rng.integers(0, 2, N)[np.r_[np.arange(N), np.arange(PAIRS)]]
    made, believed = imported(table.assign(target=drawn), tmp_path)
    assert believed.protocol.task.has_target
    assert any("--no-target" in note for note in made.notes)
    _, ours = imported(table.assign(target=drawn), tmp_path, has_target=False)
    assert not ours.protocol.task.has_target


def test_an_export_has_no_correct_key(table, tmp_path):
    made, _ = imported(table[:N], tmp_path)
    store = open_store(next(tmp_path.glob("*.db")))
    with (tmp_path / "wide.csv").open("w", encoding="utf-8") as file:
        write_wide(file, store, [store.session(made.session)])
    store.close()
    rows = pd.read_csv(tmp_path / "wide.csv")
    assert rows[["corrAns", "key_resp.corr"]].isna().all(axis=None)
