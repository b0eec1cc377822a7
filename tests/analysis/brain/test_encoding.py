"""Encoding with matched features: the true set first, and width without advantage."""

import numpy as np
import pytest

from yoked.analysis.brain.encoding import encoding

from .made import population


def rectified(base, n, seed):
    """Return n random features of one kind."""
    rng = np.random.default_rng(seed)
    return np.maximum(base @ rng.normal(size=(base.shape[1], n)), 0)


@pytest.fixture(scope="module")
def layers():
    """Give a narrow and a wide layer of one kind, and responses to their source."""
    rng = np.random.default_rng(3)
    base = rng.normal(size=(500, 60)) / np.sqrt(60)
    signal = rectified(base, 400, 1) @ rng.normal(size=(400, 30)) / 20
    responses = signal + 0.5 * rng.normal(size=signal.shape)
    return {
        "narrow": rectified(base, 40, 2),
        "wide": rectified(base, 300, 3),
    }, responses


def test_random_units_make_layers_of_one_kind_and_other_widths_equal(layers):
    sets, responses = layers
    found = encoding(sets, responses, n_splits=4)
    assert found.n_features == 40
    difference = found.differences["narrow - wide"]
    assert abs(difference.value) < 0.04
    unmatched = {name: each.score.value for name, each in found.unmatched.items()}
    assert unmatched["wide"] > unmatched["narrow"] + 0.1
    assert difference.formula == "encoding-matched-units-difference/1"


def test_as_many_components_still_favour_the_wide_layer(layers):
    sets, responses = layers
    found = encoding(sets, responses, reduction="pca", n_splits=4)
    assert found.differences["narrow - wide"].high < -0.05
    assert found.matched["wide"].score.formula == "encoding-matched-pca-ridge-cv/1"


def test_the_true_features_come_before_random_ones():
    true, responses = population(400, noise=1.0)
    other = np.random.default_rng(5).normal(size=(400, 300))
    for reduction in ("units", "pca"):
        found = encoding(
            {"true": true, "random": other}, responses, None, reduction, n_splits=4
        )
        assert found.differences["true - random"].low > 0.5
        assert abs(found.matched["random"].score.value) < 0.06
        assert found.matched["true"].n_features == 20


def test_a_set_of_the_right_size_is_left_as_it_is():
    true, responses = population(200, noise=1.0)
    found = encoding({"true": true}, responses, mapping="ridge")
    matched, plain = found.matched["true"].score, found.unmatched["true"].score
    assert matched.value == pytest.approx(plain.value, abs=1e-10)


def test_what_does_not_fit_is_refused():
    true, responses = population(100)
    with pytest.raises(ValueError, match="n_features must be 1 to 20, as a has 20"):
        encoding({"a": true}, responses, 21)
    with pytest.raises(LookupError, match="reduction must be one of units, pca"):
        encoding({"a": true}, responses, reduction="svd")
    with pytest.raises(ValueError, match="feature sets must be one or more, got none"):
        encoding({}, responses)
