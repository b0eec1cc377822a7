"""A pilot: what a session tells of its observer, and how its errors enter a plan."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.analysis.observers.linear import Linear, session, unit
from tests.analysis.observers.linear import run as observed
from yoked.analysis.trials.estimate import Estimate
from yoked.app.commands.power import power
from yoked.app.planning.pilot import beliefs, read_pilot, situation_of
from yoked.app.planning.power import Wanted, aims
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.template import Template
from yoked.models.simulate import run

BARS = load_protocol("bar-in-noise")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a database and its session: efficiency .5, gamma 1, 900 trials."""
    path = tmp_path_factory.mktemp("pilot") / "results.db"
    store = open_store(path)
    options = {"store": store, "seed": 2, "internal_noise": 1.0, "trials": 900}
    ran = run(BARS, Template(0.5), contrast=0.2, **options)
    store.close()
    return path, ran


@pytest.fixture(scope="module")
def pilot(place):
    """Return what the session tells."""
    return read_pilot(place[1])


def printed(*arguments):
    """Return what the command prints of each aim, and what it says."""
    found = CliRunner().invoke(power, [str(a) for a in arguments])
    assert found.exit_code == 0, (found.output, found.exception)
    return {row["aim"]: row for row in json.loads(found.stdout)}, found.stderr


def refused(*arguments):
    """Return why the command refuses."""
    found = CliRunner().invoke(power, [str(a) for a in arguments])
    assert found.exit_code != 0
    return found.stderr + str(found.exception)


def test_a_pilot_tells_what_its_observer_is(pilot):
    truths = (
        (pilot.gamma, 1.0),
        (pilot.absolute, 0.25),
        (pilot.linear, 0.5),
        (pilot.criterion, 0.0),
    )
    for found, truth in truths:
        assert found.low < truth < found.high
    assert pilot.untold == ()


def test_its_values_are_assumed(pilot):
    assumed = situation_of(pilot, BARS, contrast=0.2)
    assert assumed.gamma == pilot.gamma.value
    assert assumed.linear == pilot.linear.value
    assert assumed.criterion == pilot.criterion.value
    ideal = assumed.efficiency / (1 + assumed.gamma**2)
    assert ideal == pytest.approx(pilot.absolute.value)


def test_what_is_known_otherwise_goes_first(pilot):
    assumed = situation_of(pilot, BARS, gamma=0.7, efficiency=0.3, contrast=0.2)
    assert (assumed.gamma, assumed.efficiency) == (0.7, 0.3)
    possible = beliefs(pilot, assumed, knows_gamma=True)["dprime"]
    assert {one.gamma for _, one in possible} == {0.7}


def test_what_is_possible_is_centred_on_what_was_found(pilot):
    assumed = situation_of(pilot, BARS, contrast=0.2)
    weights, possible = zip(*beliefs(pilot, assumed)["gamma"], strict=True)
    r = np.average([one.consistent for one in possible], weights=weights)
    assert r == pytest.approx(pilot.consistent.value, abs=0.01)
    squares = [(one.consistent - r) ** 2 for one in possible]
    width = pilot.consistent.high - pilot.consistent.low
    sd = math.sqrt(np.average(squares, weights=weights))
    assert sd == pytest.approx(width / (2 * 1.96), rel=0.03)
    rates = [one.proportions[0] for one in possible]
    assert min(rates) < assumed.proportions[0] < max(rates)


def test_a_calibration_holds_the_proportion_correct(pilot):
    assumed = situation_of(pilot, BARS)
    for possible in beliefs(pilot, assumed).values():
        assert {one.proportions[0] for _, one in possible} == {0.75}


def test_the_pilots_errors_cost_trials(pilot):
    assumed = situation_of(pilot, BARS, contrast=0.2)
    for aim in aims(assumed, None, beliefs(pilot, assumed)):
        assert aim.n_trials > aim.n_if_true
    (plain,) = aims(assumed, Wanted(None, None, 1.0, None))
    assert plain.n_if_true is None


def test_a_long_pilot_is_nearly_the_truth(pilot):
    """A quarter of the errors costs less than a quarter of what they cost."""
    r = pilot.consistent
    near = replace(
        r, low=r.value - (r.value - r.low) / 4, high=r.value + (r.high - r.value) / 4
    )
    surer = replace(pilot, consistent=near)
    assumed = situation_of(pilot, BARS)
    wanted = Wanted(None, None, 1.0, None)
    (wide,), (narrow,) = (
        aims(assumed, wanted, beliefs(one, assumed)) for one in (pilot, surer)
    )
    extra = [aim.n_trials - aim.n_if_true for aim in (wide, narrow)]
    assert 0 < extra[1] < extra[0] / 4


