"""Kernels in coefficients of noise on a basis: recovered, covered, equal to others."""

from dataclasses import replace

import numpy as np
import pytest

import yoked
from tests.analysis.observers.designs import cosine
from tests.analysis.observers.on_a_basis import (
    Energy,
    Matched,
    energy_kernel,
    gabor,
    gabor_protocol,
    identity_protocol,
    seen_by,
)
from yoked.analysis.agreement.kernels import similarity
from yoked.analysis.kernels.fitted import fitted_kernel
from yoked.analysis.kernels.hotelling import hotelling_test
from yoked.analysis.kernels.significance import kernel_test
from yoked.analysis.kernels.weighted_sum import first_order_kernel
from yoked.analysis.second_order.kernel import second_order_kernel
from yoked.analysis.second_order.spectrum import eigen_spectrum
from yoked.analysis.sensitivity.efficiency import kernel_efficiency
from yoked.analysis.sensitivity.ideal import ideal_dprime
from yoked.analysis.sensitivity.physical_units import physical_units
from yoked.analysis.trials.estimate import CannotTell
from yoked.analysis.trials.exact_products import GramSum
from yoked.analysis.trials.held import Held
from yoked.analysis.trials.moments import moments
from yoked.analysis.trials.responses import responses
from yoked.analysis.trials.shown import (
    MOST_COEFFICIENTS,
    NoiseBasis,
    require_few_coefficients,
    shown_signal,
)
from yoked.experiments.protocols.image_kinds import images_of
from yoked.experiments.protocols.images import Images
from yoked.experiments.protocols.signal import signal_template
from yoked.experiments.stimulus.basis_source import BasisNoise

GAMMA = 1.0


@pytest.fixture(scope="module")
def matched():
    """A linear observer in orientation noise."""
    protocol = yoked.load_protocol("orientation-noise")
    observer = yoked.load_observer("template")
    return yoked.run(protocol, observer, seed=5, trials=2000, internal_noise=GAMMA)


@pytest.fixture(scope="module")
def energy():
    """An observer of energy in a gabor basis."""
    protocol = gabor_protocol(0.12)
    return yoked.run(protocol, Energy(), seed=3, trials=3000, internal_noise=0.5)


def truth_of(session):
    """Return the kernel of the template observer, in decision SDs per noise SD."""
    seen = seen_by(signal_template(session.protocol), session.noise)
    return seen / np.linalg.norm(seen) / np.sqrt(1 + GAMMA**2)


def test_a_template_in_orientation_noise_is_recovered_in_coefficients(matched):
    found, truth = yoked.kernel(matched), truth_of(matched)
    assert found.kernel.shape == (24,)
    assert found.prior == "ridge"
    assert cosine(found.kernel, truth) > 0.97
    band = found.unshrunken.kernel
    assert cosine(band.value, truth) > 0.95
    assert np.linalg.norm(found.kernel) == pytest.approx(np.sqrt(0.5), rel=0.1)
    held = (band.low <= truth) & (truth <= band.high)
    assert held.sum() >= 21
    assert np.all((band.low_all <= truth) & (truth <= band.high_all))


def coverage(n_sessions, trials):
    """Return the share of intervals of coefficients that hold the template's."""
    protocol, held = yoked.load_protocol("orientation-noise"), []
    for seed in range(n_sessions):
        observer = yoked.load_observer("template")
        options = {"trials": trials, "internal_noise": GAMMA}
        session = yoked.run(protocol, observer, seed=seed, **options)
        band = fitted_kernel(session).unshrunken.kernel
        truth = truth_of(session)
        held.append((band.low <= truth) & (truth <= band.high))
    return np.mean(held)


def test_intervals_of_coefficients_cover_the_template():
    assert 0.90 <= coverage(4, 700) <= 1


@pytest.mark.slow
def test_intervals_of_coefficients_cover_the_template_in_many_sessions():
    assert 0.935 <= coverage(60, 700) <= 0.965


