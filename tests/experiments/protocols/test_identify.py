"""The task identify: rules, what is shown, observers, and what the analysis says."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from tests import ROOT
from yoked.analysis.agreement.compare import compare
from yoked.analysis.kernels.by_response import response_kernels
from yoked.analysis.sensitivity.by_task import dprime
from yoked.analysis.sensitivity.confusion import confusion
from yoked.analysis.sensitivity.mafc import mafc_proportion_correct
from yoked.analysis.sessions.depths import depths
from yoked.analysis.trials.estimate import CannotTell
from yoked.app.planning.situation import situation
from yoked.app.web.page import task_parameters
from yoked.experiments.protocols.basis_facts import basis_facts
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import signal_levels, signal_template
from yoked.experiments.protocols.signal_facts import signal_facts
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.sources import noise_source
from yoked.experiments.store.sqlite import open_store
from yoked.models.registry import load
from yoked.models.simulate import run

BARS = [{"kind": "bar", "columns": [c, c]} for c in (2, 6, 10)]


def data_of(patterns=BARS, keys=("1", "2", "3"), name="bar-in-noise", **signal):
    data = load_protocol(name).to_dict()
    data["name"] = "identify"
    data["task"] = {"kind": "identify", "keys": list(keys)}
    data["signal"] = {"kind": "patterns", "patterns": patterns, **signal}
    data["blocks"] = [b for b in data["blocks"] if b["kind"] == "main"]
    data["contrast"] = {"values": [0.16]}
    return data


def bars(**signal):
    return Protocol.from_dict(data_of(**signal))


def tilts():
    """Three orientations, one near another, in noise of orientations."""
    angles = {0: 1.0, 2: 1.0, 6: 1.0}
    patterns = [
        {"kind": "gabor", "sigma": 6.0, "cycles": 2.5, "orientation_deg": 15.0 * k}
        for k in angles
    ]
    data = data_of(patterns, name="orientation-noise")
    data["contrast"] = {"values": [0.05]}
    return Protocol.from_dict(data)


@cache
def session(trials=6000, observer="template", contrast=0.16, **options):
    return run(bars().with_options(trials, contrast), load(observer), seed=1, **options)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (
            data_of(BARS[:2], gains=[-1, 1]),
            "signal.patterns must be three or more with task identify; a yes_no task "
            "tells two apart, got 2",
        ),
        (data_of(BARS[:2], ("1", "2")), "task.keys must be a list of three or more, o"),
        (data_of(keys="1234"), "task.keys must be 3, one for each pattern, got 4"),
        (data_of(gains=[-1, 1]), r"gains must be \[0, 1\] with three or more patterns"),
        (data_of([*BARS[:2], BARS[0]]), "signal.patterns must be patterns that differ"),
        (
            {**data_of(), "task": {"kind": "yes_no", "keys": ["1", "2"]}},
            "task.kind must be identify with three patterns or more, got 'yes_no'",
        ),
        (
            {**data_of(), "signal": {"kind": "bar"}},
            "signal.kind must be patterns with task identify, got 'bar'",
        ),
        (
            {
                **data_of(),
                "blocks": [
                    {"kind": "calibration", "n_trials": 60},
                    {"kind": "main", "n_trials": 60},
                ],
            },
            r"the number of alternatives must be two with a calibration block of QUEST",
        ),
    ],
)
def test_what_cannot_be_identified_is_one_sentence(data, rule):
    with pytest.raises(ProtocolError, match=rule):
        Protocol.from_dict({**data, "double_pass": {"n_pairs": 0}})


def test_the_mean_is_the_picture_and_each_differs_from_it_by_its_signal():
    protocol = bars(pedestal=0.2)
    table = {
        "stimulus_id": [0, 1, 2],
        "contrast": [0.16] * 3,
        "target": [0, 1, 2],
        "block_kind": ["main"] * 3,
    }
    source = noise_source("yoked-1", protocol, 3)
    high, wide = protocol.display.element_px
    frames = render(protocol, source, table).astype(int)[..., ::high, ::wide]
    shown = (frames - 128 - source.field(table, 0)[:, None]).reshape(3, 13)
    picture = np.zeros(13)
    picture[[2, 6, 10]] = round(127 * 0.2)
    templates = [signal_template(each).ravel() for each in protocol.variants]
    assert np.abs(templates).max() == 1
    assert np.abs(np.sum(templates, axis=0)).max() < 1e-8
    due = picture + np.rint(127 * 0.16 * np.stack(templates))
    assert (shown == due).all()


def test_patterns_keep_their_strengths_on_one_scale():
    patterns = [{**BARS[0], "weight": 0.5}, *BARS[1:]]
    templates = [signal_template(each) for each in bars(patterns=patterns).variants]
    far = templates[1] - templates[0], templates[2] - templates[1]
    assert far[1].max() == pytest.approx(2 * -far[0].min(), abs=1e-6)


def test_the_backends_are_equal_in_white_noise_and_on_a_basis():
    for protocol in (bars(), tilts()):
        table = {
            "stimulus_id": np.arange(12),
            "contrast": np.full(12, protocol.contrast.values[0]),
            "target": np.arange(12) % 3,
            "block_kind": np.full(12, "main", object),
        }
        source = noise_source(protocol.noise.generator, protocol, 5)
        frames = [render(protocol, source, table, b) for b in ("numba", "numpy")]
        assert (frames[0] == frames[1]).all()
        bare = render(protocol, source, {**table, "contrast": np.zeros(12)})
        own = (frames[0].astype(int) - bare)[:3]
        assert not (own[0] == own[1]).all()


def test_the_accuracy_of_the_template_is_that_of_a_monte_carlo():
    shown = [signal_levels(p, 0.16).ravel() for p in bars().variants]
    signals = np.stack(shown) / (127 * 0.1)
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((200_000, 13))
    target = rng.integers(0, 3, len(noise))
    logs = (noise + signals[target]) @ signals.T - (signals**2).sum(1) / 2
    due = (logs.argmax(1) == target).mean()
    found = session().counted["correct"].mean()
    assert found == pytest.approx(due, abs=4 * np.sqrt(due * (1 - due) / 6000))


def test_the_kernels_of_the_template_are_its_templates():
    found = response_kernels(session())
    weights = np.stack([signal_template(p) for p in bars().variants])
    for own, template in zip(found.kernel, weights, strict=True):
        cosine = (own * template).sum() / np.linalg.norm(own) / np.linalg.norm(template)
        assert cosine > 0.97
    assert np.abs(found.kernel.sum(0)).max() < 1e-12
    # By Stein's lemma: variance times the mean change of a response's probability.
    z = found.kernel / found.se
    outside = np.delete(z.reshape(3, 13), [2, 6, 10], axis=1)
    assert np.abs(outside).max() < 3.7
    assert outside.std() == pytest.approx(1, abs=0.35)


def test_two_showings_of_a_field_count_as_one():
    protocol = bars().with_options(1200, 0.1)
    made = run(protocol, load("template"), seed=4)
    n_pairs = made.trials["repeats"].notna().sum()
    assert n_pairs > 100
    nothing = made.trials.assign(repeats=pd.array([None] * len(made.trials), "Int64"))
    found, apart = (
        response_kernels(each) for each in (made, replace(made, trials=nothing))
    )
    assert np.abs(found.kernel - apart.kernel).max() < 1e-12
    # A pair is one trial of weight two: its variance is twice that of two trials.
    due = np.sqrt(1 + 2 * n_pairs / found.n_trials)
    assert (found.se / apart.se).mean() == pytest.approx(due, abs=0.02)


def test_the_confusion_matrix_counts_and_knows_no_bias():
    found = confusion(session())
    assert found.counts.sum() == 6000
    correct = np.trace(found.counts) / 6000
    assert correct == session().counted["correct"].mean()
    shares = [each.value for each in found.responded]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.03)
    wrong = found.counts[~np.eye(3, dtype=bool)] / 2000
    assert np.ptp(wrong) < 0.04  # all are equally far from each other


def test_dprime_of_patterns_equally_far_apart_is_that_of_mafc():
    found = dprime(session())
    levels = [signal_levels(p, 0.16).ravel() for p in bars().variants]
    due = np.linalg.norm(levels[0] - levels[1]) / np.sqrt(2) / (127 * 0.1)
    assert found.low < due < found.high
    ideal = signal_facts(bars().with_options(contrast=0.16)).ideal_dprime
    assert ideal / np.sqrt(2) == pytest.approx(due)
    p = mafc_proportion_correct(due, 3)
    assert session().counted["correct"].mean() == pytest.approx(p, abs=0.03)


def test_patterns_of_which_two_are_alike_have_no_common_dprime():
    protocol = bars(patterns=[{**BARS[0], "weight": 0.5}, *BARS[1:]])
    made = run(protocol.with_options(300), load("template"), seed=1)
    note = dprime(made).note
    assert "patterns must be equally far from each other for one d', got" in note


def test_internal_noise_is_added_to_each_patterns_variable():
    gamma = 1.0
    noisy = session(internal_noise=gamma)
    levels = np.stack([signal_levels(p, 0.16).ravel() for p in bars().variants])
    signals = levels / (127 * 0.1)
    rng = np.random.default_rng(3)
    target = rng.integers(0, 3, 200_000)
    noise = rng.standard_normal((len(target), 13))
    own = noise @ signals.T
    logs = own + signals[target] @ signals.T
    logs += gamma * own.std(0).mean() * rng.standard_normal(logs.shape)
    due = (logs.argmax(1) == target).mean()
    assert noisy.counted["correct"].mean() == pytest.approx(due, abs=0.025)


def test_guessers_are_at_chance_and_ideal_is_the_template():
    assert session(3000, "guesser").counted["correct"].mean() == pytest.approx(
        1 / 3, abs=0.035
    )
    ideal, template = session(1000, "ideal"), session(1000)
    assert (ideal.trials["response"] == template.trials["response"]).all()


@pytest.mark.parametrize(
    ("observer", "rule"),
    [
        ("energy", "the task must be one that tells two alternatives apart for energy"),
        ("retina-cnn", "the task must be one with a decision variable for each inter"),
    ],
)
def test_observers_of_two_alternatives_refuse(observer, rule):
    with pytest.raises(ValueError, match=rule):
        session(100, observer)


def test_an_observer_of_ones_own_gives_a_variable_for_each_pattern():
    class Flat:
        name = "flat"

        def prepare(self, viewing):
            pass

        def decide(self, frames, noise):
            return frames.mean(axis=(2, 3, 4))

    rule = r"decisions of flat must be \(trial, pattern\) = \(2, 3\), got \(2, 1\)"
    with pytest.raises(ValueError, match=rule):
        run(bars(), Flat(), seed=1)


def test_every_analysis_gives_a_result_or_a_sentence():
    made = session(900)
    found = depths(made, n_permutations=140)
    assert not found.faults
    assert found.zero.confusion.counts.sum() == len(made.counted)
    assert found.one.by_response.kernel.shape == (3, 1, 1, 13)
    assert found.to_dict()["order_0"]["confusion"]["n_trials"] == len(made.counted)
    assert found.zero.summary.pooled.agreement.value == 1
    assert found.missing["trials"].startswith("alternatives must be two")
    two = load_protocol("bar-in-noise").with_options(200, contrast=0.15)
    other = run(two, load("template"), seed=1)
    plain = depths(other, orders=1).to_dict()
    assert "confusion" not in plain["order_0"]
    assert "by_response" not in plain["order_1"]
    with pytest.raises(CannotTell, match="the task must be identify for a kernel of"):
        response_kernels(
            run(
                load_protocol("bar-in-noise").with_options(200),
                load("template"),
                seed=1,
            )
        )


def test_two_observers_of_the_same_trials_are_compared_by_their_responses():
    store = open_store(":memory:")
    protocol = bars().with_options(900)
    ours = run(protocol, load("template"), store=store, seed=1)
    theirs = run(
        None, load("template"), store=store, yoke_to=ours.id, internal_noise=1.0
    )
    found = compare(ours, theirs)
    same = (ours.counted["response"] == theirs.counted["response"]).mean()
    assert found.same_response.value == pytest.approx(same)
    assert not found.faults
    store.close()


def test_in_noise_on_a_basis_kernels_are_in_coefficients():
    protocol = tilts()
    facts = basis_facts(protocol)
    assert facts.ideal_dprime > facts.template_dprime
    made = run(protocol.with_options(2000), load("template"), seed=1)
    found = response_kernels(made)
    assert found.kernel.shape == (3, 24)
    assert found.drawn()["classification_image"].shape == (3, 1, 20, 20)
    assert [int(np.abs(k).argmax()) // 2 for k in found.kernel] == [0, 2, 6]
    assert made.counted["correct"].mean() > 0.45


def test_plans_and_pages_say_that_they_cannot():
    with pytest.raises(ValueError, match="the task must be"):
        situation(bars())
    with pytest.raises(ValueError, match="with task identify"):
        task_parameters(bars())


def test_the_example_of_the_docs_is_a_protocol(tmp_path):
    page = (ROOT / "docs" / "protocols.md").read_text()
    part = page.split("## Patterns to be identified")[1].split("\n## ")[0]
    lines = [line[4:] for line in part.splitlines() if line.startswith("    ")]
    path = tmp_path / "which-tilt.toml"
    path.write_text("\n".join(lines))
    protocol = load_protocol(str(path))
    assert protocol.task.n_variables == 3
    made = run(protocol.with_options(300), load("template"), seed=1)
    z = signal_facts(protocol).ideal_dprime / 2
    assert 1 / 3 < made.counted["correct"].mean() <= ndtr(z)
