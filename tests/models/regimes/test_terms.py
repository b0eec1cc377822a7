"""What regimes add to learning: each moves its own measure, its controls do not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

import yoked
from yoked.analysis.brain.cka import cka
from yoked.models.regimes.alignment import unbiased_cka
from yoked.models.regimes.first_weights import scale_first_weights
from yoked.models.regimes.harmonizer import harmony, saliency
from yoked.models.regimes.held_out import HeldOut
from yoked.models.regimes.population import (
    controlled,
    recorded,
    simulated,
    standardised,
)
from yoked.models.regimes.recipe import PopulationPart
from yoked.models.regimes.similarity import by_threshold, cosines
from yoked.models.regimes.train import PicturePlan

from .pictures import recipe

SMALL = {"units": 64, "repeats": 8}


def learnt(folder, tmp_path, steps=60, **regime):
    """Train by a regime; give the network beside pictures held out."""
    plan = PicturePlan(recipe(folder, steps, **regime))
    file = tmp_path / f"{plan.recipe.called}.safetensors"
    made = plan.run(file)
    return HeldOut(made.recipe, file, made.categories)


@given(st.integers(6, 30), st.integers(2, 40), st.integers(2, 40), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_cka_that_is_learnt_is_the_one_that_is_measured(n, units, others, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, units))
    y = x @ rng.normal(size=(units, others)) + rng.normal(size=(n, others))
    learnt = float(unbiased_cka(torch.from_numpy(x), torch.from_numpy(y)))
    assert learnt == pytest.approx(cka(x, y).value, abs=1e-9)


def test_the_cka_has_a_gradient_and_is_0_without_one_where_nothing_varies():
    x = torch.randn(8, 5, generator=torch.Generator().manual_seed(1))
    x.requires_grad_()
    unbiased_cka(x, torch.zeros(8, 3)).backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
    double = x.detach().double().requires_grad_()
    y = torch.randn(8, 4, dtype=torch.float64, generator=torch.Generator())
    assert torch.autograd.gradcheck(lambda z: unbiased_cka(z, y), double)


def test_alignment_moves_cka_on_pictures_held_out_and_controls_do_not(folder, tmp_path):
    given = {"kind": "alignment", "layers": ["stage2"], "population": SMALL}
    found = {"plain": learnt(folder, tmp_path)}
    for control in ("", "shuffled", "spectrum-matched"):
        found[control] = learnt(folder, tmp_path, control=control, **given)
    target = found["plain"].population(PopulationPart(**SMALL))
    score = {
        name: cka(each.features("stage2"), target.responses).value
        for name, each in found.items()
    }
    plain, aligned = score.pop("plain"), score.pop("")
    assert aligned > plain + 0.04
    assert max(score.values()) < plain + 0.02


def test_harmony_is_0_of_equal_maps_of_any_scale_and_does_not_count_missing_ones():
    maps = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    other = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(2))
    every = torch.ones(3, dtype=torch.bool)
    assert float(harmony(7 * maps, maps, every)) < 1e-6
    assert float(harmony(other, maps, every)) > 0.01
    assert float(harmony(other, maps, ~every)) == 0.0


def test_saliency_is_the_gradient_of_the_right_category():
    weights = torch.tensor([[1.0, -2.0, 0.0, 3.0], [0.5, 0.0, -1.0, 0.0]])
    contrast = torch.zeros(2, 1, 2, 2, requires_grad=True)
    logits = contrast.flatten(1) @ weights.T
    found = saliency(logits, torch.tensor([0, 1]), contrast)
    torch.testing.assert_close(found.flatten(1), weights.abs())


def test_the_harmonizer_moves_saliency_to_where_maps_say(folder, tmp_path):
    def agreement(each):
        pairs = zip(each.saliency(), each.importance(), strict=True)
        return np.mean([spearmanr(s.ravel(), m.ravel()).statistic for s, m in pairs])

    given = {"kind": "harmonizer", "weight": 20.0}
    plain = agreement(learnt(folder, tmp_path))
    moved = agreement(learnt(folder, tmp_path, **given))
    control = agreement(learnt(folder, tmp_path, control="shuffled", **given))
    assert moved > max(plain, control) + 0.05


def test_importance_maps_must_be_there(folder, tmp_path):
    table = tmp_path / "without.csv"
    rows = (folder / "fit.csv").read_text(encoding="utf-8").splitlines()[1:]
    kept = [f"{folder / row.split(',')[0]},{row.split(',')[1]}" for row in rows]
    table.write_text("\n".join(["file,category", *kept]), encoding="utf-8")
    given = recipe(folder, 2, kind="harmonizer")
    given["pictures"] = {**given["pictures"], "fit": str(table)}
    with pytest.raises(ValueError, match="in the column importance of the table"):
        yoked.train_on_pictures(given)


def test_cosines_are_those_of_features_about_their_mean():
    x = torch.randn(6, 9, generator=torch.Generator().manual_seed(1))
    about = (x - x.mean(0)).numpy()
    expected = about @ about.T / np.outer(*2 * [np.linalg.norm(about, axis=1)])
    np.testing.assert_allclose(cosines(x).numpy(), expected, atol=1e-6)
    assert by_threshold(torch.tensor([0.81, 0.8, -0.9])).tolist() == [1.0, 0.0, -1.0]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Give a file of neurons that are tuned to where a bar is, however it lies."""
    rng = np.random.default_rng(3)
    n, size = 240, 20
    at = rng.integers(2, size - 2, n)
    codes = np.full((n, size, size), 128, np.uint8)
    for k, place in enumerate(at):
        where = (slice(None), slice(place - 1, place + 1))
        codes[k][where[:: 1 - 2 * (k % 2)]] = 220
    preferred = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    mean = np.exp(2 * np.cos(2 * np.pi * at[:, None] / size - preferred))
    responses = mean + rng.normal(0, 0.5, (3, n, 12))
    file = tmp_path_factory.mktemp("cells") / "place.npz"
    np.savez(file, responses=responses, pictures=codes, deg_per_px=4.0 / size)
    return str(file)