def test_an_energy_observer_in_a_gabor_basis_is_recovered_in_coefficients(energy):
    spectrum = eigen_spectrum(Held.of(energy).design, n_permutations=60)
    assert (spectrum.n_positive, spectrum.n_negative) == (2, 0)
    pair = np.stack([seen_by(gabor(phase), energy.noise) for phase in (0, 90)])
    within, _ = np.linalg.qr(pair.T)
    found = within.T @ spectrum.vectors[:, :2]  # cosines of two planes
    assert np.linalg.svd(found, compute_uv=False).min() > 0.9
    images = spectrum.drawn()["eigenvector_images"]
    assert images.shape == (2, 1, 20, 20)
    assert np.allclose(
        images[0],
        energy.noise.images.drawn(spectrum.vectors[:, 0] * energy.noise.contrast_sd),
    )


def second_order_z(session):
    """Return (found - true) / null SE of the second-order kernel's upper triangle."""
    found = second_order_kernel(responses(session), session.noise)
    (contrast,) = set(session.counted["contrast"])
    truth, _ = energy_kernel(
        session.noise, shown_signal(session.protocol, contrast), internal_noise=0.5
    )
    above = np.triu_indices(len(truth), 1)
    return ((found.kernel - truth) / found.null_se)[above]


def fixed(seed, trials):
    """Return a session of the energy observer at one contrast."""
    options = {"trials": trials, "contrast": 0.12, "internal_noise": 0.5}
    return yoked.run(gabor_protocol(0.12), Energy(), seed=seed, **options)


def test_standard_errors_of_the_second_order_cover_the_energy_observer():
    z = np.concatenate([second_order_z(fixed(seed, 1500)) for seed in range(4)])
    assert np.mean(np.abs(z) < 1.96) > 0.87
    assert np.std(z) == pytest.approx(1, abs=0.2)


@pytest.mark.slow
def test_standard_errors_of_the_second_order_cover_it_in_many_sessions():
    z = np.concatenate([second_order_z(fixed(seed, 1500)) for seed in range(40)])
    assert 0.92 <= np.mean(np.abs(z) < 1.96) <= 0.965


@pytest.fixture(scope="module")
def both():
    """A session in white noise, and the same with its elements for a basis."""
    protocol, observer = yoked.load_protocol("bar-in-noise"), "template"
    white = yoked.run(
        protocol, yoked.load_observer(observer), seed=1, trials=400, internal_noise=1.0
    )
    same = identity_protocol()
    noise = BasisNoise(same, white.row.seed)
    assert np.array_equal(
        noise.field(white.trials, 1), white.noise.field(white.trials, 1)
    )
    return white, replace(white, protocol=same, noise=noise)


def test_a_basis_of_single_elements_gives_the_kernel_of_white_noise(both):
    white, basis = both
    (sd,) = set(basis.noise.contrast_sd)
    one, other = (yoked.kernel(each, method="weighted_sum") for each in both)
    for name in ("kernel", "se", "target_half", "nontarget_half_se"):
        due = getattr(one, name).ravel()
        assert np.allclose(sd * getattr(other, name), due, rtol=1e-10)
    assert np.allclose(other.drawn()["classification_image"], one.kernel)
    one, other = (fitted_kernel(each, prior="ridge") for each in both)
    assert np.allclose(other.kernel, one.kernel.ravel(), atol=1e-4)
    # Its folds are dealt by the bytes of the noise, which differ.
    apart = other.unshrunken.kernel.low - one.unshrunken.kernel.low.ravel()
    assert np.abs(apart).max() < 0.5 * one.unshrunken.kernel.se.min()
    one, other = (yoked.kernel(each, order=2) for each in both)
    assert np.allclose(sd**2 * other.kernel, one.kernel, atol=1e-12)
    assert ideal_dprime(basis.protocol, 0.2) == pytest.approx(
        ideal_dprime(white.protocol, 0.2)
    )


