"""A session by condition: nothing pooled, differences, thresholds, equivalent noise."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

import yoked
from yoked.analysis.sessions.conditions import difference, ratio
from yoked.analysis.sessions.equivalent_noise import session_equivalent_noise
from yoked.analysis.trials.estimate import CannotTell, Estimate
from yoked.analysis.trials.responses import responses
from yoked.experiments.protocols.protocol import Protocol


def protocol_of(conditions, **parts):
    data = yoked.load_protocol("bar-in-noise").to_dict()
    data |= {"conditions": conditions, "blocks": [{"kind": "main", "n_trials": 600}]}
    data["contrast"] = {"values": [0.15]}
    data["double_pass"] = {"n_pairs": 0}
    return Protocol.from_dict({**data, **parts})


TWO = [{"name": "weak", "noise": {"sd": 0.08}}, {"name": "strong"},
       {"name": "none", "noise": {"sd": 0.0}}]  # fmt: skip


@pytest.fixture(scope="module")
def session():
    template = yoked.load_observer("template")
    return yoked.run(protocol_of(TWO), template, seed=4, internal_noise=0.5)


@pytest.fixture(scope="module")
def found(session):
    return yoked.conditions(yoked.by_condition(session))


def test_conditions_of_other_noise_are_never_pooled(session):
    for statistic in (yoked.summarise, yoked.dprime, responses):
        with pytest.raises(CannotTell, match="taken one by one, since they diff"):
            statistic(session)


def test_conditions_that_differ_in_contrast_alone_are_pooled_by_contrast():
    three = [{"name": f"c{c}", "contrast": {"values": [c]}} for c in (0.1, 0.15, 0.2)]
    session = yoked.run(protocol_of(three), yoked.load_observer("template"), seed=4)
    summary = yoked.summarise(session)
    assert [each.contrast for each in summary.by_contrast] == [0.1, 0.15, 0.2]
    # The draws are shared, and are no double pass.
    assert summary.n_pairs == 0
    assert len(set(session.counted["stimulus_id"])) == 200
    assert yoked.psychometric(session).threshold.value == pytest.approx(0.1, abs=0.03)


def test_each_condition_is_a_session_of_its_own(session):
    parts = yoked.by_condition(session)
    assert [part.id for part in parts.values()] == [
        f"{session.id}/{name}" for name in ("weak", "strong", "none")
    ]
    assert sum(len(part.counted) for part in parts.values()) == len(session.counted)
    assert yoked.summarise(parts["weak"]).n_counted == 200


def test_a_linear_observer_s_d_prime_falls_with_the_noise(found):
    weak, strong, none = found.conditions
    # Internal noise is half of the SD of the protocol's own noise, in all conditions.
    for each, sd in ((weak, 0.08), (strong, 0.1), (none, 0.0)):
        true = 0.15 / math.hypot(sd, 0.05)
        assert each.dprime.low < true < each.dprime.high
    weaker, silent = found.differences
    assert weaker.dprime.value == strong.dprime.value - weak.dprime.value
    assert silent.dprime.low > 0


def test_kernels_are_of_conditions_with_noise(session, found):
    weak, strong, none = found.conditions
    assert weak.kernel.ravel().argmax() == strong.kernel.ravel().argmax() == 6
    assert none.kernel is None
    assert none.missing["kernel"] == "condition none has no noise, and so no kernel"
    silent = yoked.by_condition(session)["none"]
    with pytest.raises(CannotTell, match="condition none has no noise"):
        yoked.kernel(silent)
    assert yoked.depths(silent, 1).summary.n_counted == 200


def test_kernels_of_other_noise_are_compared_draw_by_draw(found):
    weaker, silent = found.differences
    # 200 trials of either, of the same 200 draws at another SD.
    assert weaker.kernels.n_shared == 200
    assert weaker.kernels.p_shape > 0.01
    assert weaker.kernel_reference == "weak"
    assert silent.kernels is None
    assert silent.kernel_reference is None
    first, second, _ = found.table()
    assert first["p of one kernel"] == ""
    assert float(second["p of one shape"]) > 0.01


LOW_HIGH = [{"name": f"c{c}", "contrast": {"values": [c]}} for c in (0.05, 0.15)]


def test_kernels_are_compared_with_the_first_that_there_is():
    session = yoked.run(protocol_of(TWO[::-1]), yoked.load_observer("template"), seed=4)
    strong, weak = yoked.conditions(yoked.by_condition(session)).differences
    assert strong.kernels is None
    assert (weak.reference, weak.kernel_reference) == ("none", "strong")
    assert weak.kernels.n_shared == 200


def parts_of(seed, column=6):
    """Return the conditions of a template of one bar, which errs."""
    protocol = protocol_of(
        LOW_HIGH,
        blocks=[{"kind": "main", "n_trials": 800}],
        signal={"kind": "bar", "columns": [column, column]},
    )
    template = yoked.load_observer("template")
    return yoked.by_condition(
        yoked.run(
            protocol,
            template,
            seed=seed,
            observer_seed=1000 + seed,
            internal_noise=0.7,
        )
    )


def kernels_of(parts):
    (apart,) = yoked.conditions(parts).differences
    return apart.kernels


def test_kernels_of_one_template_differ_in_about_one_session_of_twenty():
    found = [kernels_of(parts_of(seed)) for seed in range(20)]
    assert {each.n_shared for each in found} == {400}
    # Of 20 sessions, 5 or more at 5 % have a chance of .3 %.
    assert sum(each.p < 0.05 for each in found) <= 4
    assert sum(each.p_shape < 0.05 for each in found) <= 4


def test_who_looks_elsewhere_in_another_condition_is_found():
    low, high = parts_of(seed=1)["c0.05"], parts_of(seed=1, column=8)["c0.15"]
    found = kernels_of({"low": low, "high": high})
    assert found.n_shared == 400
    assert found.p < 1e-6
    assert found.p_shape < 1e-6


def test_an_interval_without_end_says_what_closes_it():
    session = yoked.run(protocol_of(TWO), yoked.load_observer("template"), seed=4)
    *_, none = yoked.conditions(yoked.by_condition(session), kernels=False).table()
    assert "∞]" in none["d'"]
    assert "more trials close the interval" in none["note"]


def test_differences_have_intervals_that_cover():
    rng, covered = np.random.default_rng(3), 0
    for _ in range(500):
        a, b = rng.normal([1.0, 0.4], [0.2, 0.1])
        one = Estimate(a, 0.2, a - 0.392, a + 0.392, 100, "x/1")
        other = Estimate(b, 0.1, b - 0.196, b + 0.196, 100, "x/1")
        apart = difference(one, other)
        covered += apart.low < 0.6 < apart.high
        assert apart.se == pytest.approx(math.hypot(0.2, 0.1))
    assert covered / 500 == pytest.approx(0.95, abs=0.03)


def test_a_ratio_is_the_difference_of_logarithms():
    one = Estimate(0.2, 0.02, 0.16, 0.25, 100, "x/1")
    other = Estimate(0.1, 0.01, 0.08, 0.125, 100, "x/1")
    found = ratio(one, other)
    assert found.value == pytest.approx(2)
    assert found.low == pytest.approx(2 / math.exp(math.sqrt(2) * math.log(1.25)))
    assert found.high == pytest.approx(2 * math.exp(math.sqrt(2) * math.log(1.25)))
    far = Estimate(0.2, None, 0.1, 1e306, 100, "x/1")
    assert ratio(far, other).high == math.inf
    gone = Estimate.missing("x/1", "no trials", 0)
    assert ratio(gone, other).note == difference(one, gone).note == "no trials"


def test_a_session_without_conditions_says_so():
    protocol = yoked.load_protocol("bar-in-noise").with_options(50, 0.2)
    plain = yoked.run(protocol, yoked.load_observer("guesser"), seed=1)
    with pytest.raises(ValueError, match="must have a protocol with conditions, got"):
        yoked.by_condition(plain)
    with pytest.raises(ValueError, match="conditions must be one or more, got none"):
        yoked.conditions({})


# Equivalent noise ---------------------------------------------------------------------

EQUIVALENT, GAIN = 0.1, 3.0
LEVELS = np.arange(2, 28) / 127


def simulated(rng, noise_sd, n=160):
    """Trials of a linear observer in 2AFC, by a staircase of this test's own."""
    at, rows = 12, []
    for trial in range(n):
        d = GAIN * LEVELS[at] / math.hypot(noise_sd, EQUIVALENT)
        target, right = trial % 2, rng.random() < ndtr(d / math.sqrt(2))
        rows.append((trial, target, target if right else 1 - target, LEVELS[at]))
        at = min(max(at - 1 if right else at + 3, 0), len(LEVELS) - 1)
    table = pd.DataFrame(rows, columns=["trial", "target", "response", "contrast"])
    return table.assign(
        block_kind="main", valid=True, excluded=False, repeats=pd.NA, block=0,
        response=table["response"].astype("Int64"), condition="x", stimulus_id=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def parts():
    protocol = yoked.load_protocol("equivalent-noise").with_options(50)
    return yoked.by_condition(
        yoked.run(protocol, yoked.load_observer("guesser"), seed=1)
    )


def recovered(parts, rng, n):
    return session_equivalent_noise(
        {
            name: replace(part, trials=simulated(rng, part.protocol.noise.sd, n))
            for name, part in parts.items()
        }
    )


def test_equivalent_noise_of_a_linear_observer_is_recovered(parts):
    found = recovered(parts, np.random.default_rng(1), 1500)
    assert found.model.noise_sd.value == pytest.approx(EQUIVALENT, rel=0.2)
    assert found.model.gain.value == pytest.approx(GAIN, rel=0.1)
    norm = math.sqrt(found.model.gain.value**2 / found.model.efficiency.value)
    template = yoked.load_protocol("equivalent-noise")
    from yoked.experiments.protocols.signal import signal_template

    assert norm == pytest.approx(np.linalg.norm(signal_template(template)))
    assert list(found.noise_sd) == [0.0, 0.05, 0.1, 0.15, 0.18]


@pytest.mark.slow
def test_the_interval_of_equivalent_noise_covers_it(parts):
    rng, covered, n = np.random.default_rng(2), 0, 100
    for _ in range(n):
        model = recovered(parts, rng, 160).model
        covered += model.noise_sd.value is None or (
            model.noise_sd.low <= EQUIVALENT <= model.noise_sd.high
        )
    assert covered / n > 0.88


def test_other_signals_have_no_equivalent_noise_in_common(parts):
    one = next(iter(parts.values()))
    other = replace(one.protocol, signal=replace(one.protocol.signal, cycles=4.0))
    with pytest.raises(CannotTell, match="must have the same signal for equivalent no"):
        session_equivalent_noise({"a": one, "b": replace(one, protocol=other)})


def test_too_few_thresholds_are_named_with_their_reason(parts):
    two = dict(list(parts.items())[:2])
    with pytest.raises(CannotTell, match="those of three conditions or more, in tw"):
        session_equivalent_noise(two)
