"""Efficiency: templates of known efficiency, the ideal's closed form, a human observer.

Also what stands beside it: the efficiency that a kernel implies, the linear share of
the decision, and lapses.
"""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

import yoked
from yoked.analysis.double_pass.internal_noise import (
    internal_noise_likelihood,
    pair_counts,
    r_from_gamma,
)
from yoked.analysis.double_pass.lapses import lapse_rate
from yoked.analysis.kernels.linear_share import linear_share, shares_of_trials
from yoked.analysis.sensitivity.efficiency import (
    absolute_efficiency,
    kernel_efficiency,
    predicted_efficiency,
)
from yoked.analysis.sensitivity.ideal import ideal_dprime, signal_difference
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.estimate import Estimate
from yoked.analysis.trials.responses import responses
from yoked.analysis.trials.score import (
    STILL,
    decision_noise_sd,
    score,
    why_not_white,
)
from yoked.experiments.imports.murray2015 import import_murray2015
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.results import load_session
from yoked.experiments.stimulus.sources import StoredNoise

from ..observers.linear import Linear, linear_responses, run, session, unit
from ..observers.nonlinear import Quadratic

N = 13
BUMP = unit(np.exp(-((np.arange(N) - 6) ** 2) / 4))


def at_75(observer):
    """Return the signal at which a linear observer is 75 % correct in 2AFC."""
    return ndtri(0.75) * math.sqrt(2) * observer.sd_decision


def simulated(name, contrast, n=4000, seed=3, efficiency=0.5, **options):
    protocol = load_protocol(name)
    observer = yoked.load_observer("template", efficiency=efficiency)
    return yoked.run(
        protocol, observer, seed=seed, trials=n, contrast=contrast, **options
    )


def test_the_ideal_reads_the_quantised_signal_in_the_quantised_noise():
    protocol = load_protocol("bar-in-noise")
    # 29 levels in noise of 12.7 levels; rounding adds a twelfth to its variance.
    assert ideal_dprime(protocol, 0.227) == pytest.approx(
        29 / math.hypot(12.7, 12**-0.5), rel=1e-3
    )
    assert ideal_dprime(protocol, 0.225) == ideal_dprime(protocol, 0.231)
    assert ideal_dprime(protocol, 0.003) == 0


def test_two_signals_of_opposite_sign_are_twice_as_far_apart():
    difference = signal_difference(load_protocol("bar-polarity"), 20 / 127)
    assert difference.ravel()[6] == pytest.approx(40 / 127)
    exact = signal_difference(load_protocol("bar-polarity"), 0.16, is_quantised=False)
    assert exact.ravel()[6] == pytest.approx(0.32)


@pytest.mark.parametrize(
    ("name", "contrast"),
    [("bar-in-noise", 0.227), ("bar-polarity", 0.16), ("gabor-in-noise", 0.087)],
)
def test_a_template_of_half_efficiency_has_half_efficiency(name, contrast):
    found = absolute_efficiency(simulated(name, contrast)).pooled
    assert abs(found.value - 0.5) < 4 * found.se
    assert found.se < 0.04


def test_internal_noise_divides_efficiency_by_one_plus_gamma_squared():
    made = simulated("bar-in-noise", 0.227, efficiency=1.0, internal_noise=1.0)
    found = absolute_efficiency(made).pooled
    assert abs(found.value - 0.5) < 4 * found.se


def test_efficiency_by_contrast_is_that_of_d_prime():
    found = absolute_efficiency(simulated("bar-in-noise", 0.227, n=600))
    (only,) = found.by_contrast
    assert only.efficiency.value == pytest.approx(
        (only.dprime.value / only.ideal_dprime) ** 2
    )
    assert only.efficiency.low == (only.dprime.low / only.ideal_dprime) ** 2
    assert only.efficiency.value == pytest.approx(found.pooled.value)
    json.dumps(found.to_dict(), allow_nan=False)


