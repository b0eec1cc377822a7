"""Circuits: the kernels that each must leave, its closed forms, and what is refused."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

import yoked
from yoked.analysis.second_order.cascade_families import families
from yoked.analysis.second_order.cascades import signature
from yoked.analysis.second_order.features import features
from yoked.analysis.second_order.replicates import noise_sd, observed, off_diagonal_se
from yoked.analysis.second_order.spectrum import eigen_spectrum
from yoked.analysis.trials.held import as_design
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.parts import FULL_CONTRAST, Task
from yoked.experiments.protocols.signal import signal_template
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.experiments.stimulus.noise import level_table
from yoked.models.observers.circuit import Circuit
from yoked.models.observers.circuits import Energy
from yoked.models.observers.filters import quadrature_pair
from yoked.models.registry import load
from yoked.models.simulate import run

from .played import CONTRASTS, played

OF_ONE_PATCH = [n for n in protocol_names() if not load_protocol(n).places.count]


def ready(name, protocol=None, **options):
    observer = load(name, **options)
    protocol = protocol or load_protocol("bar-in-noise")
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    return observer


def named(session):
    template = signal_template(session.protocol).ravel()
    gains = np.array(session.protocol.signal.gains)
    return signature(as_design(session), gains[:, None] * template)


@cache
def kernels(name):
    """Return the halves of the first order and the second, in noise SDs, and its SE."""
    trials = as_design(played(name))
    sd, found = noise_sd(trials), observed(trials)
    se = off_diagonal_se(trials) / sd**2
    return found.halves[0] / sd, found.second[0] / sd**2, se


def decide(observer, frames):
    return observer.decide(frames, ObserverNoise(1, np.arange(len(frames))))


@pytest.mark.parametrize("name", CONTRASTS)
def test_the_analysis_names_each_circuit_rightly(name):
    assert played(name).counted["correct"].mean() == pytest.approx(0.755, abs=0.02)
    # One session in twenty is 'none' by the level of the test, as these two.
    is_chance = name in ("max", "gain-control")
    session = played(name, seed=2 if is_chance else 1)
    assert named(session).verdict == load(name).signatures.cascade


@pytest.mark.parametrize("name", CONTRASTS)
def test_a_circuit_leaves_its_signatures(name):
    expected = load(name).signatures
    (target, other), second, se = kernels(name)
    assert expected.cascade in {one.cascade for one in families((1, 1, 13))}
    low, high = expected.other_to_target
    assert low <= (target @ other) / (target @ target) <= high
    if expected.eigenvalues is not None:
        spectrum = eigen_spectrum(as_design(played(name)), 150)
        order = np.argsort(-np.abs(spectrum.values))[: spectrum.n_significant]
        assert tuple(np.sign(spectrum.values[order])) == expected.eigenvalues
    trace = features(as_design(played(name)))["trace"]
    far = trace.value / trace.se
    assert far * expected.trace > 3 if expected.trace else abs(far) < 3
    if expected.off_diagonal is not None:
        e = len(second)  # noise adds its variance to the sums of squares
        diagonal = (np.diag(second) ** 2).sum() - 2 * e * se**2
        whole = (second**2).sum() - e * (e + 1) * se**2
        low, high = expected.off_diagonal
        assert low - 0.1 <= 1 - diagonal / whole <= high + 0.1


def test_the_second_order_of_ln_lies_along_its_first():
    session = played("ln")
    one, two = (yoked.kernel(session, order, "weighted_sum") for order in (1, 2))
    vector = np.linalg.eigh(two.kernel)[1][:, -1]
    cosine = abs(vector @ one.kernel.ravel()) / np.linalg.norm(one.kernel)
    assert cosine > 0.96


def test_the_diagonal_of_hammerstein_is_like_its_template():
    diagonal = np.diag(yoked.kernel(played("hammerstein"), 2).kernel)
    template = ready("hammerstein").network[2].templates.numpy()[:, 0]
    assert np.corrcoef(diagonal, template)[0, 1] > 0.9


def test_the_targets_half_of_energy_is_the_signal_as_its_pair_sees_it():
    half = yoked.kernel(played("energy"), 1, "weighted_sum").target_half.ravel()
    pair = ready("energy").network[0].templates.numpy()
    seen = pair @ pair[6]  # of a bar at element 6
    assert np.corrcoef(half, seen)[0, 1] > 0.98


@pytest.mark.parametrize("false_alarms", [0.1, 0.25, 0.5])
def test_energy_has_the_exact_kernel_of_absent_trials(false_alarms):
    """C = sigma^2 (-ln F) / (1 - F) WW' without internal noise: methods.md 5.4."""
    protocol = load_protocol("bar-in-noise")
    observer, n = ready("energy", protocol), 200_000
    sd = level_table("gaussian", protocol.noise.sd).astype(float).std() / FULL_CONTRAST
    noise = np.random.default_rng(1).normal(0, sd, (n, 13))
    d = observer.network(FULL_CONTRAST * torch.from_numpy(noise)).numpy()
    yes = d > np.quantile(d, 1 - false_alarms)
    found = np.cov(noise[yes].T) - np.cov(noise[~yes].T)
    pair = observer.network[0].templates.numpy()
    size = sd**2 * -math.log(false_alarms) / (1 - false_alarms)
    se = sd**2 * math.sqrt(2 / (n * false_alarms * (1 - false_alarms)))
    assert np.abs(found - size * pair @ pair.T).max() < 5 * se
    inside = np.sort(np.linalg.eigvalsh(found))[-2:]
    assert inside / size == pytest.approx([1, 1], abs=0.04)


