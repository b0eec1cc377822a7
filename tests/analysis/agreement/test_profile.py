"""The depth profile: alike where two observers are alike, and nowhere else."""

import json

import numpy as np
import pytest

from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.agreement.profile import depth_profile

TEMPLATE = unit([0, 1, 2, 1, 0, 0, 0])
OTHER = unit([0, 0, 0, 0, 1, 2, 1])


class Own:
    """An observer whose internal noise has a seed of its own."""

    def __init__(self, observer):
        self.observer = observer
        self.template, self.sd = observer.template, observer.sd

    def decision_variables(self, noise, signal, rng):
        own = np.random.default_rng(99)
        return self.observer.decision_variables(noise, signal, own)

    def choose(self, decision_variables):
        return self.observer.choose(decision_variables)


def pair(template, gamma=0.7, n=3000):
    """Return a reference and an observer that is yoked to it."""
    one = Linear(TEMPLATE, gamma=1.0)
    two = Linear(template, gamma=gamma)
    ours, source = run(one, "2afc", n, 0.13, seed=5, n_pairs=n // 3)
    # The same seed draws the same trials; internal noise, which comes last, is another.
    theirs, _ = run(Own(two), "2afc", n, 0.13, seed=5, n_pairs=n // 3)
    assert np.array_equal(ours["target"], theirs["target"])
    return (
        session(ours, source, id="human-1", observer="ann"),
        session(theirs, source, id="model-1", observer="net", yoked_to="human-1"),
    )


@pytest.fixture(scope="module")
def linear():
    """Return the profile of two linear observers with one kernel."""
    return depth_profile(*pair(TEMPLATE))


def test_observers_with_one_kernel_agree_up_to_the_ceiling():
    profile = depth_profile(*pair(TEMPLATE, gamma=0.5))
    latent, kernel = profile.depths[:2]
    assert latent.share.low < 1 < latent.share.high
    assert latent.ceiling.value < 0.9
    assert kernel.share.value == pytest.approx(1, abs=0.05)
    assert kernel.correlation.value < kernel.ceiling.value + 0.02


def test_observers_with_orthogonal_kernels_do_not():
    profile = depth_profile(*pair(OTHER))
    kernel = profile.depths[1]
    assert profile.equal_kernels.p < 1e-6
    # Pearson's correlation of these two templates, their means taken off.
    truth = np.corrcoef(TEMPLATE, OTHER)[0, 1]
    assert kernel.share.low < truth < kernel.share.high


def test_linear_observers_have_no_second_order_to_compare(linear):
    second = linear.depths[2]
    assert second.share.value is None or second.share.low < 0 < second.share.high


def test_a_profile_can_be_written_as_json(linear):
    row = json.loads(json.dumps(linear.to_dict(), allow_nan=False))
    assert [depth["order"] for depth in row["depths"]] == [0, 1, 2]
    assert (row["reference_observer"], row["other_observer"]) == ("ann", "net")
    equal = row["equal_kernels"]
    assert equal["formula"] == "kernel-equality-multiplier/1"
    assert equal["n_shared"] > 0
    assert -1 < equal["found_cosine"]["value"] < 1


def test_without_shared_trials_only_responses_are_missing():
    human, model = pair(TEMPLATE, n=1500)
    trials = model.trials.assign(contrast=model.trials["contrast"] * 1.01)
    alone = session(trials, model.noise, id="model-2", observer="net")
    profile = depth_profile(human, alone)
    assert "must share a trial that counts in both" in profile.depths[0].share.note
    assert profile.depths[1].share.value is not None


def test_what_is_not_there_has_its_reason_in_the_profile_and_its_table():
    table, source = run(Linear(TEMPLATE, gamma=1.0), "2afc", 90, 0.13, seed=5)
    # Of 90 trials there is no course, and one response leaves no kernel to test.
    alike = table.assign(response=0)
    human, model = (
        session(one, source, id=name, observer=name)
        for one, name in ((table, "ann"), (alike, "net"))
    )
    profile = depth_profile(human, model)
    assert profile.equal_kernels is None
    assert profile.reference_constant is None
    assert "100" in profile.missing["reference_course"]
    assert profile.missing["other_course"]
    reason = profile.missing["equal_kernels"]
    assert reason == profile.to_dict()["missing"]["equal_kernels"]
    assert [row["differ (p)"] for row in profile.table()] == ["-", reason, "-"]
    assert not profile.faults


def test_other_stimuli_are_refused():
    human, _ = pair(TEMPLATE, n=1500)
    table, source = run(Linear(TEMPLATE), "yes_no", 200, 0.13, seed=5)
    other = session(table, source, "yes_no", id="model-3")
    with pytest.raises(ValueError, match="sessions must share their stimuli, got"):
        depth_profile(human, other)
