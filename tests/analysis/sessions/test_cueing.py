"""Cueing: d' by validity as an independent simulation has it, kernels at a place."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import norm

import yoked
from yoked.analysis.sessions.cueing import cueing
from yoked.analysis.sessions.depths import depths
from yoked.analysis.trials.estimate import CannotTell
from yoked.app.commands.cueing import cueing as command
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import signal_levels, signal_template
from yoked.experiments.store.sqlite import open_store

CUED, OPEN = load_protocol("cued-detection"), load_protocol("position-unknown")
CONTRAST = 0.1


def ran(protocol, seed=1, trials=3000, **options):
    observer = yoked.load_observer("template", **options)
    return yoked.run(protocol, observer, seed=seed, trials=trials, contrast=CONTRAST)


def cued(**cue) -> Protocol:
    data = CUED.to_dict()
    data["cue"] |= cue
    return Protocol.from_dict(data)


@pytest.fixture(scope="module")
def session():
    return ran(CUED)


def simulated(prior, n=400_000):
    """Decide by Bayes' rule on numbers, no pixels: z of hits by validity, of alarms."""
    levels = signal_levels(CUED, CONTRAST)
    d = np.linalg.norm(levels) / (127 * CUED.noise.sd)
    rng, decisions = np.random.default_rng(5), []
    for at in (None, 0, 1):  # no signal; at the place cued; beside it
        seen = rng.standard_normal((n, 4))
        if at is not None:
            seen[:, at] += d
        decisions.append(np.log((prior * np.exp(d * seen - d**2 / 2)).sum(axis=1)))
    noise, valid, invalid = decisions
    middle = np.median(np.concatenate([noise] * 4 + [valid] * 3 + [invalid]))
    return [norm.ppf((each > middle).mean()) for each in (valid, invalid, noise)]


def test_dprime_by_validity_is_that_of_an_independent_simulation(session):
    valid, invalid, alarms = simulated(np.array([0.75, *[0.25 / 3] * 3]))
    found = cueing(session, kernels=False)
    for name, z in (("valid", valid), ("invalid", invalid)):
        estimate = found.of(name).dprime
        assert abs(estimate.value - (z - alarms)) < 3 * estimate.se
        hits = found.of(name).proportion_correct
        assert abs(hits.value - norm.cdf(z)) < 4 * hits.se
    (difference,) = found.differences
    assert difference.dprime.low < valid - invalid < difference.dprime.high
    assert difference.dprime.low > 0


def test_the_difference_is_that_of_both_values_and_narrower_than_of_independent(
    session,
):
    found = cueing(session, kernels=False)
    valid, invalid = (found.of(name).dprime for name in ("valid", "invalid"))
    (difference,) = found.differences
    assert difference.dprime.value == pytest.approx(valid.value - invalid.value)
    assert difference.dprime.se < np.hypot(valid.se, invalid.se)


def test_who_ignores_the_cue_is_as_good_without_it():
    found = cueing(ran(CUED, pool="max", trials=2000), kernels=False)
    (difference,) = found.differences
    assert difference.dprime.low < 0 < difference.dprime.high


def test_neutral_cues_lie_between_and_have_alarms_of_their_own():
    found = cueing(ran(cued(neutral=0.4)), kernels=False)
    valid, invalid, neutral = (
        found.of(name).dprime.value for name in ("valid", "invalid", "neutral")
    )
    assert invalid < neutral < valid
    names = [(each.cue, each.reference) for each in found.differences]
    assert names == [("valid", "invalid"), ("valid", "neutral"), ("neutral", "invalid")]


def test_the_kernel_at_the_signal_s_place_is_the_signal_as_far_as_the_cue_weighs_it(
    session,
):
    found = cueing(session)
    template = signal_template(CUED)[0]
    strength = {}
    for name in ("valid", "invalid"):
        one = found.of(name)
        for where, kernel, se in (
            ("here", one.kernel, one.kernel_se),
            ("elsewhere", one.kernel_elsewhere, one.kernel_elsewhere_se),
        ):
            z = (kernel[0] * template).sum() / np.sqrt(((se[0] * template) ** 2).sum())
            strength[name, where] = (kernel[0] * template).sum(), z
    assert strength["valid", "here"][1] > 15
    assert strength["valid", "here"][0] > 4 * strength["valid", "elsewhere"][0]
    assert strength["invalid", "elsewhere"][0] > strength["valid", "elsewhere"][0]


def test_without_a_cue_all_trials_are_one_kind_and_places_weigh_alike():
    found = cueing(ran(OPEN))
    (one,) = found.cues
    assert (one.cue, one.n_trials) == ("no cue", 3000)
    assert found.differences == ()
    template = signal_template(OPEN)[0]
    for kernel in (one.kernel[0], one.kernel_elsewhere[0]):
        cosine = (kernel * template).sum()
        assert cosine / np.linalg.norm(kernel) / np.linalg.norm(template) > 0.7


def test_two_classes_at_a_place_have_false_alarms_by_validity():
    data = CUED.to_dict()
    data["signal"]["gains"] = [-1.0, 1.0]
    session = ran(Protocol.from_dict(data), trials=1500)
    found = cueing(session, kernels=False)
    valid, invalid = (found.of(name) for name in ("valid", "invalid"))
    assert valid.dprime.n == valid.n_trials
    assert valid.n_trials + invalid.n_trials == 1500
    assert valid.proportion_correct.formula == "proportion-correct-wilson/2"


def test_the_analysis_of_a_session_has_it(session):
    found = depths(session, orders=0)
    assert found.zero.cueing.of("valid").dprime.value > 0
    (row,) = found.table()
    assert {"d', valid", "d', invalid"} <= set(row)
    assert "several places" in found.zero.efficiency.pooled.note
    plain = yoked.run(load_protocol("bar-in-noise"), yoked.load_observer("guesser"),
                      seed=1, trials=30)  # fmt: skip
    assert depths(plain, orders=0).zero.cueing is None


def test_a_session_without_places_is_refused_in_a_sentence():
    plain = yoked.run(
        load_protocol("bar-in-noise"), yoked.load_observer("guesser"), seed=1, trials=30
    )
    with pytest.raises(CannotTell, match="places must be in the protocol to compare"):
        cueing(plain)


def test_the_command_prints_validities_and_differences(tmp_path):
    path = tmp_path / "results.db"
    store = open_store(path)
    observer = yoked.load_observer("template")
    session = yoked.run(CUED, observer, store=store, seed=1, trials=200, contrast=0.1)
    store.close()
    result = CliRunner().invoke(command, [str(path), session.id])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert [each["cue"] for each in printed["cues"]] == ["valid", "invalid"]
    assert np.shape(printed["cues"][0]["kernel_elsewhere"]) == (1, 12, 12)
    result = CliRunner().invoke(command, [str(path), session.id, "--table"])
    assert "valid - invalid" in result.output