@pytest.mark.parametrize("name", CONTRASTS)
@pytest.mark.parametrize("at", OF_ONE_PATCH)
def test_circuits_see_the_signal_of_every_protocol_whatever_the_batch(name, at):
    protocol = load_protocol(at)
    observer = ready(name, protocol)
    assert isinstance(observer, Circuit)
    highest = max(protocol.contrast.values)
    table, frames = Practice(protocol).draw(64, 0, highest)
    whole = decide(observer, frames)
    parts = [decide(observer, frames[i : i + 7]) for i in range(0, 64, 7)]
    assert np.array_equal(np.concatenate(parts), whole)
    contrast = (torch.from_numpy(frames).float() - 128) / FULL_CONTRAST
    assert observer.scores(contrast).numpy() == pytest.approx(whole, rel=1e-4, abs=1e-4)
    if name == "energy" and -1 in protocol.signal.gains:
        return  # light and dark have the same energy
    if name == "max" and protocol.signal.kind == "patterns":
        return  # what the patterns share may be more than where they differ
    if name in ("linear", "gain-control") and protocol.signal.variants:
        return  # of which the other half cancels what the first shows
    held = table["target"][:, None] == np.arange(whole.shape[1])
    if not protocol.task.is_forced_choice:
        held = table["target"][:, None] == 1
    assert whole[held].mean() > whole[~held].mean() + 0.5 * whole.std() * (
        name != "max"
    )


@pytest.mark.parametrize("name", CONTRASTS)
def test_scores_can_be_differentiated(name):
    observer = ready(name)
    contrast = torch.full((2, 2, 1, 52, 52), 0.05, requires_grad=True)
    observer.scores(contrast).sum().backward()
    assert contrast.grad.shape == contrast.shape
    assert bool(contrast.grad.isfinite().all())


@pytest.mark.parametrize("at", OF_ONE_PATCH)
def test_the_pair_of_energy_has_length_1_and_is_orthogonal(at):
    pair = ready("energy", load_protocol(at)).network[0].templates.numpy()
    assert pair.T @ pair == pytest.approx(np.eye(2), abs=1e-5)


def test_the_pair_of_a_gabor_is_the_gabor_and_its_sine():
    protocol = load_protocol("gabor-in-noise")
    pair = ready("energy", protocol, spread=0).network[0].templates.numpy()
    for phase, filter_ in zip((0, 90), pair.T, strict=True):
        turned = replace(protocol.signal, phase_deg=phase)
        gabor = ready("linear", replace(protocol, signal=turned), spread=0)
        wanted = gabor.network[0].templates.numpy()[:, 0]
        assert abs(wanted @ filter_) > 0.99


