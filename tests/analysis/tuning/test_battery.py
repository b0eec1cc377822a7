"""The V1 battery: published ceilings, known populations, what changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import ROOT
from yoked.analysis.trials.estimate import CannotTell
from yoked.analysis.tuning.battery import battery
from yoked.analysis.tuning.properties import firing_rates, properties_of
from yoked.analysis.tuning.published import PROPERTIES, published
from yoked.analysis.tuning.similarity import ks_similarity, similarity
from yoked.experiments.recordings.grating_responses import GratingResponses
from yoked.experiments.recordings.ringach2002 import load_ringach2002
from yoked.experiments.stimulus.gratings import (
    FREQUENCIES,
    ORIENTATIONS,
    PHASES,
    RADII_DEG,
)

RINGACH = ROOT.parent / "shared" / "data" / "ringach2002"
needs_cells = pytest.mark.skipif(
    not RINGACH.is_dir(), reason="the table of Ringach et al. (2002) is not here"
)
# Asserted in Brain-Score's own tests.
CEILINGS = {
    "circular_variance": 0.959,
    "orientation_bandwidth": 0.964,
    "orthogonal_ratio": 0.962,
    "orientation_selective": 0.994,
    "variance_over_bandwidth": 0.968,
    "ratio_less_variance": 0.967,
    "modulation_ratio": 0.959,
    "max_dc": 0.968,
    "preferred_orientation": 0.962,
    "peak_frequency": 0.967,
    "frequency_bandwidth": 0.933,
    "frequency_selective": 0.963,
    "suppression_index": 0.958,
    "summation_field": 0.956,
    "surround_diameter": 0.955,
}


def population(n=60, seed=1, gain=1.0):
    """Make cells of known tuning, each separable, in rates that are made up."""
    rng = np.random.default_rng(seed)
    best, k = rng.uniform(0, 180, n), rng.uniform(0.5, 3, n)
    peak, modulation = 2 ** rng.uniform(0, 2.5, n), rng.uniform(0, 0.9, n)
    strength = gain * rng.uniform(1, 3, n)

    def of(first, frequencies, orientations, size):
        axes = np.meshgrid(first, frequencies, orientations, PHASES, indexing="ij")
        own, f, theta, phi = (each[None] for each in axes)

        def column(values):
            return values[:, None, None, None, None]

        turned = np.cos(2 * np.deg2rad(theta - column(best))) - 1
        octaves = np.log2(f / column(peak))
        wave = 1 + column(modulation) * np.cos(np.deg2rad(phi))
        tuned = np.exp(column(k) * turned - octaves**2 / 2)
        return column(strength) * tuned * size(own, f) * wave

    def fills(radius, f):
        return 1 - np.exp(-((radius / 0.4) ** 2))

    four = FREQUENCIES[[4, 8, 12, 16]]
    cycles = np.array([2.0, 3.0, 4.0])
    few = ORIENTATIONS[::2]
    responses = GratingResponses(
        orientation=of(cycles, four, ORIENTATIONS, lambda n, f: 1 + 0 * n),
        frequency=of(np.array([0.75, 2.25]), FREQUENCIES, few, fills),
        size=of(RADII_DEG, four, few, fills),
        blank=np.zeros(n),
    )
    return responses, best, modulation, peak


@needs_cells
def test_every_ceiling_is_the_asserted_one():
    known = published(load_ringach2002(RINGACH))
    assert list(known) == list(PROPERTIES) == list(CEILINGS)
    for name, asserted in CEILINGS.items():
        cells = known[name]
        found = similarity(cells, cells, PROPERTIES[name].bins)
        assert found.value == pytest.approx(asserted, abs=0.002), name


@needs_cells
def test_the_published_cells_are_those_that_others_count():
    known = published(load_ringach2002(RINGACH))
    variance = known["circular_variance"]
    assert len(variance) == 304
    counts = np.histogram(variance, PROPERTIES["circular_variance"].bins)[0]
    expected = [4, 21, 26, 17, 24, 20, 24, 22, 31, 33, 34, 36, 12]
    assert counts.tolist() == expected
    assert variance.mean() == pytest.approx(0.5557, abs=5e-5)
    assert np.median(variance) == pytest.approx(0.5988, abs=5e-5)
    ratio = known["modulation_ratio"]
    assert np.median(ratio) == pytest.approx(0.571, abs=5e-4)
    assert (ratio > 1).mean() == pytest.approx(0.398, abs=5e-4)
    assert np.median(known["orthogonal_ratio"]) == pytest.approx(0.186, abs=5e-4)
    assert np.nanmedian(known["orientation_bandwidth"]) == pytest.approx(23, abs=0.05)
    assert np.median(known["max_dc"]) == pytest.approx(33.8, abs=0.05)
    cells = load_ringach2002(RINGACH)
    assert len(cells.baseline) == 308
    kept = cells.max_dc > cells.baseline + 5
    assert np.median(cells.baseline[kept]) == pytest.approx(0.82, abs=0.005)


def test_known_cells_are_recovered():
    responses, best, modulation, peak = population()
    found = properties_of(firing_rates(responses))
    assert len(found["preferred_orientation"]) == len(best)
    away = (found["preferred_orientation"] - best + 90) % 180 - 90
    assert np.abs(away).max() < 6
    assert found["modulation_ratio"] == pytest.approx(
        # The baseline that rates begin from is no part of the modulation.
        modulation * (1 - 0.82 / found["max_dc"]),
        rel=0.03,
    )
    assert found["peak_frequency"] == pytest.approx(peak, rel=0.1)
    assert np.all(found["suppression_index"] < 0.05)
    assert np.median(found["max_dc"]) == pytest.approx(33.8)


def test_the_unit_of_responses_does_not_matter():
    one, *_ = population(n=20)
    other, *_ = population(n=20, gain=250.0)
    a = battery(one, "a", "layer")
    b = battery(other, "a", "layer")
    for mine, theirs in zip(a.properties, b.properties, strict=True):
        assert mine.similarity.value == pytest.approx(theirs.similarity.value)


def test_cells_without_a_property_are_drawn_too_and_too_many_tell_nothing():
    bins = np.linspace(0, 1, 5)
    cells = np.linspace(0.05, 0.95, 40)
    half = np.where(np.arange(40) % 2, np.nan, cells)
    assert 0.8 < similarity(half, cells, bins).value < 1
    assert similarity(np.full(9, np.nan), cells, bins).value is None
    one = np.full(2000, np.nan)
    one[0] = 0.5
    assert "most draws" in similarity(one, cells, bins).note


@given(
    st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any),
    st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any),
)
def test_similarity_is_between_0_and_1_and_1_for_equal_shares(units, cells):
    units, cells = np.array(units), np.array(cells)
    assert 0 <= ks_similarity(units, cells) <= 1
    assert ks_similarity(3 * cells, cells) == pytest.approx(1)


def test_a_battery_without_the_table_of_cells_has_seven_properties():
    found = battery(population(n=10)[0], "net", "v1")
    assert len(found.properties) == 7
    assert found.to_dict()["properties"][1]["name"] == "peak_frequency"
    assert [row["property"] for row in found.table()][-1] == "mean"


def test_what_responds_to_nothing_is_refused():
    silent = {
        name: np.zeros_like(getattr(population(n=2)[0], name))
        for name in ("orientation", "frequency", "size", "blank")
    }
    with pytest.raises(CannotTell, match="a unit that responds to gratings, got none"):
        firing_rates(GratingResponses(**silent))
    with pytest.raises(ValueError, match=r"responses to size must be of shape \(2, 12"):
        GratingResponses(**silent | {"size": np.zeros((2, 3, 4, 6, 8))})
    broken = np.full_like(silent["frequency"], np.nan)
    with pytest.raises(ValueError, match="responses to frequency must be finite"):
        GratingResponses(**silent | {"frequency": broken})


@pytest.mark.parametrize(("n", "least"), [(20, 0.8), (60, 0.85)])
def test_an_interval_holds_what_many_units_have(n, least):
    bins = np.linspace(0, 1, 11)
    rng = np.random.default_rng(1)
    cells = rng.beta(2, 2, 300)
    many = similarity(rng.beta(2, 3.5, 100_000), cells, bins, draws=400).value
    found = [similarity(rng.beta(2, 3.5, n), cells, bins, draws=400) for _ in range(60)]
    held = [each.low <= many <= each.high for each in found]
    assert np.mean(held) >= least


def test_few_units_have_no_interval():
    cells = np.linspace(0.05, 0.95, 40)
    found = similarity(cells[:9], cells, np.linspace(0, 1, 5))
    assert found.se is None
    assert found.note == "no interval: fewer than 10 units"
