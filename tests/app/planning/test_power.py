"""Planning: published numbers of trials, what simulation makes of them, the words."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests import ROOT
from yoked.analysis.kernels.closed_forms import trials_for_correlation
from yoked.analysis.trials.estimate import CannotTell
from yoked.app.commands.power import power
from yoked.app.planning.check import check
from yoked.app.planning.kernel_laws import chance_limit
from yoked.app.planning.observer import (
    SquaringTemplate,
    bend_for,
    exact_responses,
    signal_for,
)
from yoked.app.planning.plot import power_figure
from yoked.app.planning.power import Wanted, aims, share_reached, value_at
from yoked.app.planning.situation import (
    contrast_for,
    pair_correlation,
    proportion_at,
    situation,
)
from yoked.experiments.protocols.basis_facts import basis_facts
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.parts import Display, DoublePass, Task
from yoked.experiments.protocols.protocol import Protocol
from yoked.models.observers.template import Template
from yoked.models.simulate import run as simulate

BARS = load_protocol("bar-in-noise")
ONE_PLACE = [n for n in protocol_names() if not load_protocol(n).places.count]
WHITE = [n for n in ONE_PLACE if load_protocol(n).noise.basis is None]
SEVERAL = (0.15, 0.2, 0.3)


def run(*arguments: object):
    """Run the command as in a pipe."""
    return CliRunner().invoke(power, [str(a) for a in arguments])


def printed(*arguments: object) -> dict:
    """Return what the command prints of each aim; it must succeed."""
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return {row["aim"]: row for row in json.loads(result.stdout)}


def refused(*arguments: object) -> str:
    """Return why the command refuses."""
    result = run(*arguments)
    assert result.exit_code != 0
    return result.stderr + str(result.exception)


def once(n_elements: int) -> Protocol:
    """Return the bars on a grid of `n_elements`, no trial shown twice."""
    noise = replace(BARS.noise, grid=(1, 1, n_elements))
    return replace(BARS, noise=noise, double_pass=DoublePass())


def at_contrasts(*values: float) -> Protocol:
    """Return the bars at constant contrasts."""
    main = tuple(block for block in BARS.blocks if block.kind == "main")
    contrast = replace(BARS.contrast, values=values, keep_correct=(0, 1))
    return replace(BARS, contrast=contrast, blocks=main)


@pytest.fixture
def twelve_bars(tmp_path):
    """Return a protocol file of twelve bars without a double pass."""
    path = tmp_path / "twelve.toml"
    text = (ROOT / "experiments" / "protocols" / "bar-in-noise.toml").read_text()
    text = text.replace("grid = [1, 1, 13]", "grid = [1, 1, 12]")
    path.write_text(text.replace("n_pairs = 200", "n_pairs = 0"))
    return path


# Published numbers ------------------------------------------------------------------


def test_twelve_bars_need_582_trials_on_average_for_a_kernel_of_95(twelve_bars):
    row = printed(twelve_bars, "--correlation", 0.95, "--no-check")["kernel"]
    assert row["trials"] == row["trials_without_double_pass"]
    assert row["trials_on_average"] == pytest.approx(582, abs=1)


@pytest.mark.parametrize(
    ("n_elements", "gamma", "trials"), [(64, 1, 1013), (64, 1.35, 1430), (64, 0, 507)]
)
def test_kernels_need_the_published_trials(n_elements, gamma, trials):
    assumed = situation(once(n_elements), gamma, efficiency=1, proportion_correct=0.75)
    kernel, *_ = aims(assumed)
    assert kernel.n_on_average == pytest.approx(trials, abs=1)
    expected = trials_for_correlation(0.9, n_elements, 0.75, gamma)
    assert kernel.n_on_average == math.ceil(expected)


def test_the_person_of_the_design_is_75_percent_correct_in_every_shipped_protocol():
    for name in sorted(set(WHITE) - {"disk-polarity"}):
        protocol = load_protocol(name)
        if protocol.signal.variants:
            continue  # its contrast is that of the ideal observer's run
        if protocol.conditions:
            protocol = protocol.alone("sd-0.15")
        shown = protocol.contrast.values[0]
        assert proportion_at(protocol, 1.35, 0.5, shown) == pytest.approx(
            0.75, abs=0.01
        )
        assert contrast_for(protocol, 1.35, 0.5, 0.75) == pytest.approx(
            shown, abs=0.004
        )


def test_the_two_showings_of_a_trial_are_as_alike_as_published():
    assert pair_correlation(0.75, gamma=1.0) == pytest.approx(0.308, abs=5e-4)
    assert pair_correlation(0.75, gamma=0.0) == pytest.approx(1.0)


# Laws ---------------------------------------------------------------------------------


def test_a_double_pass_costs_what_its_pairs_share():
    assumed = situation(BARS)
    effect = 1 + 2 * 200 / 600 * pair_correlation(0.75, 1.35)
    assert assumed.design_effects[0] == pytest.approx(effect)
    for aim in aims(assumed):
        if aim.n_independent is not None:
            cost = aim.n_trials / aim.n_independent
            assert cost == pytest.approx(effect, rel=0.02)


@given(st.floats(0.1, 1.9), st.floats(0.55, 0.9), st.floats(0.3, 0.95))
def test_planned_trials_give_what_was_wanted_and_fewer_do_not(gamma, rate, share):
    assumed = situation(BARS, gamma, efficiency=1, proportion_correct=rate)
    planned = aims(assumed, Wanted(0.8, 0.4, 0.8, 0.5, assurance=share))
    for aim in planned:
        assert share_reached(aim, assumed, aim.n_trials) >= share - 1e-6
        least = aim.n_trials - (4 if aim.name == "gamma" else 1)  # one pair, rounded
        assert share_reached(aim, assumed, least) <= share + 1e-6


def test_what_a_share_of_sessions_reaches_is_reached_by_that_share():
    assumed = situation(BARS)
    for aim in aims(assumed):
        for share in (0.2, 0.5, 0.8):
            value = value_at(aim, assumed, 1000, share)
            other = replace(aim, wanted=value)
            found = share_reached(other, assumed, 1000)
            assert found == pytest.approx(share, abs=1e-4)


def test_more_internal_noise_takes_more_trials():
    needs = [
        aims(situation(BARS, gamma, proportion_correct=0.75))[0].n_trials
        for gamma in (0.5, 1.0, 1.5, 2.0)
    ]
    assert needs == sorted(needs)


def test_contrasts_that_are_mixed_need_trials_between_those_of_each():
    mixed = aims(situation(at_contrasts(*SEVERAL)))
    alone = [aims(situation(at_contrasts(c))) for c in SEVERAL]
    for number in (0, 2, 3):
        needs = [plan[number].n_trials for plan in alone]
        assert min(needs) < mixed[number].n_trials < max(needs)
    median = aims(situation(at_contrasts(0.2)))[1]
    assert mixed[1].needed == pytest.approx(3 * median.needed, rel=1e-6)
    assert "1 in 3 of all trials" in mixed[1].note


def test_equal_contrasts_are_as_good_as_one():
    nearly = aims(situation(at_contrasts(0.2, 0.2 + 1e-9)))
    one = aims(situation(at_contrasts(0.2)))
    for number in (0, 2, 3):
        assert nearly[number].n_trials == pytest.approx(one[number].n_trials, abs=1)


def test_a_protocol_that_calibrates_is_planned_at_its_aim():
    assumed = situation(BARS, gamma=0.5)
    assert assumed.proportions == (BARS.contrast.target_correct,)
    assert assumed.reason == "the calibration's aim"
    assert assumed.contrasts[0] < BARS.contrast.values[0]  # it sees more


def test_a_contrast_makes_the_proportion_correct():
    rows = printed("bar-in-noise", "--contrast", 0.227, "--no-check")
    assumed = rows["kernel"]["assumed"]
    assert assumed["proportions_correct"][0] == pytest.approx(0.751, abs=1e-3)
    assert rows["kernel"]["plan"] == {
        "trials": 600,
        "pairs": 200,
        "value": pytest.approx(0.948, abs=1e-3),
        "reached": pytest.approx(0.959, abs=2e-3),
    }


def test_a_fitted_kernel_needs_fewer_trials_by_the_published_share():
    (kernel, *_) = aims(situation(once(13), gamma=1.0, proportion_correct=0.75))
    assert kernel.n_fitted / kernel.n_trials == pytest.approx(0.684, abs=0.005)


def test_in_yes_no_a_dprime_costs_twice_the_trials_of_2afc():
    two, one = (
        aims(situation(load_protocol(n)))[1] for n in ("bar-in-noise", "bar-polarity")
    )
    assert one.n_on_average == pytest.approx(2 * two.n_on_average, abs=2)
    assert one.n_trials == pytest.approx(2 * two.n_trials, rel=0.02)


# The simulation agrees ----------------------------------------------------------------


@pytest.fixture(scope="module")
def bars():
    """Return the bars before the observer that is assumed by default."""
    return situation(BARS)


@pytest.fixture(scope="module")
def planned(bars):
    """Return its aims by name."""
    return {aim.name: aim for aim in aims(bars)}


def test_simulated_kernels_are_as_like_the_template_as_planned(bars, planned):
    found = check(planned["kernel"], bars, n_sessions=50)
    assert found.n_trials == planned["kernel"].n_trials
    error = found.sd / math.sqrt(50)
    assert abs(found.mean - found.predicted) < 3 * error + 0.008  # of the median
    assert abs(found.reached - 0.8) < 3 * math.sqrt(0.16 / 50)


def test_simulated_intervals_of_dprime_are_as_wide_as_planned(bars, planned):
    found = check(planned["dprime"], bars, n_sessions=25)
    assert found.mean == pytest.approx(found.predicted, rel=0.02)
    assert found.coverage >= 0.85


def test_simulated_intervals_of_gamma_are_as_wide_as_planned(bars, planned):
    found = check(planned["gamma"], bars, n_sessions=25)
    assert found.n_pairs == planned["gamma"].n_pairs
    assert found.median == pytest.approx(found.predicted, rel=0.2)
    assert found.coverage >= 0.85


def test_a_simulated_eigenvalue_is_as_large_as_planned(bars, planned):
    found = check(planned["eigenvalue"], bars, n_sessions=25)
    assert abs(found.mean - found.predicted) < 3 * found.sd / math.sqrt(25)
    assert found.reached > 0.55
    assert found.false_alarms <= 0.15


def test_simulated_yes_no_sessions_agree_with_their_plan():
    assumed = situation(load_protocol("bar-polarity"), gamma=0.8)
    kernel, dprime, *_ = aims(assumed, Wanted(0.9, 0.4, None, None))
    found = check(kernel, assumed, n_sessions=25)
    assert abs(found.mean - found.predicted) < 3 * found.sd / math.sqrt(25) + 0.008
    widths = check(dprime, assumed, n_sessions=10)
    assert widths.mean == pytest.approx(widths.predicted, rel=0.03)


def test_simulated_sessions_of_several_contrasts_agree_with_their_plan():
    assumed = situation(at_contrasts(*SEVERAL))
    kernel, dprime = aims(assumed, Wanted(0.9, 0.5, None, None))
    found = check(kernel, assumed, n_sessions=25)
    assert abs(found.mean - found.predicted) < 3 * found.sd / math.sqrt(25) + 0.008
    widths = check(dprime, assumed, n_sessions=10)
    assert widths.mean == pytest.approx(widths.predicted, rel=0.04)


def test_the_same_seed_checks_alike(bars, planned):
    first, again, other = (
        check(planned["kernel"], bars, n_sessions=3, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("make", [Template, lambda: SquaringTemplate(bend=0.5)])
def test_responses_do_not_depend_on_the_pixels_of_an_element(make):
    small = replace(BARS, display=Display(deg_per_element=0.2))
    one, other = (
        simulate(protocol, make(), seed=1, trials=300, internal_noise=1.0).counted
        for protocol in (BARS, small)
    )
    assert one["response"].tolist() == other["response"].tolist()


def test_the_squaring_observer_is_what_a_simulation_makes_of_it():
    rng = np.random.default_rng(3)
    bend, gamma, n = 0.5, 1.35, 1_000_000
    signal = signal_for(bend, gamma, 0.75)
    target, other = rng.normal(signal, 1, n), rng.normal(0, 1, n)
    d_t, d_n = ((1 - bend) * u + bend * u**2 for u in (target, other))
    sd = gamma * math.sqrt((d_t.var() + d_n.var()) / 2)
    correct = d_t + rng.normal(0, sd, n) > d_n + rng.normal(0, sd, n)
    eigenvalue = target[correct].var() - target[~correct].var()
    eigenvalue += other[~correct].var() - other[correct].var()
    expected = exact_responses(bend, gamma, signal)
    assert (correct.mean(), eigenvalue) == pytest.approx(expected, abs=0.01)


def test_an_eigenvalue_is_made_to_measure():
    bend = bend_for(0.4, gamma=1.0, proportion_correct=0.7)
    found = exact_responses(bend, 1.0, signal_for(bend, 1.0, 0.7))
    assert found == pytest.approx((0.7, 0.4), abs=1e-6)


@pytest.mark.parametrize("p", [13, 40])
def test_chance_exceeds_its_limit_in_at_most_5_percent(p):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(600, p, p))
    noise = (noise + noise.transpose(0, 2, 1)) / math.sqrt(2)
    largest = np.abs(np.linalg.eigvalsh(noise)).max(1)
    share = (largest > chance_limit(2 * math.sqrt(p), p)).mean()
    assert 0.01 < share < 0.065


# Words and pictures -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--correlation", 1), "correlation must be between 0 and 1, got 1; a kernel"),
        (("--dprime-interval", 0), "dprime interval must be more than 0, got 0"),
        (("--assurance", 1), "assurance must be between 0 and 1, got 1; no number of"),
        (("--assurance", 0), "assurance must be between 0 and 1, got 0"),
        (("--lapses", 0.6), "lapses must be from 0 to 0.5, got 0.6"),
        (
            ("--lapses", 0.5, "--proportion-correct", 0.8),
            "must be less than 0.75 with 50% lapses, got 0.8",
        ),
        (("--eigenvalue", -1), "eigenvalue must be more than 0, got -1"),
        (("--proportion-correct", 1), "from 0.5 to 0.99, got 1; an observer that is"),
        (("--proportion-correct", 0.4), "must be from 0.5 to 0.99, got 0.4"),
        (("--contrast", 0.56, "--gamma", 0), "take a lower contrast"),
        (("--gamma", 9), "but contrast must be at most"),
        (
            ("--contrast", 0.2, "--proportion-correct", 0.7),
            "give contrast or proportion correct, not both; got 0.2 and 0.7",
        ),
        (("--plot", "plan.txt"), "the name of a plot must end in"),
    ],
)
def test_what_cannot_be_planned_is_said(options, message):
    assert message in refused("bar-in-noise", *options)


def test_a_task_of_four_alternatives_is_refused():
    main = at_contrasts(0.2)
    four = replace(main, task=Task("mafc", ("a", "b", "c", "d")))
    with pytest.raises(ValueError, match="of two alternatives to be planned, got 4"):
        situation(four)


def test_an_aim_out_of_reach_says_why_and_spares_the_others():
    rows = printed("bar-in-noise", "--gamma", 2.5, "--no-check")
    assert rows["gamma"]["trials"] is None
    assert "gamma above 2 cannot be measured" in rows["gamma"]["note"]
    assert rows["kernel"]["trials"] > 0


@pytest.mark.parametrize("assurance", [0.8, 0.5])
def test_an_interval_of_gamma_out_of_reach_says_so(assurance):
    wanted = Wanted(None, None, 1e-4, None, assurance)
    (gamma,) = aims(situation(BARS), wanted)
    assert gamma.n_trials is None
    assert gamma.note == "a billion pairs would not do"


def test_an_observer_without_internal_noise_has_no_interval_of_gamma():
    kernel, _, gamma, _ = aims(situation(BARS, gamma=0.0))
    assert gamma.n_trials is None
    assert "always agrees" in gamma.note
    assert kernel.n_fitted is None


def test_without_a_double_pass_the_pairs_are_still_counted(twelve_bars):
    row = printed(twelve_bars, "--no-check")["gamma"]
    assert (row["trials"], row["pairs"]) == (None, 726)
    assert "bar-in-noise has no double pass" in row["note"]


def test_published_noise_is_planned_but_not_simulated():
    rows = printed("disk-polarity")
    assert rows["kernel"]["trials"] > 20_000
    notes = {row["check"]["note"] for row in rows.values()}
    assert notes == {"noise of published seeds cannot be made for new sessions"}


def test_long_sessions_are_left_to_whoever_asks_for_them():
    assumed = situation(load_protocol("gabor-in-noise"))
    (aim,) = aims(assumed, Wanted(None, None, None, 0.66))
    assert "too many for a quick check" in check(aim, assumed).note


def test_an_eigenvalue_that_nobody_has_is_said():
    assumed = situation(BARS)
    (aim,) = aims(assumed, Wanted(None, None, None, 2.0))
    found = check(aim, assumed, n_sessions=2)
    assert "no squaring observer with gamma 1.35 and 75% correct" in found.note
    assert found.false_alarms is not None


def test_the_command_checks_and_shows_progress():
    result = run("bar-in-noise", "--sessions", 2, "--csv")
    assert "check: eigenvalue" in result.stderr
    assert (
        "Assumed: gamma 1.35, template efficiency 0.5; 75.0% correct" in result.stderr
    )
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [int(row["check_sessions"]) for row in rows] == [2] * 4


def test_a_table_fits_a_terminal():
    result = run("bar-in-noise", "--sessions", 2, "--table")
    first, *rows = result.stdout.splitlines()
    assert first.split() == [
        "aim",
        "wanted",
        "trials",
        "pairs",
        "at",
        "600",
        "reach",
        "it",
        "simulated",
    ]
    assert len(rows) == 4
    assert max(map(len, [first, *rows])) <= 80


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_plot_is_written(tmp_path, suffix, start):
    path = tmp_path / f"plan.{suffix}"
    printed("bar-in-noise", "--no-check", "--plot", path)
    assert path.read_bytes().startswith(start)


def test_the_plot_has_a_panel_for_each_aim_and_the_simulated_points():
    assumed = situation(BARS)
    planned = aims(assumed)
    checks = [None, check(planned[1], assumed, 2), None, check(planned[3], assumed, 2)]
    figure = power_figure(assumed, planned, checks)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[:2] == ["Kernel: 425 trials for 0.9", "d′: 754 trials for 0.3"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "simulated sessions: median, SD" in labels
    assert "bar-in-noise as it is" in labels


def test_the_plot_says_why_a_panel_is_empty():
    assumed = situation(BARS, gamma=2.5)
    planned = aims(assumed, Wanted(None, None, 1.0, None))
    figure = power_figure(assumed, planned, [None])
    (text,) = figure.axes[0].texts
    assert "cannot be measured" in text.get_text()


def test_the_docs_say_what_the_command_says():
    lines = (ROOT / "docs" / "planning.md").read_text().splitlines()
    table = {
        cells[1].strip("` "): [cell.strip().replace(",", "") for cell in cells[2:-1]]
        for cells in (line.split("|") for line in lines if line.startswith("| `"))
    }
    drawn = {n for n in protocol_names() if load_protocol(n).signal.variants}
    assert sorted(table) == sorted({*ONE_PLACE} - drawn)
    page = " ".join(" ".join(lines).split())
    for name in drawn:
        assert f"`{name}`" in page
        with pytest.raises(CannotTell, match="signal must be one for a statistic"):
            situation(load_protocol(name))
    for name, row in table.items():
        protocol = load_protocol(name)
        alone = protocol.alone("sd-0.15") if protocol.conditions else protocol
        assumed = situation(alone)
        kernel, dprime, gamma, eigenvalue = aims(assumed)
        assert row == [
            str(assumed.n_elements),
            f"{assumed.n_trials} / {assumed.n_pairs}",
            f"{kernel.at_plan:.2f}",
            f"{kernel.n_trials} ({kernel.n_fitted})",
            f"{dprime.n_trials}",
            f"{gamma.n_pairs}",
            f"{eigenvalue.n_trials}",
        ]


def test_a_scene_of_several_places_is_not_planned_for():
    for name in {*protocol_names()} - {*ONE_PLACE}:
        assert "places must be one to plan with" in refused(name)


def test_a_plan_in_noise_on_a_basis_counts_coefficients():
    protocol = load_protocol("orientation-noise")
    assumed = situation(protocol, gamma=1.0, efficiency=0.25)
    assert assumed.n_elements == 24
    (kernel,) = aims(assumed, Wanted(0.9, None, None, None))
    assert kernel.n_trials > 0
    note = check(kernel, assumed).note
    assert note == (
        "the simulated templates are made for white noise, not noise on a basis"
    )
    made = simulate(
        protocol, Template(), seed=1, trials=1500, contrast=0.06, internal_noise=1.0
    )
    # The template sees pixels, in which this noise is not white.
    facts = basis_facts(protocol)
    efficiency = (facts.template_dprime / facts.ideal_dprime) ** 2
    assert efficiency == pytest.approx(0.495, abs=0.005)
    due = proportion_at(protocol, 1.0, efficiency, 0.06)
    assert made.counted["correct"].mean() == pytest.approx(due, abs=0.03)
