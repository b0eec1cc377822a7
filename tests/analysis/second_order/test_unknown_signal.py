"""A signal drawn from variants: the first order is flat, the second has all of them."""

from functools import cache

import numpy as np
import pytest

from yoked.analysis.kernels.significance import kernel_test
from yoked.analysis.second_order.spectrum import eigen_spectrum
from yoked.analysis.sensitivity.efficiency import absolute_efficiency
from yoked.analysis.sessions.depths import depths
from yoked.analysis.trials.held import as_design
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.signal import signal_template
from yoked.models.registry import load
from yoked.models.simulate import run


@cache
def session_of(name, observer="ideal"):
    protocol = load_protocol(name)
    contrast = 0.55 * protocol.contrast.values[0]
    return run(protocol.with_options(6000, contrast=contrast), load(observer), seed=3)


def plane_of(name):
    """What is spanned by the signals of all variants."""
    protocol = load_protocol(name)
    shown = np.stack([signal_template(each).ravel() for each in protocol.variants])
    n = {"phase-unknown": 2, "polarity-unknown": 1}[name]
    return np.linalg.svd(shown)[2][:n].T


@pytest.mark.parametrize("name", ["phase-unknown", "polarity-unknown"])
def test_the_ideal_observers_second_order_is_what_its_variants_span(name):
    spectrum = eigen_spectrum(as_design(session_of(name)), 100, 1)
    plane = plane_of(name)
    n = plane.shape[1]
    assert (spectrum.n_positive, spectrum.n_negative) == (n, 0)
    inside = np.linalg.svd(spectrum.vectors[:, :n].T @ plane, compute_uv=False)
    assert inside.min() > 0.93


def test_an_energy_observer_of_one_phase_has_the_quadrature_pair():
    spectrum = eigen_spectrum(as_design(session_of("phase-unknown", "energy")), 100, 1)
    assert spectrum.n_positive == 2
    plane = plane_of("phase-unknown")
    inside = np.linalg.svd(spectrum.vectors[:, :2].T @ plane, compute_uv=False)
    assert inside.min() > 0.85  # its filters are a blurred signal's


@pytest.mark.parametrize("name", ["phase-unknown", "polarity-unknown"])
def test_the_first_order_of_the_ideal_observer_is_flat(name):
    session = session_of(name)
    assert session.counted["correct"].mean() > 0.75
    assert kernel_test(as_design(session), seed=1).p_any > 0.05


def test_an_analysis_says_what_it_cannot_tell_of_a_drawn_signal():
    session = session_of("polarity-unknown")
    note = absolute_efficiency(session).pooled.note
    assert note == (
        "the signal is drawn from variants: the ideal observer's d' has no formula"
    )
    found = depths(session, n_permutations=60)
    reasons = " ".join(found.missing.values())
    assert "the signal must be one for a statistic that compares with it" in reasons
    assert not found.faults
    assert found.two.spectrum.n_positive == 1
