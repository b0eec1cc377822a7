"""Layer commitment: the true layer, and a score that its choice did not make better."""

import numpy as np
import pytest

from yoked.analysis.brain.layer_commitment import commit_layer
from yoked.analysis.brain.predictivity import neural_predictivity

from .made import population, reliability


def halves(layers, at):
    return (
        {name: each[:at] for name, each in layers.items()},
        {name: each[at:] for name, each in layers.items()},
    )


def test_the_true_layer_is_chosen_and_scored_elsewhere():
    rng = np.random.default_rng(7)
    true, responses = population(1200)
    blurred = true + rng.normal(size=true.shape)
    layers = {"v1": rng.normal(size=true.shape), "v4": blurred, "it": true}
    one, other = halves(layers, 600)
    found = commit_layer(one, responses[:, :600], other, responses[:, 600:], "ridge")
    assert found.layer == "it"
    assert found.separate.score.value == pytest.approx(np.sqrt(reliability()), abs=0.03)
    assert set(found.chosen_by) == set(layers)


def test_the_best_of_many_is_optimistic_on_the_data_that_chose_it():
    """Thirty layers that know nothing: the best looks better than 0, and is not."""
    rng = np.random.default_rng(2)
    chosen, separate = [], []
    for _ in range(12):
        responses = rng.normal(size=(120, 8))
        layers = {str(k): rng.normal(size=(120, 10)) for k in range(30)}
        one, other = halves(layers, 60)
        found = commit_layer(one, responses[:60], other, responses[60:], "ridge")
        chosen.append(found.chosen_by[found.layer].score.value)
        separate.append(found.separate.score.value)
    error = np.std(separate, ddof=1) / np.sqrt(12)
    assert np.mean(chosen) > 0.15
    assert abs(np.mean(separate)) < 3 * error


def test_layers_are_projected_to_components_of_other_pictures():
    """What varies in them is kept; a layer that does not vary there loses all."""
    rng = np.random.default_rng(3)
    true, responses = population(400, p=10)
    wide = true @ rng.normal(size=(10, 200))
    pictures = rng.normal(size=(100, 10)) @ rng.normal(size=(10, 200))
    one, other = halves({"wide": wide}, 200)
    found = commit_layer(
        one,
        responses[:, :200],
        other,
        responses[:, 200:],
        "ridge",
        pca_features={"wide": pictures},
        n_pca=10,
    )
    assert found.separate.n_features == 10
    plain = neural_predictivity(wide[200:], responses[:, 200:], "ridge")
    assert 0 < found.separate.score.value < plain.score.value + 0.02


def test_the_same_data_for_both_are_refused():
    features, responses = population(100)
    both = {"a": features}
    with pytest.raises(ValueError, match="100 of 100 stimuli with the same responses"):
        commit_layer(both, responses, both, responses)
    half = {"a": features[50:]}
    with pytest.raises(
        ValueError, match=r"data to score by must be other data .* 50 of"
    ):
        commit_layer(both, responses, half, responses[:, 50:])
    with pytest.raises(
        ValueError, match=r"layers to score by must be those .*, a, got b"
    ):
        commit_layer(both, responses, {"b": features}, responses + 1)