def test_contrasts_without_errors_do_not_draw_the_pooled_efficiency_down():
    # At the second contrast the observer never errs: d' there rests on the correction.
    parts = [
        simulated("bar-in-noise", c, n=2000, efficiency=1.0) for c in (0.227, 0.56)
    ]
    easy = parts[1].trials.assign(trial=lambda t: t["trial"] + 10_000)
    easy["repeats"] += 10_000
    trials = pd.concat([parts[0].trials, easy], ignore_index=True)
    both = absolute_efficiency(replace(parts[0], trials=trials))
    assert both.by_contrast[1].efficiency.value < 0.8
    assert abs(both.pooled.value - 1) < 4 * both.pooled.se


def test_an_observer_below_chance_has_no_efficiency():
    made = simulated("bar-in-noise", 0.227, n=400)
    turned = made.trials.assign(response=1 - made.trials["response"])
    found = absolute_efficiency(replace(made, trials=turned)).pooled
    assert (found.value, found.low, found.se) == (0, 0, None)


def test_what_has_no_ideal_observer_says_why():
    made = simulated("bar-in-noise", 0.227, n=200)
    none = made.trials.assign(contrast=0.0)
    assert (
        "show the same" in absolute_efficiency(replace(made, trials=none)).pooled.note
    )
    binary = replace(made.protocol, noise=replace(made.protocol.noise, kind="binary"))
    found = absolute_efficiency(replace(made, protocol=binary)).pooled
    assert "one element can prove the signal" in found.note
    empty = replace(made, trials=made.trials.assign(valid=False))
    assert absolute_efficiency(empty).pooled.note == "no trial counts"
    weak = absolute_efficiency(replace(made, trials=made.trials.assign(contrast=0.003)))
    assert weak.pooled.value is None
    assert "less than half a level" in weak.by_contrast[0].efficiency.note
    with pytest.raises(
        ValueError, match="gaussian noise of source yoked-1, got binary"
    ):
        ideal_dprime(binary, 0.2)


def test_stored_noise_of_another_grid_has_no_ideal_and_white_noise_has_one():
    observer = Linear(np.ones(1))
    table, source = run(observer, "2afc", 200, 0.1, 1)
    found = absolute_efficiency(session(table, source)).pooled
    assert "the noise has the grid (1, 1, 1)" in found.note
    observer = Linear(np.eye(N)[6], gamma=1.0)
    table, source = run(observer, "2afc", 4000, 0.2, 2)
    table["contrast"] = 0.2
    found = absolute_efficiency(session(table, source)).pooled
    assert abs(found.value - 0.5) < 4 * found.se
    smooth = StoredNoise(source.fields + np.roll(source.fields, 1, -1))
    found = absolute_efficiency(session(table, smooth)).pooled
    assert "the noise must be white, neighbours correlate" in found.note


def test_the_score_is_a_kernel_in_decision_sds():
    observer = Linear(BUMP, gamma=1.0, criterion=0.05)
    for task in ("2afc", "yes_no"):
        made, source = linear_responses(observer, task, 20_000, [0.05, 0.2], 5)
        found = score(TrialDesign.of(made, source))
        error = (found.kernel - BUMP / math.sqrt(2)) / found.se
        assert np.abs(error).max() < 4
        assert np.mean(error**2) == pytest.approx(1, abs=4 * math.sqrt(2 / N))


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_the_linear_share_of_a_linear_observer_is_all_that_is_consistent(task, gamma):
    observer = Linear(BUMP, gamma=gamma)
    made, source = linear_responses(observer, task, 6000, 0.1, 6, n_pairs=2000)
    r = internal_noise_likelihood(pair_counts(made, by_contrast=True)).r
    found = shares_of_trials(TrialDesign.of(made, source), r)
    assert abs(found.linear.value - r_from_gamma(gamma)) < 4 * found.linear.se
    assert found.nonlinear.low < 0.02
    assert found.nonlinear.high > -0.02
    if gamma:
        assert found.gamma.low < gamma < found.gamma.high