def test_what_a_pilot_leaves_open_may_be_out_of_reach(pilot):
    unsure = replace(pilot.consistent, value=0.3, low=0.0, high=0.6)
    assumed = situation_of(replace(pilot, consistent=unsure), BARS)
    possible = beliefs(replace(pilot, consistent=unsure), assumed)
    (aim,) = aims(assumed, Wanted(None, None, 1.0, None, assurance=0.98), possible)
    assert aim.n_trials is None
    assert "the pilot leaves observers possible who never reach it" in aim.note
    assert "in more than 97% of sessions; with its values as the truth" in aim.note


def test_a_pilot_without_pairs_cannot_tell_gamma():
    table, noise = observed(Linear(unit(np.ones(13))), "2afc", 400, 0.14, seed=3)
    known = read_pilot(session(table.assign(contrast=0.2), noise))
    assert known.consistent.value is None
    assumed = situation_of(known, BARS, proportion_correct=0.75)
    assert assumed.gamma == 1.35
    (sentence,) = [one for one in known.untold if "gamma" in one]
    assert sentence == (
        "it cannot tell the gamma (no trial was shown and answered twice): 1.35 is "
        "assumed"
    )
    kernel, *_ = aims(assumed, None, beliefs(known, assumed))
    assert kernel.n_trials > kernel.n_if_true  # its kernel is told


def test_a_pilot_near_the_ceiling_is_no_impossible_observer(pilot):
    high = Estimate(4.949, 1.0, 2.5, 7.4, 300, "efficiency/1")
    none = Estimate.missing("r/1", "no trial was shown and answered twice")
    sharp = replace(pilot, absolute=high, consistent=none)
    (sentence,) = [one for one in sharp.untold if "efficiency" in one]
    assert "with gamma 1.35 it would be 7.06 or more, above 1" in sentence
    with pytest.raises(ValueError, match="the pilot must have trials enough to tell"):
        situation_of(sharp, BARS)


def test_a_criterion_without_an_end_is_not_taken_for_the_truth(pilot):
    open_ended = Estimate(-0.369, None, -math.inf, 0.07, 300, "criterion/1")
    unsure = replace(pilot, criterion=open_ended)
    assert situation_of(unsure, BARS, contrast=0.2).criterion == 0.0
    assert any("its interval has no end" in one for one in unsure.untold)


def test_few_pairs_of_a_pilot_tell_no_gamma(pilot):
    few = replace(pilot, consistent=replace(pilot.consistent, n=40))
    assert any("gamma needs 50 pairs or more, got 40" in one for one in few.untold)
    assert situation_of(few, BARS).gamma == 1.35


def test_a_pilot_that_tells_nothing_is_refused():
    table, noise = observed(Linear(unit(np.ones(13))), "2afc", 30, 0.0, seed=3)
    known = read_pilot(session(table, noise))
    with pytest.raises(ValueError, match="the pilot must have trials enough to tell"):
        situation_of(known, BARS)


def test_a_pilot_of_another_task_is_refused(place):
    path, ran = place
    message = refused("bar-polarity", "--pilot", path, ran.id)
    assert "the pilot must be of the task yes_no to plan for it, got 2afc" in message


def test_the_command_says_what_it_took(place):
    path, ran = place
    rows, said = printed("bar-in-noise", "--pilot", path, ran.id, "--no-check")
    assert f"Pilot {ran.id}: (d' / ideal d')^2 0." in said
    gamma = rows["gamma"]
    assert gamma["trials"] > gamma["trials_if_pilot_is_true"]
    assert gamma["pilot"]["session"] == ran.id
    assert gamma["assumed"]["gamma"] == gamma["pilot"]["gamma"]["value"]
    pilot = ("--pilot", path, ran.id)
    table = CliRunner().invoke(
        power, ["bar-in-noise", *map(str, pilot), "--no-check", "--table"]
    )
    lines = table.stdout.splitlines()
    assert "as truth" in lines[0]
    assert max(map(len, lines)) <= 88


def test_lapses_are_in_a_pilots_numbers_already(place):
    path, ran = place
    message = refused("bar-in-noise", "--pilot", path, ran.id, "--lapses", 0.1)
    assert "lapses must be left out with a pilot, got 0.1" in message


def test_a_session_that_is_not_there_is_said(place):
    path, _ = place
    message = refused("bar-in-noise", "--pilot", path, "nobody")
    assert "a session must be in the database, got 'nobody'" in message
