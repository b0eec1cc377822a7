"""Tables of a task in which no response is correct: which of two voices is more X."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

import yoked
from tests.experiments.imports.agreement_by_hand import agree_by_hand
from yoked.analysis.agreement.latent import latent_agreement
from yoked.analysis.agreement.responses import response_agreement
from yoked.analysis.double_pass.internal_noise import internal_noise_closed_form
from yoked.analysis.double_pass.smooth_thresholds import consistent_share
from yoked.experiments.imports.table import import_table
from yoked.experiments.imports.table_settings import TableSettings

WEIGHTS = np.array([0, 0.2, 0.5, 1, 0.5, -0.3, -0.6])  # of the pitch of 7 segments
SD, N, PAIRS = 0.15, 900, 600
NAMES = [f"pitch_{k}_{segment}" for k in (0, 1) for segment in range(7)]


def voices(gamma=1.26, first=0.35, square=0.0, seed=1):
    """Return what somebody has: pitches of two voices, and which sounded more X."""
    rng = np.random.default_rng(seed)
    stimulus = np.concatenate([np.arange(N), np.arange(PAIRS)])
    pitch = rng.normal(0, SD, (N, 2, 7))
    seen = pitch @ WEIGHTS / np.linalg.norm(WEIGHTS) / SD
    seen = seen + square * ((pitch[:, :, 3] / SD) ** 2 - 1)
    wanted = (seen[:, 1] - seen[:, 0]) / np.sqrt(2)
    wanted = wanted[stimulus] + gamma * rng.normal(size=len(stimulus))
    table = pd.DataFrame(pitch[stimulus].reshape(-1, 14), columns=NAMES)
    again = pd.array([None] * N + list(range(PAIRS)), dtype="Int64")
    said = wanted > np.quantile(wanted, first)
    return table.assign(
        subject="ann", trial=range(len(table)), repeats=again, response=said.astype(int)
    )


def imported(table, folder, **options):
    path = folder / "voices.csv"
    table.to_csv(path, index=False)
    columns = {"observer": "subject"}
    how = TableSettings("2afc", noise_columns="pitch_", columns=columns, **options)
    db_path = folder / f"{len(list(folder.iterdir()))}.db"
    (made,) = import_table(path, db_path, how)
    return made, yoked.load_session(db_path, made.session)


@pytest.fixture(scope="module")
def table():
    return voices()


@pytest.fixture(scope="module")
def session(table, tmp_path_factory):
    return imported(table, tmp_path_factory.mktemp("voices"))[1]


@pytest.fixture(scope="module")
def linear(session):
    return yoked.depths(session, orders=2)


def test_kernel_agreement_and_gamma_are_those_by_hand(table, session):
    pitch = table[NAMES].astype(np.float32).to_numpy(np.float64)
    difference = pd.DataFrame(pitch[:, 7:] - pitch[:, :7])
    sign = np.where(table["response"] == 1, 1, -1)
    by_hand = 2 * difference.mul(sign, axis=0).mean()
    ours = yoked.kernel(session, method="weighted_sum")
    np.testing.assert_allclose(ours.kernel.ravel(), by_hand, rtol=1e-5)
    second = table[table["repeats"].notna()]
    first = table.set_index("trial").loc[second["repeats"].astype(int)]
    pairs = np.stack([first["response"].to_numpy(), second["response"].to_numpy()])
    share = (pairs[0] == pairs[1]).mean()
    assert yoked.agreement(session).value == pytest.approx(share, abs=1e-12)
    pooled = yoked.summarise(session).pooled
    chose_first = (pairs == 0).mean()
    assert pooled.chose_first.value == (table["response"] == 0).mean()
    assert pooled.pairs_chose_first.value == chose_first
    z = NormalDist().inv_cdf((2 * PAIRS * chose_first + 0.5) / (2 * PAIRS + 1))
    r = brentq(lambda r: agree_by_hand(z, r) - share, 0.01, 0.99)
    gamma = np.sqrt(1 / r - 1)
    assert pooled.internal_noise_pooled.gamma.value == pytest.approx(gamma, rel=1e-4)
    likely = pooled.internal_noise.gamma
    assert likely.value == pytest.approx(gamma, rel=0.05)
    assert likely.low < 1.26 < likely.high


@pytest.mark.parametrize(("agree", "gamma"), [(0.6600, 1.230), (0.6564, 1.260)])
def test_first_choices_of_35_percent_and_agreement_tell_gamma(agree, gamma):
    both_first, differ = 0.35 - (1 - agree) / 2, 1 - agree
    shares = np.array([[both_first, differ, agree - both_first]])
    found = internal_noise_closed_form(np.rint(1e6 * shares).astype(np.int64))
    assert found.gamma.value == pytest.approx(gamma, abs=0.001)
    assert agree_by_hand(NormalDist().inv_cdf(0.35), 1 / (1 + gamma**2)) == (
        pytest.approx(agree, abs=1e-4)
    )


def test_targets_drawn_at_random_change_nothing(table, session, tmp_path):
    rng = np.random.default_rng(7)
    drawn = rng.integers(0, 2, N)[np.r_[np.arange(N), np.arange(PAIRS)]]
    made, other = imported(table.assign(target=drawn), tmp_path, has_target=False)
    assert made.notes == ("columns that were not read: target",)
    assert other.protocol.stimulus_hash == session.protocol.stimulus_hash
    for method in ("weighted_sum", "fitted"):
        ours, theirs = (yoked.kernel(s, method=method) for s in (session, other))
        np.testing.assert_array_equal(ours.kernel, theirs.kernel)
    ours, theirs = (yoked.summarise(s).pooled for s in (session, other))
    assert ours.internal_noise == theirs.internal_noise
    assert ours.agreement == theirs.agreement


def test_targets_that_were_drawn_are_noticed_where_they_are_believed(tmp_path):
    table = voices(gamma=0.7)
    rng = np.random.default_rng(7)
    drawn = rng.integers(0, 2, N)[np.r_[np.arange(N), np.arange(PAIRS)]]
    made, believed = imported(table.assign(target=drawn), tmp_path)
    assert believed.protocol.task.has_target
    _, without = imported(table, tmp_path)
    ours, theirs = (
        yoked.kernel(each, method="weighted_sum").kernel.ravel()
        for each in (without, believed)
    )
    np.testing.assert_allclose(theirs, ours, atol=0.01 * np.abs(ours).max())
    shares = [consistent_share(each).r.value for each in (without, believed)]
    assert shares[1] == pytest.approx(shares[0], rel=0.01)
    (note,) = (note for note in made.notes if "--no-target" in note)
    assert "of the responses are right, as by chance, but 7" in note


def test_both_orders_of_a_known_observer_come_back_in_spite_of_the_bias(tmp_path):
    _, found = imported(voices(gamma=0.5, square=0.7, seed=3), tmp_path)
    depths = yoked.depths(found, orders=2)
    kernel = depths.one.fitted.kernel.ravel()
    assert np.corrcoef(kernel, WEIGHTS)[0, 1] > 0.95
    second = depths.two
    assert second.quadratic.gain.low > 0
    assert np.argmax(second.kernel.diagonal.ravel()) == 3
    assert second.spectrum.n_significant == 1
    assert depths.one.weighted_sum.formula == "kernel-2afc-chosen-less-rejected/1"
    assert set(depths.one.weighted_sum.n_per_class) == {"chose_first", "chose_second"}


def test_a_linear_observer_who_prefers_the_second_has_no_second_order(linear):
    second = linear.two
    assert second.quadratic.gain.low < 1e-3
    assert second.spectrum.p[0] > 0.05


def test_what_needs_a_correct_answer_is_absent_with_that_sentence(session, linear):
    depths = linear
    pooled = depths.summary.pooled
    for estimate in (pooled.dprime, pooled.criterion, pooled.proportion_correct):
        assert estimate.value is None
        assert estimate.note == "the task has no correct answer"
    for part in ("zero.course", "zero.lapses", "zero.learning"):
        assert depths.missing[part] == "the task has no correct answer"
    (row,) = depths.summary.table()
    assert "d'" not in row
    assert row["chose first"].startswith("0.35")
    with pytest.raises(ValueError, match=r"ann .*: the task has no correct answer"):
        yoked.plot.course(session)


def test_two_people_who_heard_the_same_voices_are_compared(session, tmp_path):
    """Bob listens as Ann does, with noise of his own and the other preference."""
    table = voices().assign(subject="bob")
    pitch = table[NAMES].to_numpy().reshape(-1, 2, 7) @ WEIGHTS
    wanted = pitch[:, 1] - pitch[:, 0]
    wanted += 0.7 * wanted.std() * np.random.default_rng(8).normal(size=len(wanted))
    said = (wanted > np.quantile(wanted, 0.6)).astype(int)
    _, bob = imported(table.assign(response=said), tmp_path)
    responses = response_agreement(session, bob)
    assert responses.n_shared == N + PAIRS
    assert responses.error_consistency.note == (
        "no response is correct: this is kappa of the choices"
    )
    latent = latent_agreement(session, bob)
    assert latent.disattenuated.low < 1 < latent.disattenuated.high
    assert latent.decision_variable.value == latent.correlation.value
    true = 1 / np.sqrt((1 + 1.26**2) * (1 + 0.7**2))
    assert latent.correlation.low < true < latent.correlation.high


def test_plots_name_what_there_is(session):
    pytest.importorskip("matplotlib")
    titles = [axis.get_title() for axis in yoked.plot.measures(session).axes]
    assert titles == ["chose first", "internal noise γ"]
    legend = yoked.plot.kernels(session, method="fitted").legends[0]
    said = [text.get_text() for text in legend.get_texts()]
    assert said[-2:] == ["first alternative", "second alternative"]


def test_it_is_said_how_a_table_without_targets_was_read(table, tmp_path):
    made, found = imported(table, tmp_path)
    assert made.notes[0].startswith("there is no column target: read as a task without")
    assert set(found.trials["contrast"]) == {0.0}
    assert found.trials["correct"].isna().all()
    one_sided = table[:N].assign(response=(np.arange(N) > 20).astype(int))
    made, _ = imported(one_sided, tmp_path)
    assert made.notes[-1] == (
        "98% of response are 1: are they coded as they should be?"
    )


def test_a_target_is_asked_for_where_something_speaks_of_one(table, tmp_path):
    asked = (
        "voices.csv must have a column target, got .*; where no response is correct, "
        "say --no-target, without --signal"
    )
    with pytest.raises(ValueError, match=asked):
        imported(table.assign(correct=1), tmp_path)
    with pytest.raises(ValueError, match=asked):
        imported(table, tmp_path, signal=np.eye(1, 7, 3))
    with pytest.raises(ValueError, match="signal must be left out where no response"):
        TableSettings("2afc", noise=SD, signal=np.eye(1), has_target=False)