def test_what_is_consistent_and_not_linear_is_found():
    # Linear, quadratic and internal variance are 1, .64 and 1.
    observer = Quadratic(BUMP, gamma=1.0, filters=np.eye(N)[[0, 12]], strength=0.4)
    table, source = run(observer, "2afc", 12_000, 0.15, 7, n_pairs=4000)
    found = linear_share(session(table, source))
    assert abs(found.linear.value - 1 / 2.64) < 4 * found.linear.se
    # The quadratic part is not normal, so r is not exactly its share of variance.
    assert abs(found.nonlinear.value - 0.64 / 2.64) < 4 * found.nonlinear.se + 0.02
    assert found.nonlinear.low > 0.1


def test_the_linear_share_is_not_biased_and_its_interval_covers():
    observer, n_runs = Linear(BUMP, gamma=1.0), 40
    share, covered, rest = [], [], []
    for seed in range(n_runs):
        made, source = linear_responses(
            observer, "2afc", 600, at_75(observer), seed, n_pairs=200
        )
        table = made.table.assign(excluded=False, valid=True, block_kind="main")
        found = linear_share(session(table, source))
        share.append(found.linear.value)
        covered.append(found.linear.low < 0.5 < found.linear.high)
        rest.append(found.nonlinear.low < 0 < found.nonlinear.high)
    assert np.mean(share) == pytest.approx(0.5, abs=4 * np.std(share) / n_runs**0.5)
    for one in (covered, rest):
        assert np.mean(one) > 0.95 - 4 * math.sqrt(0.05 * 0.95 / n_runs)


def test_an_observer_that_ignores_the_noise_has_no_linear_share():
    guesser = Linear(BUMP, gamma=1e3)
    made, source = linear_responses(guesser, "2afc", 1000, 0.1, 8)
    found = shares_of_trials(
        TrialDesign.of(made, source), Estimate.missing("r/1", "none")
    )
    assert found.linear.low < 0 < found.linear.high
    assert found.nonlinear.note == "none"
    if found.linear.value <= 0:
        assert "sampling noise" in found.gamma.note


def test_noise_that_is_not_white_has_no_linear_share():
    made, source = linear_responses(Linear(BUMP), "2afc", 500, 0.1, 9)
    trials = TrialDesign.of(made, source)
    assert why_not_white(trials) is None
    assert decision_noise_sd(trials) == pytest.approx(0.1 * math.sqrt(2), rel=0.02)
    louder = replace(trials, halves=trials.halves * np.linspace(1, 2, N, dtype="f4"))
    reason = "the noise must have one SD in all elements"
    assert (
        shares_of_trials(louder, Estimate.missing("r/1", "none")).linear.note == reason
    )
    silent = replace(trials, halves=trials.halves * np.float32(0))
    assert why_not_white(silent) == STILL


def test_one_response_everywhere_has_no_score():
    made, source = linear_responses(Linear(BUMP), "2afc", 50, 0.1, 9)
    trials = TrialDesign.of(made, source)
    with pytest.raises(ValueError, match="responses must be given in both kinds"):
        score(replace(trials, response=np.ones(50, bool)))


@pytest.mark.parametrize("name", ["bar-in-noise", "bar-polarity"])
def test_the_kernel_of_a_linear_observer_implies_its_efficiency(name):
    # methods.md 4.8: Murray 2005, eq 5.
    contrast = {"bar-in-noise": 0.227, "bar-polarity": 0.16}[name]
    found = kernel_efficiency(simulated(name, contrast, n=8000, internal_noise=1.0))
    assert abs(found.predicted.value - 0.25) < 4 * found.predicted.se
    assert abs(found.actual.value - 0.25) < 4 * found.actual.se
    assert found.ratio.low < 1 < found.ratio.high
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_kernel_of_one_contrast_is_murrays_formula():
    observer = Linear(BUMP, gamma=1.0)
    made, source = linear_responses(observer, "2afc", 3000, at_75(observer), 10)
    trials = TrialDesign.of(made, source)
    signed = np.where(trials.target == 1, 1.0, -1.0)
    own, correct = trials.noise * signed[:, None], made.correct
    kernel = own[correct].mean(0) - own[~correct].mean(0)
    pc, n, sd = correct.mean(), len(made), decision_noise_sd(trials)
    variance = sd**2 / (n * pc * (1 - pc))
    density = math.exp(-(ndtri(pc) ** 2) / 2) / math.sqrt(2 * math.pi)
    snr = (kernel @ BUMP) ** 2 / variance - 1
    printed = snr * pc * (1 - pc) / (n * density**2)
    found, _ = predicted_efficiency(trials, 3 * BUMP)
    assert found.value == pytest.approx(printed, rel=0.01)