class Levels:
    """The noise of a session as the levels that were shown."""

    name = "levels"

    def __init__(self, source):
        self.field = source.field


@pytest.mark.parametrize("name", ["orientation-noise", "one-over-f"])
def test_the_classification_image_is_the_kernel_of_the_pixels_up_to_rounding(name):
    protocol = yoked.load_protocol(name)
    session = yoked.run(protocol, yoked.load_observer("template"), seed=2, trials=600)
    found = yoked.kernel(session, method="weighted_sum")
    pixels = first_order_kernel(responses(session), Levels(session.noise))
    image = found.drawn()["classification_image"]
    rounding = np.sqrt(2 * (pixels.se**2).mean() / 12) / (0.1)  # of a level, in SEs
    assert np.abs(image - pixels.kernel).max() < 6 * max(rounding / 127, 1e-3)
    assert cosine(image, pixels.kernel) > 0.999


def test_the_image_is_the_template_seen_through_the_covariance_of_the_noise(matched):
    images, sd = matched.noise.images, matched.noise.contrast_sd
    template = signal_template(matched.protocol)
    through = images.drawn(sd**2 * images.products(template))  # C W
    image = yoked.kernel(matched).drawn()["classification_image"]
    assert cosine(image, through) > 0.98
    assert cosine(image, template) < 0.95


def test_the_ideal_observers_image_is_the_signal_itself():
    protocol = yoked.load_protocol("one-over-f")
    images = images_of(protocol.noise.basis, protocol.noise.grid)
    basis = NoiseBasis(images, BasisNoise(protocol, 1).contrast_sd)
    drawn = basis.image(shown_signal(protocol, 1.0, is_quantised=False))
    assert np.allclose(drawn, signal_template(protocol))


def test_the_efficiency_of_a_template_is_what_its_kernel_implies(matched):
    found = kernel_efficiency(matched)
    assert found.ratio.low < 1 < found.ratio.high
    seen = seen_by(signal_template(matched.protocol), matched.noise)
    ideal = shown_signal(matched.protocol, 1.0, is_quantised=False)
    truth = cosine(seen, ideal) ** 2 / (1 + GAMMA**2)
    assert found.actual.low < truth < found.actual.high


def test_sums_of_coefficients_are_exact():
    rng = np.random.default_rng(1)
    x = rng.integers(-32385, 32386, (3000, 7)).astype(np.int16)
    total = GramSum(7)
    total.add(x[:1000])
    total.add(x[1000:])
    assert np.array_equal(total.matrix(), x.astype(np.int64).T @ x.astype(np.int64))


def test_moments_of_coefficients_are_whole_sums_over_their_sds(energy):
    counted, source = responses(energy), energy.noise
    label = np.zeros(len(counted), np.int64)
    found = moments(counted, source, label, 1, np.ones((2, 1)), chunk_elements=997)
    table = counted.table
    shown = np.stack([source.coefficients(table, k).astype(np.int64) for k in (0, 1)])
    first = counted.first < 0
    rows = np.arange(len(table))
    target = shown[counted.target, rows][first]
    sd = source.unit_sd
    assert np.allclose(found.total[:, 0].sum(0), target.sum(0) / sd, rtol=1e-13)


def test_coefficients_have_no_neighbours(matched):
    with pytest.raises(CannotTell, match=r"prior must be 'ridge' .* got 'smooth'"):
        fitted_kernel(matched, prior="smooth")
    found = kernel_test(Held.of(matched).design, n_permutations=50)
    assert found.clusters == ()
    assert found.z.shape == (24,)
    assert found.p_any < 0.05
    assert hotelling_test(Held.of(matched).design).p < 1e-6
    few = Held.of(matched).design.where(np.arange(300))
    rule = r"20 or more for each of 24 coefficients, got .*; they have no low"
    with pytest.raises(CannotTell, match=rule):
        hotelling_test(few)