def test_similarity_moves_cosines_to_those_of_a_recording(folder, tmp_path, recording):
    of = {"recording": recording}
    given = {"kind": "similarity", "layers": ["stage2", "stage3"], "population": of}
    moved = learnt(folder, tmp_path, weight=5.0, **given)
    control = {"weight": 5.0, "control": "shuffled", **given}
    others = learnt(folder, tmp_path), learnt(folder, tmp_path, **control)
    target = moved.population(PopulationPart(**of))
    assert len(target.contrast) == 48  # a fifth of the recording was not learnt
    upper = np.triu_indices(48, 1)
    wanted = cosines(torch.from_numpy(target.responses))[upper]

    def r(each):
        features = each.features("stage3", target=target)
        own = cosines(torch.from_numpy(features))[upper]
        return np.corrcoef(own, wanted)[0, 1]

    assert r(moved) > max(map(r, others)) + 0.05


def test_pictures_of_a_recording_are_learnt_or_held_out(recording):
    part = PopulationPart(recording=recording)
    parts = [recorded(part, Path(), is_held_out) for is_held_out in (False, True)]
    n = [len(each.contrast) for each in parts]
    assert n == [192, 48]
    assert [each.responses.shape for each in parts] == [(192, 12), (48, 12)]
    for each in parts:
        assert each.deg_per_px == 0.2
        np.testing.assert_allclose(each.responses.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(each.responses.std(0), 1, atol=1e-5)


def test_a_recording_without_pictures_is_refused(tmp_path):
    file = tmp_path / "blind.npz"
    np.savez(file, responses=np.random.default_rng(1).normal(size=(2, 20, 3)))
    with pytest.raises(ValueError, match="pictures must be known, and how large"):
        recorded(PopulationPart(recording=str(file)), Path(), is_held_out=False)


def test_adversarial_training_resists_an_attack_that_random_signs_do_not(
    folder, tmp_path
):
    how = {"kind": "adversarial", "eps": 0.1, "attack_steps": 3}
    moved = learnt(folder, tmp_path, **how).correct_under_attack(0.1)
    plain = learnt(folder, tmp_path).correct_under_attack(0.1)
    control = learnt(folder, tmp_path, control="random-signs", **how)
    assert moved.mean() > max(plain.mean(), control.correct_under_attack(0.1).mean())


def test_a_second_task_learns_its_readout_along(folder):
    given = {"kind": "multi-task", "layers": ["stage2"], "population": SMALL}
    made = PicturePlan(recipe(folder, 60, **given)).run()
    losses = [row["term"] for row in made.history]
    assert losses[-1] < 0.7 * losses[0]


def test_a_term_alone_teaches_no_categories(folder):
    given = {"kind": "multi-task", "layers": ["stage2"], "population": SMALL}
    both = PicturePlan(recipe(folder, 60, **given)).run()
    alone = PicturePlan(recipe(folder, 60, task_weight=0.0, **given)).run()
    assert alone.history[-1]["term"] < both.history[-1]["term"]
    assert alone.held_out_correct < both.held_out_correct


def test_a_simulated_v1_is_the_same_each_time_and_nears_its_limit():
    contrast = np.random.default_rng(1).normal(0, 0.3, (30, 1, 24, 24))
    contrast = contrast.clip(-1, 1).astype(np.float32)

    def of(repeats, **more):
        return simulated(contrast, 1 / 8, PopulationPart(units=40, repeats=repeats))

    one, again = of(4), of(4)
    np.testing.assert_array_equal(one.responses, again.responses)
    part = PopulationPart(units=40)
    limit = simulated(contrast, 1 / 8, part, has_noise=False).responses
    near = [cka(of(n).responses, limit).value for n in (1, 4, 32)]
    assert near == sorted(near)
    assert near[-1] > 0.8


def test_controls_keep_what_they_say_and_nothing_of_the_pictures():
    rng = np.random.default_rng(1)
    given = standardised(rng.normal(size=(60, 3)) @ rng.normal(size=(3, 20)))
    shuffled = controlled(given, "shuffled", 5, seed=1)
    assert sorted(map(tuple, shuffled)) == sorted(map(tuple, given))
    matched = controlled(given, "spectrum-matched", 5, seed=1)
    values = [np.linalg.svd(each, compute_uv=False)[:3] for each in (matched, given)]
    np.testing.assert_allclose(*values, rtol=1e-4)
    for control in ("shuffled", "random", "rank-k", "spectrum-matched"):
        assert abs(cka(controlled(given, control, 5, 1), given).value) < 0.25
    np.testing.assert_array_equal(controlled(given, "", 5, 1), given)


def test_responses_that_never_vary_are_refused():
    with pytest.raises(ValueError, match="not the same for every picture, got none"):
        standardised(np.ones((5, 3)))


def test_first_weights_are_scaled_layer_by_layer_and_not_behind_normalisation():
    torch.manual_seed(1)
    layers = [torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3)]
    network = torch.nn.Sequential(*layers)
    x = torch.randn(32, 1, 12, 12)
    assert scale_first_weights(network, lambda: network(x)) == 2
    assert network[:1](x).std().item() == pytest.approx(1, abs=1e-4)
    assert network(x).std().item() == pytest.approx(1, abs=1e-4)
    normed = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.BatchNorm2d(8))
    before = normed[0].weight.clone()
    assert scale_first_weights(normed, lambda: normed(x)) == 0
    assert torch.equal(before, normed[0].weight)