def test_max_looks_at_the_positions_that_it_pools():
    assert ready("max").network[0].templates.shape == (13, 13)
    assert ready("max", pool=2).network[0].templates.shape == (13, 5)
    bank = ready("max", load_protocol("movie-bar"), pool=0).network[0].templates
    assert bank.shape == (81, 1)


def test_a_pool_makes_gain_control_local():
    pool = ready("gain-control", pool=1.0).network.pool.templates.numpy()[:, 0]
    assert pool.argmax() == 6
    assert pool[3] < 0.05 * pool[6]


def test_options_are_what_the_log_keeps():
    assert load("ln", exponent=3, spread=0).parameters == {
        "exponent": 3.0,
        "spread": 0.0,
    }
    own = {"semi_saturation": 1.0, "pool": 2.0, "spread": 1.2}
    assert load("gain-control", semi_saturation=1, pool=2).parameters == own
    assert load("max").parameters == {"pool": "all", "spread": 1.2}


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("linear", {"spread": -1}, "spread must be 0 or more, got -1"),
        ("linear", {"spread": math.inf}, "spread must be 0 or more, got inf"),
        ("ln", {"exponent": 0.5}, "exponent must be 1 or more, got 0.5"),
        ("hammerstein", {"exponent": True}, "exponent must be 1 or more, got True"),
        ("gain-control", {"semi_saturation": 0}, "must be more than 0, got 0"),
        ("gain-control", {"pool": -1}, "'all' or a number of elements, 0 or more"),
        ("max", {"pool": -2}, "'all' or a number of elements, 0 or more, got -2"),
        ("energy", {"exponent": 2}, "an option of energy must be one of spread, got"),
    ],
)
def test_options_out_of_range_are_refused(name, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        load(name, **options)


def test_a_circuit_must_learn_first(protocol):
    _, frames = Practice(protocol).draw(2)
    with pytest.raises(ValueError, match="energy must learn before it decides, got no"):
        decide(Energy(), frames)


def test_frames_of_another_size_are_refused():
    _, frames = Practice(load_protocol("gabor-in-noise")).draw(2)
    rule = r"frames must be \(1, 52, 52\) px, got \(1, 64, 64\)"
    with pytest.raises(ValueError, match=rule):
        decide(ready("linear"), frames)


def test_a_signal_that_is_unknown_or_everywhere_is_refused(protocol):
    silent = replace(
        protocol,
        signal=replace(protocol.signal, kind="unknown"),
        noise=replace(protocol.noise, source="stored"),
        catch=replace(protocol.catch, n_per_block=0),
    )
    with pytest.raises(ValueError, match="the signal must be known, and not nought"):
        ready("linear", silent)
    wide = replace(protocol, signal=replace(protocol.signal, columns=(0, 12)))
    with pytest.raises(ValueError, match="must vary in space or time for an energy"):
        ready("energy", wide)
    small = replace(protocol.display, element_px=(1, 1))
    large = replace(
        protocol, display=small, noise=replace(protocol.noise, grid=(1, 100, 100))
    )
    with pytest.raises(ValueError, match=r"pool must leave at most 2\^26 positions"):
        ready(
            "max", replace(large, display=replace(protocol.display, element_px=(1, 1)))
        )


def test_circuits_take_part_in_yes_no(protocol):
    yes_no = replace(protocol, task=Task("yes_no", ("f", "j")))
    session = run(yes_no.with_options(300, 0.3), load("energy"), seed=1)
    assert 0.5 < yoked.dprime(session).value < 4


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTRASTS)
@pytest.mark.parametrize("seed", [11, 12])
def test_sixty_thousand_trials_name_each_circuit_too(name, seed):
    found = named(played(name, 60_000, seed))
    assert found.verdict == load(name).signatures.cascade


def test_an_energy_of_what_varies_in_time_alone_does_not_know_its_phase():
    """A full-field flicker; its other phase is the sine for the cosine."""
    time = np.arange(16) * 2 * np.pi / 8
    flickers = [np.cos(time + phase)[:, None, None] for phase in (0.0, 0.7, 1.6)]
    pair = quadrature_pair(flickers[0])
    energies = [np.square(np.tensordot(pair, each, 3)).sum() for each in flickers]
    np.testing.assert_allclose(energies, energies[0])
    assert quadrature_pair(np.ones((16, 1, 1))) is None
