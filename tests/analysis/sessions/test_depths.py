"""One session at three depths: known observers, and every fault has its sentence."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.coverage import decision_law
from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.sessions.depths import depths
from yoked.analysis.sessions.kernel import kernel
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.stimulus.sources import StoredNoise
from yoked.models.observers.template import Template
from yoked.models.simulate import run as simulate

OBSERVER = Linear(unit([0, 1, 2, 1, 0, 0, 0]))


def made(task="2afc", n=1200, signal=0.13, observer=OBSERVER, n_pairs=300, **options):
    table, source = run(observer, task, n, signal, seed=5, n_pairs=n_pairs, **options)
    return session(table.assign(block=np.arange(n) // 100), source, task)


def plain(found):
    """Return the result as JSON gives it back: no NaN, no infinity."""
    return json.loads(json.dumps(found.to_dict(), allow_nan=False))


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_a_linear_observer_is_known_at_every_depth(task):
    found = depths(made(task))
    kernel = found.one.fitted.kernel.ravel()
    assert kernel @ OBSERVER.template / np.linalg.norm(kernel) > 0.95
    share = found.one.linear_share
    assert share.linear.low < 0.5 < share.linear.high
    assert share.consistent.low < 0.5 < share.consistent.high
    assert found.one.test.p_any < 0.05
    spectrum = found.two.without_linear_part or found.two.spectrum
    assert spectrum.n_significant == 0
    assert found.two.quadratic.gain.low < 0


def test_a_session_of_a_protocol_has_its_cascade():
    protocol = load_protocol("bar-in-noise")
    played = simulate(protocol, Template(), seed=1, trials=1500, contrast=0.15)
    found = depths(played, n_permutations=19)
    signature = found.two.signature
    assert signature.cascades["linear"].behind < 4
    assert signature.verdict in {"linear", "undecided"}
    (row,) = found.table()
    assert row["cascade"] == signature.short()


def test_everything_can_be_written_as_json_and_as_arrays():
    found = depths(made())
    row = plain(found)
    assert row["session"] == "human-1"
    assert np.allclose(
        row["order_1"]["weighted_sum"]["kernel"], found.one.weighted_sum.kernel
    )
    arrays = found.arrays()
    assert np.array_equal(arrays["two.kernel.kernel"], found.two.kernel.kernel)
    assert {name.split(".")[0] for name in arrays} == {"one", "two"}


def test_a_large_array_is_left_to_the_archive():
    found = depths(made(observer=Linear(np.ones(65) / 65**0.5), n=800), orders=2)
    row = plain(found)
    assert row["order_2"]["spectrum"]["vectors"] is None
    assert row["order_2"]["kernel"]["kernel"] is None
    assert len(row["order_2"]["spectrum"]["values"]) == 65
    arrays = found.arrays()
    assert arrays["two.spectrum.vectors"].shape == (65, 65)
    assert arrays["two.kernel.kernel"].shape == (65, 65)


def test_the_fitted_kernel_is_the_one_that_the_face_calls_kernel():
    session = made(n=600)
    one = depths(session, orders=1).one
    assert np.array_equal(one.fitted.kernel, kernel(session).kernel)
    classical = kernel(session, method="weighted_sum").kernel
    assert np.array_equal(one.weighted_sum.kernel, classical)
    assert not hasattr(one, "kernel")


def test_the_frame_has_every_number_by_its_path_in_the_json():
    found = depths(made(n=600))
    frame, row = found.to_frame(), plain(found)
    assert frame.columns.tolist()[:2] == ["session", "observer"]
    assert not frame.duplicated(["quantity", "contrast"]).any()
    numbers = frame.set_index("quantity")["value"]
    gain = row["order_1"]["fitted"]["log_likelihood_gain"]["value"]
    assert numbers["order_1.fitted.log_likelihood_gain"] == gain
    assert numbers["order_2.spectrum.edge"] == row["order_2"]["spectrum"]["edge"]
    assert numbers["pooled.dprime"] == numbers["by_contrast.dprime"]  # one contrast


def test_a_notebook_shows_the_row_of_the_terminal():
    found = depths(made(n=600), orders=1)
    (row,) = found.table()
    assert row["kernel (bits)"] == found.one.fitted.log_likelihood_gain.short()
    assert "cascade" not in row
    assert f"<td>{row['linear share']}</td>" in found._repr_html_()
    (zero,) = found.summary.table()
    assert zero.items() <= row.items()


def test_the_table_says_that_a_criterion_moves_and_what_is_left_of_it():
    line = 0.1 * np.linspace(-2, 2, 1200)
    found = depths(made(observer=replace(OBSERVER, criterion=line)), orders=0)
    course = found.zero.course
    assert course.first == "conditional"
    (row,) = found.table()
    assert float(row["criterion moves (p)"]) < 1e-4
    assert float(row["follows the trial before (p)"]) == pytest.approx(
        course.previous.p, rel=1e-3
    )
    assert row["d' given the course"] == course.conditional.dprime.short()
    gamma = course.conditional.internal_noise.gamma
    assert row["internal noise given the course"] == gamma.short()
    names = list(row)
    assert names.index("d' given the course") == names.index("d'") + 1


def test_the_table_of_a_criterion_that_stands_still_has_its_tests_alone():
    (row,) = depths(made(n=600), orders=0).table()
    assert float(row["criterion moves (p)"]) > 0.05
    assert "d' given the course" not in row
    (short,) = depths(made(n=60, n_pairs=10), orders=0).table()
    assert short["criterion moves (p)"] == "-"


def test_the_table_gives_internal_noise_by_the_exact_law_beside_the_normal_one():
    cell = decision_law.linear("binary", "2afc", 1, 0.5)
    made_ = decision_law.simulate(cell, np.random.default_rng(1))
    found = depths(session(*made_, "2afc"), orders=1, n_permutations=19)
    law = found.one.decision_law
    assert law.law == "exact"
    (row,) = found.table()
    assert row["internal noise by the exact law"] == law.gamma.short()
    assert law.gamma.low < 0.5 < law.gamma.high
    assert row["internal noise"] == found.summary.pooled.internal_noise.gamma.short()
    (normal,) = depths(made(n=600), orders=1, n_permutations=19).table()
    assert "internal noise by the exact law" not in normal


@pytest.mark.parametrize("orders", [0, 1])
def test_what_is_not_asked_for_is_not_estimated(orders):
    found = depths(made(), orders)
    assert found.two is None
    assert (found.one is None) == (orders == 0)
    assert plain(found)["order_2"] is None


def test_an_order_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="orders must be 0, 1 or 2, got 3"):
        depths(made(), 3)


def test_a_constant_responder_is_named_not_a_number():
    table, source = run(OBSERVER, "2afc", 200, 0.13, seed=5)
    found = depths(session(table.assign(response=1), source))
    assert "every response was 1" in found.summary.pooled.dprime.note
    assert found.one.fitted is None
    assert found.missing["one.fitted"]
    plain(found)


def test_a_class_without_trials_is_named():
    found = depths(made(signal=3.0))  # never wrong
    assert "a kernel needs correct and incorrect trials" in found.missing["kernels"]
    assert found.two.spectrum is None
    plain(found)


def test_a_dozen_trials_say_how_little_they_are():
    found = depths(made(n=12, n_pairs=0))
    assert "only 12 trials" in found.summary.pooled.dprime.note
    plain(found)


def test_without_a_double_pass_internal_noise_says_so():
    found = depths(made(n_pairs=0))
    noise = found.summary.pooled.internal_noise.gamma
    assert (noise.value, noise.note) == (None, "no trial was shown and answered twice")
    assert found.one.linear_share.linear.value is not None
    assert found.one.linear_share.consistent.note == noise.note
    plain(found)


def test_missing_responses_are_counted_and_left_out():
    table, source = run(OBSERVER, "2afc", 600, 0.13, seed=5)
    table = table.assign(response=table["response"].astype("Int64"))
    table.loc[::7, "response"] = None
    found = depths(session(table, source), orders=1)
    assert found.summary.n_missing == 86
    assert found.one.fitted.n_trials == 600 - 86
    plain(found)


def test_noise_that_is_not_gaussian_is_named_where_it_matters():
    biased = Linear(OBSERVER.template, criterion=0.1)
    table, source = run(biased, "yes_no", 1500, 0.13, seed=5)
    binary = StoredNoise(0.1 * np.sign(source.fields))
    found = depths(session(table, binary, "yes_no"))
    assert "Gaussian" in found.two.kernel.note
    plain(found)
