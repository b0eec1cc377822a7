"""Read-outs: what is read, and how a linear one is fitted."""

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from yoked.models.networks import readouts
from yoked.models.networks.readouts import Readout, fit_linear


def samples(n=120, p=8, seed=1, gain=0.6):
    """Return features of two classes whose means differ along the first half."""
    rng = np.random.default_rng(seed)
    is_target = np.arange(n) % 2 == 0
    direction = np.where(np.arange(p) < p // 2, gain, 0.0)
    features = rng.normal(size=(n, p)) + np.outer(
        np.where(is_target, 0.5, -0.5), direction
    )
    return torch.from_numpy(features), torch.from_numpy(is_target), direction


def test_a_logit_difference_is_the_first_unit_less_the_second():
    features = torch.arange(12.0).view(2, 6)
    assert Readout.parse("logit:4-1").read(features).tolist() == [3, 3]


def test_of_a_map_a_channels_middle_is_read_unless_a_place_is_given():
    features = torch.arange(2 * 3 * 5 * 4.0).view(2, 3, 5, 4)
    assert Readout.parse("unit:2").read(features)[1] == features[1, 2, 2, 2]
    assert Readout.parse("unit:2,0,3").read(features)[1] == features[1, 2, 0, 3]


@pytest.mark.parametrize(
    ("text", "shape", "rule"),
    [
        ("unit:6", (6,), r"unit must be within the layer's \(6,\), got \(6,\)"),
        ("unit:1,2", (6,), r"unit must be within the layer's \(6,\), got \(1, 2\)"),
        ("logit:0-9", (6,), r"unit must be within the layer's \(6,\), got \(9,\)"),
        ("output", (6,), r"output must be one number an image, .* got \(6,\)"),
    ],
)
def test_a_unit_that_is_not_there_is_refused(text, shape, rule):
    with pytest.raises(ValueError, match=rule):
        Readout.parse(text).read(torch.zeros(2, *shape))


@pytest.mark.parametrize(
    "text", ["", "logit:3", "unit:", "unit:-1", "Linear", "unit:a"]
)
def test_a_text_that_says_no_readout_is_refused(text):
    with pytest.raises(ValueError, match="readout must be output, linear, logit:A-B"):
        Readout.parse(text)


@pytest.mark.parametrize("p", [8, 300])
def test_the_penalty_is_the_best_where_each_sample_is_left_out(p):
    """Against ridge regression written out, refitted without each sample."""
    features, is_target, _ = samples(60, p, gain=1.0)
    penalties = (0.01, 0.1, 1.0, 10.0)
    x = features.numpy()
    x = (x - x.mean(0)) / x.std(0)
    y = np.where(is_target, 1.0, -1.0)
    errors = []
    for penalty in penalties:
        total = 0.0
        for i in range(60):
            kept = np.arange(60) != i
            mean, level = x[kept].mean(0), y[kept].mean()
            centred = x[kept] - mean
            gram = centred.T @ centred + 60 * penalty * np.eye(p)
            weights = np.linalg.solve(gram, centred.T @ (y[kept] - level))
            total += (y[i] - level - (x[i] - mean) @ weights) ** 2
        errors.append(total)
    best = penalties[int(np.argmin(errors))]
    assert fit_linear(features, is_target, penalties).penalty == best


def test_the_readout_finds_what_tells_the_classes_apart():
    features, is_target, direction = samples(4000, 10)
    found = fit_linear(features, is_target)
    weights = found.weights.numpy()
    cosine = weights @ direction / np.linalg.norm(weights) / np.linalg.norm(direction)
    assert cosine > 0.98
    values = features.float() @ found.weights + found.offset
    assert values[is_target].mean() > 0 > values[~is_target].mean()


def test_without_a_difference_the_left_out_are_guessed():
    features, is_target, _ = samples(400, 40, gain=0.0)
    assert fit_linear(features, is_target).proportion_correct == pytest.approx(
        0.5, abs=0.06
    )


def test_a_readout_that_is_shrunk_to_nothing_guesses():
    """The left-out one's own class is missing from the mean of the others."""
    found = []
    for seed in range(40):
        features, is_target, _ = samples(100, 20, seed, gain=0.0)
        found.append(fit_linear(features, is_target, (1e4,)).proportion_correct)
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_the_proportion_correct_is_that_of_pairs():
    """With no penalty to speak of and one feature it is the rank statistic of it."""
    features, is_target, _ = samples(300, 2, gain=2.0)
    features = features[:, :1]
    found = fit_linear(features, is_target, (1e-9,))
    x = features.numpy().ravel()
    statistic = mannwhitneyu(x[is_target], x[~is_target]).statistic
    assert found.proportion_correct == pytest.approx(statistic / 150**2, abs=0.01)


def test_one_alternative_of_many_weighs_as_much_as_the_others():
    features, _, direction = samples(4000, 6)
    is_target = torch.arange(4000) % 8 == 0
    features = features + torch.where(is_target, 1.0, 0.0)[:, None] * torch.from_numpy(
        direction
    )
    found = fit_linear(features, is_target)
    values = features.float() @ found.weights + found.offset
    level = float(values[is_target].mean() + values[~is_target].mean())
    assert level == pytest.approx(0, abs=0.05)


def test_a_feature_that_never_varies_gets_no_weight():
    features, is_target, _ = samples()
    features[:, 3] = 7.0
    assert fit_linear(features, is_target).weights[3] == 0


def test_features_that_are_taken_in_parts_give_the_same(monkeypatch):
    features, is_target, _ = samples(60, 300)
    whole = fit_linear(features, is_target)
    monkeypatch.setattr(readouts, "_COLUMNS", 70)
    parts = fit_linear(features, is_target)
    assert parts.penalty == whole.penalty
    torch.testing.assert_close(parts.weights, whole.weights)
    assert parts.offset == pytest.approx(whole.offset)


def test_too_many_features_are_refused(monkeypatch):
    features, is_target, _ = samples()
    monkeypatch.setattr(readouts, "_MOST_NUMBERS", 100)
    with pytest.raises(ValueError, match="got 120 x 8; read a smaller layer, or set f"):
        fit_linear(features, is_target)


@pytest.mark.parametrize(
    ("value", "rule"),
    [(float("nan"), "must be finite, got nan"), (1.0, "must vary over trials")],
)
def test_features_that_say_nothing_are_refused(value, rule):
    _, is_target, _ = samples()
    with pytest.raises(ValueError, match=rule):
        fit_linear(torch.full((120, 4), value), is_target)