def test_no_efficiency_means_no_ratio():
    made = simulated("bar-in-noise", 0.227, n=300)
    none = replace(made, trials=made.trials.assign(contrast=0.0))
    assert "show the same" in kernel_efficiency(none).ratio.note
    trials = TrialDesign.of(responses(made), made.noise)
    with pytest.raises(ValueError, match="template must differ from 0 somewhere"):
        predicted_efficiency(trials, np.zeros(N))


@pytest.fixture(scope="module")
def murray(shared_data, tmp_path_factory):
    path = shared_data("murray2015/experiment1_subject01.txt")
    db_path = tmp_path_factory.mktemp("murray2015") / "results.db"
    return load_session(db_path, import_murray2015(path, db_path))


def test_a_published_observer_is_as_efficient_as_its_kernel(murray):
    # An independent analysis found .403 and .416, ratio .97, from the contrasts with
    # most trials; contrasts at which errors are lapses say less of efficiency.
    trials = murray.trials
    middle = trials.loc[trials["contrast"].between(0.023, 0.07)]
    found = kernel_efficiency(replace(murray, trials=middle))
    assert found.actual.value == pytest.approx(0.403, abs=0.01)
    assert found.predicted.value == pytest.approx(0.416, abs=0.01)
    assert found.ratio.value == pytest.approx(0.97, abs=0.02)
    assert "among linear observers" in found.actual.note


def test_most_of_a_published_observers_consistency_is_linear(murray):
    # An independent analysis found alpha^2 .47, r about .64: some 70 % is linear.
    found = linear_share(murray)
    assert found.linear.value == pytest.approx(0.47, abs=0.03)
    assert found.linear.value / found.consistent.value == pytest.approx(0.75, abs=0.08)
    assert found.nonlinear.low > 0


def test_errors_on_catch_trials_are_lapses():
    made = yoked.run(
        load_protocol("bar-in-noise"), yoked.load_observer("template"), seed=1
    )
    found = lapse_rate(made)
    assert (found.value, found.low, found.n) == (0, 0, 12)
    assert 0.3 < found.high < 0.6  # two thirds of what is not excluded are guesses
    catch = made.trials.index[made.trials["block_kind"] == "catch"]
    trials = made.trials.copy()
    trials.loc[catch[:3], "response"] = 1 - trials.loc[catch[:3], "target"]
    trials.loc[catch[3], "response"] = None
    found = lapse_rate(replace(made, trials=trials))
    assert found.value == pytest.approx(2 * 3 / 11)
    assert found.note == "1 catch trials had no response"


def test_without_catch_trials_the_lapse_rate_says_so():
    made = simulated("bar-in-noise", 0.227, n=100)
    main = made.trials.loc[made.trials["block_kind"] == "main"]
    found = lapse_rate(replace(made, trials=main))
    assert found.note == "no catch trial was answered"


def test_in_noise_on_a_basis_a_template_has_the_efficiency_of_its_dprime():
    from yoked.experiments.protocols.basis_facts import basis_facts

    protocol = yoked.load_protocol("orientation-noise")
    facts = basis_facts(protocol)
    shown = protocol.contrast.values[0]
    assert ideal_dprime(protocol, shown) == pytest.approx(facts.ideal_dprime)