def test_two_sessions_compare_in_coefficients(matched, energy):
    protocol, observer = matched.protocol, yoked.load_observer("template")
    other = yoked.run(protocol, observer, seed=6, trials=1000, internal_noise=GAMMA)
    found = similarity(matched, other)
    assert found.disattenuated.value == pytest.approx(1, abs=0.1)
    with pytest.raises(CannotTell, match=r"noise fields must have one shape"):
        similarity(matched, energy)
    turned = replace(energy.protocol.noise.basis, orientations_deg=(0, 30, 60, 90))
    noise = replace(energy.protocol.noise, basis=turned)
    protocol = replace(energy.protocol, noise=noise)
    elsewhere = yoked.run(protocol, Matched(), seed=1, trials=200)
    with pytest.raises(CannotTell, match=r"must be of the same images in both, got"):
        similarity(energy, elsewhere)


def test_the_plain_form_says_what_the_kernel_is_in(matched):
    found = yoked.kernel(matched, method="weighted_sum")
    plain = found.to_dict()
    assert plain["kernel_in"] == "coefficients"
    assert np.shape(plain["kernel"]) == (24,)
    assert np.shape(plain["classification_image"]) == (1, 20, 20)
    assert found.arrays()["classification_image"].shape == (1, 20, 20)
    bars = yoked.run(
        yoked.load_protocol("bar-in-noise"), yoked.load_observer("template"), trials=300
    )
    white = yoked.kernel(bars, method="weighted_sum").to_dict()
    assert not {"kernel_in", "classification_image"} & set(white)


def test_the_analysis_goes_to_all_depths_and_says_what_needs_a_grid(energy):
    found = yoked.depths(energy, n_permutations=19)
    assert not found.faults
    assert found.one.fitted.kernel.shape == (8,)
    assert found.two.spectrum.basis is not None
    assert found.missing["two.signature"].startswith("noise must be of elements on a")
    assert "white noise" in found.missing["zero.physical_units"]
    with pytest.raises(CannotTell, match="need white noise, got noise on a basis"):
        physical_units(energy)


def test_opposite_pairs_have_a_first_order_alone():
    protocol = gabor_protocol(0.12, pairs="opposite")
    session = yoked.run(protocol, Matched(), seed=1, trials=600, internal_noise=1.0)
    found = yoked.depths(session, n_permutations=19)
    assert not found.faults
    truth = seen_by(gabor(0), session.noise)
    assert cosine(found.one.fitted.kernel, truth) > 0.95
    assert found.two.kernel is None
    for part in ("two.kernel", "two.spectrum"):
        assert "opposite pairs" in found.missing[part]
    length = np.linalg.norm(shown_signal(protocol, 0.12))
    assert ideal_dprime(protocol, 0.12) == pytest.approx(length / np.sqrt(2))


def test_a_second_order_of_too_many_coefficients_is_one_sentence():
    n = MOST_COEFFICIENTS + 1
    images = Images.of_array(np.ones((n, 1, 1, 1), np.int8))
    rule = r"coefficients must be at most 2,000 for a second-order kernel, got 2,001"
    with pytest.raises(CannotTell, match=rule):
        require_few_coefficients(NoiseBasis(images, np.ones(n)))


def test_a_signal_outside_the_images_has_no_place_among_coefficients():
    protocol = gabor_protocol(0.12, floor_sd=0.05)
    signal = replace(
        protocol.signal,
        kind="gabor",
        coefficients=(),
        sigma=3.0,
        cycles=3.5,
        outside="show",
    )
    protocol = replace(protocol, signal=signal)
    with pytest.raises(CannotTell, match=r"the signal must be all in the images"):
        shown_signal(protocol, 0.1)
    session = yoked.run(protocol, Matched(), seed=1, trials=300)
    found = yoked.depths(session, orders=1, n_permutations=19)
    assert not found.faults
    assert found.one.fitted.kernel.shape == (8,)
