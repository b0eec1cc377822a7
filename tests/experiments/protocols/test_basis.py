"""Noise on a basis as a protocol asks for it: its rules, and a sentence for each."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from yoked.experiments.protocols.basis_facts import basis_facts
from yoked.experiments.protocols.basis_rules import shown_together
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.projection import in_images
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import signal_levels, signal_template

ON_A_BASIS = [
    name for name in protocol_names() if load_protocol(name).noise.basis is not None
]
YES_NO = {"kind": "yes_no", "keys": ["f", "j"]}
BUMPS = {"kind": "bumps", "scales": [[6, 4]]}


def plain(basis=BUMPS, signal=None, noise=None, contrast=0.1, task=None):
    """Give a protocol as plain data: a gaussian in bumps, unless something else."""
    return {
        "name": "own",
        "title": "Own",
        "task": task or {"kind": "2afc", "keys": ["f", "j"]},
        "display": {"deg_per_element": 0.1},
        "noise": {
            "kind": "gaussian",
            "sd": 0.12,
            "grid": [1, 24, 24],
            "basis": basis,
            **(noise or {}),
        },
        "signal": signal or {"kind": "gaussian", "sigma": 5.0},
        "contrast": {"values": [contrast]},
        "blocks": [{"kind": "main", "n_trials": 10}],
    }


def refusal(*arguments, **options):
    with pytest.raises(ProtocolError) as caught:
        Protocol.from_dict(plain(*arguments, **options))
    return str(caught.value)


@pytest.mark.parametrize("name", ON_A_BASIS)
def test_shipped_contrasts_make_a_template_with_internal_noise_75_percent_correct(name):
    # Gamma 1.35 and 50 % efficiency, beside a template that does not whiten.
    facts = basis_facts(load_protocol(name))
    dprime = facts.template_dprime * np.sqrt(0.5 / (1 + 1.35**2))
    assert norm.cdf(dprime / np.sqrt(2)) == pytest.approx(0.75, abs=0.005)
    assert facts.warning == ""
    assert facts.share > 0.96


@pytest.mark.parametrize("name", ON_A_BASIS)
def test_shipped_protocols_pin_their_images_and_never_clip_within_5_sd(name):
    protocol = load_protocol(name)
    facts = basis_facts(protocol)
    assert protocol.noise.basis.sha256 == facts.sha256
    assert facts.clipped_elements < 1e-9
    for shown in shown_together(protocol):
        beside = np.max([np.abs(levels) for levels in shown.beside()], axis=0)
        assert (shown.reach() + beside).max() <= 127


def test_the_worked_examples_have_the_published_dprimes():
    degrees = [15.0 * k for k in range(12)]
    basis = {"kind": "gratings", "cycles": [4], "orientations_deg": degrees, "sigma": 5}
    data = plain(
        basis,
        {"kind": "coefficients", "coefficients": [[0, 1.0]]},
        {"grid": [1, 32, 32], "sd": 0.15},
        0.145,
    )
    facts = basis_facts(Protocol.from_dict(data))
    assert facts.template_dprime == pytest.approx(2.27, abs=0.02)
    assert facts.share == 1
    scales = [[24, 16], [12, 8], [6, 4], [3, 2]]
    data = plain(
        {"kind": "bumps", "scales": scales},
        {"kind": "gabor", "sigma": 6, "cycles": 3},
        {"grid": [1, 48, 48], "sd": 0.15},
        0.18,
    )
    facts = basis_facts(Protocol.from_dict(data))
    assert facts.share == pytest.approx(0.9999, abs=5e-5)
    assert facts.template_dprime == pytest.approx(2.27, abs=0.005)
    order = (facts.ideal_dprime, facts.linear_dprime, facts.template_dprime)
    assert sorted(order, reverse=True) == list(order)


def test_a_protocol_as_plain_data_has_the_same_hashes():
    protocol = load_protocol("one-over-f")
    again = Protocol.from_dict(protocol.to_dict())
    assert (again.hash, again.stimulus_hash) == (protocol.hash, protocol.stimulus_hash)


@pytest.mark.parametrize(
    "change",
    [{"fineness": 63}, {"floor_sd": 0.01}, {"pairs": "opposite"},
     {"basis": {**BUMPS, "scales": [[6, 3.9]]}}],
)  # fmt: skip
def test_every_parameter_of_the_noise_enters_both_hashes(change):
    one, other = (Protocol.from_dict(plain(noise=n)) for n in ({}, change))
    assert one.hash != other.hash
    assert one.stimulus_hash != other.stimulus_hash


def test_a_projected_signal_has_peak_one_and_whole_units():
    protocol = Protocol.from_dict(plain())
    template = signal_template(protocol)
    assert np.abs(template).max() == pytest.approx(1, abs=1e-6)
    levels = signal_levels(protocol, 0.1)
    cosine = (
        (levels * template).sum() / np.linalg.norm(levels) / np.linalg.norm(template)
    )
    assert cosine > 0.99
    assert np.abs(levels).max() == pytest.approx(12.7, abs=0.4)


# What is refused, one sentence each.


def test_a_signal_without_room_is_refused_with_element_and_numbers():
    text = refusal(noise={"sd": 0.15}, contrast=0.3)
    assert text.startswith(
        "contrast must be such that signal and picture have room beside 5 SD of the "
        "noise, got 38."
    )
    assert "levels at element [0, " in text
    assert "where 5 SD take 95.2 of 127 and leave 31.8" in text


def test_a_signal_that_the_images_cannot_show_is_refused():
    text = refusal(signal={"kind": "gabor", "sigma": 3.0, "cycles": 6.0})
    assert text.startswith(
        "the signal must be such that the images show 0.9 of its energy or more, got 0."
    )


def test_noise_too_coarse_for_the_signal_is_refused_and_the_fineness_named():
    scales = {"kind": "bumps", "scales": [[12, 8], [6, 4], [3, 2], [1.5, 1]]}
    gabor = {"kind": "gabor", "sigma": 3.0, "cycles": 3.0}
    text = refusal(scales, gabor, {"fineness": 1}, 0.05)
    assert text.startswith("noise.fineness must be ")
    assert " or more for a signal of contrast 0.05, got 1" in text
    least = int(text.split()[3])
    Protocol.from_dict(plain(scales, gabor, {"fineness": least}, 0.05))
    refusal(scales, gabor, {"fineness": least - 2}, 0.05)


def test_images_that_differ_from_their_hash_are_refused_with_the_line_to_paste():
    text = refusal({**BUMPS, "sha256": "ab12"})
    found = text.split('"')[1]
    assert text == (
        f'noise.basis.sha256 must be "{found}", which is that of its images, '
        "got 'ab12'"
    )
    Protocol.from_dict(plain({**BUMPS, "sha256": found}))


def test_an_image_that_is_zero_everywhere_is_refused():
    beside = {"kind": "bars", "length": 3, "width": 1, "orientations_deg": [0],
              "places": [[0, 0], [0, 90]]}  # fmt: skip
    text = refusal(beside, {"kind": "coefficients", "coefficients": [[0, 1.0]]})
    assert text == (
        "the images of noise.basis must be other than 0 somewhere, each of them, got 0 "
        "as number 1"
    )


def test_a_remainder_is_shown_only_where_white_noise_hides_it():
    signal = {"kind": "gabor", "sigma": 3.0, "cycles": 6.0, "outside": "show"}
    text = refusal(signal=signal)
    assert text == (
        "signal.outside must be drop unless noise.floor_sd hides what the images "
        "cannot show, got 'show'"
    )
    protocol = Protocol.from_dict(plain(signal=signal, noise={"floor_sd": 0.03}))
    found = in_images(protocol.signal, protocol.noise)
    whole = found.shown + found.remainder
    assert np.abs(whole).max() == pytest.approx(1, abs=1e-6)
    facts = basis_facts(protocol)
    assert facts.outside_dprime > facts.ideal_dprime
    assert facts.linear_dprime >= facts.outside_dprime * 0.99


def test_too_many_units_for_exact_sums_are_refused(monkeypatch):
    monkeypatch.setattr("yoked.experiments.protocols.basis_rules._MOST_SUM", 1000)
    assert refusal().startswith(
        "noise.basis must be such that no sum of images reaches 2^31 units, got "
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"basis": {"kind": "wavelets"}},
         "noise.basis.kind must be one of sinusoids, gratings, bumps, bars, array, "
         "got 'wavelets'"),
        ({"basis": {**BUMPS, "cycles": 2}},
         "noise.basis.cycles must be one of kind, scales, weights, each_frame, sha256, "
         "got 'cycles'; did you mean 'scales'?"),
        ({"basis": {**BUMPS, "weights": [1, 2]}},
         "noise.basis.weights must be 1 numbers, one per scale, got 2"),
        ({"basis": {"kind": "bumps", "scales": [[6, 4], [3, 2]], "weights": [1, 1e-9]}},
         "noise.basis.weights must be at least 1 / 20000 of the largest, got 1e-09"),
        ({"basis": {"kind": "sinusoids", "n_scales": 5}},
         "noise.grid must be a grid that divides by 16 with so many scales, "
         "got [1, 24, 24]"),
        ({"noise": {"fineness": 14}},
         "noise.fineness must be an odd number from 1 to 255, got 14"),
        ({"noise": {"pairs": "same"}},
         "noise.pairs must be one of independent, opposite, got 'same'"),
        ({"noise": {"pairs": "opposite"}, "task": YES_NO},
         "noise.pairs must be independent unless the task is 2afc, got 'opposite'"),
        ({"noise": {"source": "matlab5-rand"}},
         "noise.source must be yoked-1 or stored with noise on a basis, got "
         "'matlab5-rand'"),
        ({"noise": {"basis": None, "floor_sd": 0.1}},
         "noise.floor_sd must be 0.0 without a basis, got 0.1"),
        ({"signal": {"kind": "coefficients", "coefficients": [[99, 1.0]]}},
         "signal.coefficients must be numbers of the 49 images, from 0, got 99"),
        ({"signal": {"kind": "coefficients"}},
         "signal.coefficients must be [number, weight] of one or more images, weights "
         "other than 0, got []"),
        ({"basis": {"kind": "array", "sha256": "ab12"}},
         "the images of noise.basis must be read from their file or the trial log, by "
         "their SHA-256, got none of 'ab12'"),
        ({"noise": {"picture_sha256": "cd34"}},
         "the picture of noise.picture must be read from their file or the trial log, "
         "by their SHA-256, got none of 'cd34'"),
    ],
)  # fmt: skip
def test_every_other_rule_has_its_sentence(options, sentence):
    assert sentence in refusal(**options)


def test_a_network_is_warned_of_where_the_noise_is_weak():
    # A gabor beyond the cut-off of smooth noise.
    basis = {"kind": "bumps", "scales": [[12, 8], [6, 4], [3, 2]]}
    gabor = {"kind": "gabor", "sigma": 2.5, "cycles": 3.0}
    facts = basis_facts(Protocol.from_dict(plain(basis, gabor, {"fineness": 63})))
    assert facts.share > 0.95
    assert facts.warning.startswith("the ideal observer's d' is 1")
    assert "a network can do this where the noise is weak" in facts.warning


def test_pictures_and_signals_share_the_room():
    protocol = Protocol.from_dict(plain())
    assert replace(protocol, noise=replace(protocol.noise, sd=0.15))
    with pytest.raises(ProtocolError, match="have room beside 5 SD"):
        replace(protocol, noise=replace(protocol.noise, sd=0.15, floor_sd=0.15))
