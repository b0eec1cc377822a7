"""Luminance: a known screen is recovered, its table is linear."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoked.experiments.monitors.luminance import (
    LuminanceFit,
    faults,
    fit_luminance,
    levels_to_read,
    look_up_table,
    read_readings,
    table_quality,
    wanted_luminance,
)


def screen(gamma=2.2, low=0.4, high=110.0) -> LuminanceFit:
    """Return a known screen; its errors are of no interest."""
    return LuminanceFit(gamma, low, high, 0, 0, 0, 1, 0, 17)


def readings_of(known, levels, sd=0.0, seed=0):
    """Return what a photometer with this error would read, in proportion to it."""
    rng = np.random.default_rng(seed)
    values = known.luminance(levels) + sd * rng.standard_normal(len(levels))
    return [
        (level, max(0.0, float(v))) for level, v in zip(levels, values, strict=True)
    ]


screens = st.builds(
    screen,
    gamma=st.floats(1.8, 2.6),
    low=st.floats(0.0, 2.0),
    high=st.floats(50.0, 400.0),
)


@given(screens)
@settings(max_examples=25, deadline=None)
def test_a_screen_is_recovered_from_readings_without_error(known):
    fit = fit_luminance(readings_of(known, levels_to_read(9)))
    assert fit.gamma == pytest.approx(known.gamma, rel=1e-4)
    assert fit.l_min_cd_m2 == pytest.approx(known.l_min_cd_m2, abs=1e-3)
    assert fit.l_max_cd_m2 == pytest.approx(known.l_max_cd_m2, rel=1e-5)
    assert fit.r_squared == pytest.approx(1)


@pytest.mark.parametrize("gamma", [1.8, 2.2, 2.6])
def test_a_screen_is_recovered_within_the_errors_that_the_fit_states(gamma):
    known = screen(gamma, low=3.0)
    fits = [
        fit_luminance(readings_of(known, levels_to_read(17), sd=0.1, seed=seed))
        for seed in range(200)
    ]
    for name, truth in (("gamma", gamma), ("l_min", 3.0), ("l_max", 110.0)):
        value = name if name == "gamma" else f"{name}_cd_m2"
        z = [(getattr(f, value) - truth) / getattr(f, f"{name}_se") for f in fits]
        # Standard scores of 200 fits with 14 degrees of freedom: SD 1.08, mean 0.
        assert 0.85 < np.std(z) < 1.35
        assert abs(np.mean(z)) < 0.25


def test_noisier_readings_have_larger_errors_and_residuals():
    quiet, noisy = (
        fit_luminance(readings_of(screen(), levels_to_read(17), sd=sd, seed=1))
        for sd in (0.05, 0.3)
    )
    assert quiet.gamma_se < noisy.gamma_se
    assert quiet.largest_residual_cd_m2 < noisy.largest_residual_cd_m2
    assert quiet.r_squared > noisy.r_squared > 0.99


def test_a_reading_that_is_far_off_gets_a_note():
    good = readings_of(screen(), levels_to_read(17))
    bad = [(v, value * (1.2 if v == 128 else 1.0)) for v, value in good]
    assert fit_luminance(good).note is None
    assert "off the curve" in fit_luminance(bad).note


@given(screens)
@settings(max_examples=50, deadline=None)
def test_the_table_makes_luminance_linear_to_half_a_step(known):
    table = look_up_table(known)
    shown, wanted = known.luminance(table), wanted_luminance(known)
    steps = np.diff(known.luminance(np.arange(256)))
    step = np.array([steps[max(0, v - 1) : v + 1].max() for v in table])
    assert (np.abs(shown - wanted) <= step / 2 + 1e-9).all()
    assert list(table) == sorted(table)
    assert (table[0], table[1], table[255]) == (0, 0, 255)


@given(screens)
@settings(max_examples=25, deadline=None)
def test_level_128_is_in_the_middle_and_levels_are_equally_spaced(known):
    wanted = wanted_luminance(known)
    assert wanted[128] == pytest.approx(known.background_cd_m2)
    steps = np.diff(wanted[1:])
    assert steps == pytest.approx(np.full(254, known.range_cd_m2 / 254))


def test_a_contrast_is_that_part_of_the_michelson_contrast():
    known = screen(low=10.0, high=90.0)
    wanted = wanted_luminance(known)
    for level in (1, 100, 128, 200, 255):
        contrast = (level - 128) / 127
        weber = wanted[level] / known.background_cd_m2 - 1
        assert weber == pytest.approx(known.michelson * contrast)


def test_a_linear_screen_keeps_every_level():
    straight = screen(gamma=1.0)
    table = look_up_table(straight)
    assert table[128] == 128
    assert table_quality(straight, table).n_steps == 255


def test_a_steep_screen_has_fewer_steps_and_larger_errors():
    qualities = [
        table_quality(known, look_up_table(known))
        for known in (screen(gamma) for gamma in (1.0, 1.8, 2.2, 2.6))
    ]
    steps = [quality.n_steps for quality in qualities]
    errors = [quality.largest_error_contrast for quality in qualities]
    assert steps == [255, 201, 184, 169]  # gamma alone decides
    assert errors == sorted(errors)
    assert errors[-1] < 0.01


def test_the_stated_error_is_the_largest_of_all_levels():
    known = screen()
    table = list(look_up_table(known))
    table[200] += 3
    quality = table_quality(known, table)
    error = known.luminance(table[200]) - wanted_luminance(known)[200]
    assert quality.largest_error_cd_m2 == pytest.approx(error)


GOOD = readings_of(screen(), levels_to_read(9))


@pytest.mark.parametrize(
    ("readings", "sentence"),
    [
        ([], "readings must be at 6 levels or more, got 0"),
        (GOOD[:4], "readings must be at 6 levels or more, got 4"),
        (GOOD[1:], "readings must include level 0, got none there"),
        (GOOD[:-1], "readings must include level 255, got none there"),
        ([*GOOD, (256, 3.0)], "level must be a whole number from 0 to 255, got 256"),
        ([*GOOD, (-1, 3.0)], "level must be a whole number from 0 to 255, got -1"),
        ([*GOOD, (7, -1.0)], "the reading at level 7 must be 0 cd/m2 or more"),
        ([*GOOD, (7, float("nan"))], "at level 7 must be 0 cd/m2 or more, got nan"),
        ([*GOOD, (40, 90.0)], "readings must rise with the level, got 90 cd/m2 at 40"),
        ([(v, 5.0) for v, _ in GOOD], "higher at the highest level than at the lowest"),
    ],
)
def test_readings_that_cannot_be_fitted_are_refused(readings, sentence):
    assert any(sentence in fault for fault in faults(readings))
    with pytest.raises(ValueError, match="must"):
        fit_luminance(readings)


def test_every_fault_is_told_at_once():
    assert len(faults([(10, 1.0), (250, 90.0)])) == 3


def test_a_fall_within_the_photometers_error_is_no_fault():
    assert faults([*GOOD, (1, 0.39), (2, 0.38)]) == []


def test_readings_come_from_a_csv_file_with_any_line_ends(tmp_path):
    path = tmp_path / "readings.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerows([("level", " cd_m2", "note"), *[(*r, "") for r in GOOD]])
    assert read_readings(path) == GOOD


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("level,lum\n0,1\n", "columns level and cd_m2, got level, lum"),
        ("", "columns level and cd_m2, got none"),
        ("level,cd_m2\n0,dark\n", "line 2 must hold two numbers, got '0' and 'dark'"),
        ("level,cd_m2\n0\n", "line 2 must hold two numbers, got '0' and None"),
    ],
)
def test_a_csv_file_that_is_none_is_refused(tmp_path, text, sentence):
    path = tmp_path / "readings.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_readings(path)


@given(st.integers(6, 256))
def test_levels_to_read_reach_both_ends_and_are_distinct(n):
    levels = levels_to_read(n)
    assert (levels[0], levels[-1], len(set(levels))) == (0, 255, n)


def test_too_few_levels_are_refused():
    with pytest.raises(ValueError, match="levels must be from 6 to 256, got 5"):
        levels_to_read(5)


def test_a_curve_that_falls_is_refused():
    with pytest.raises(ValueError, match="l_min_cd_m2 must be below l_max_cd_m2"):
        screen(low=5.0, high=1.0)
    with pytest.raises(ValueError, match="gamma must be more than 0, got -1"):
        screen(gamma=-1)
