"""Summaries: right numbers, pooled and by contrast, and limits that are named."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from yoked.analysis.double_pass.internal_noise import agreement
from yoked.analysis.sensitivity import sdt
from yoked.analysis.sensitivity.by_task import dprime
from yoked.analysis.sessions.summary import summarise
from yoked.analysis.trials.responses import responses

from ..observers.linear import Linear, run, session

OBSERVER = Linear(np.ones(1), gamma=1.0)
SIGNAL = ndtri(0.75) * math.sqrt(2) * OBSERVER.sd_decision


def human(task="2afc", n=600, signal=SIGNAL, seed=1, n_pairs=200, **options):
    table, source = run(OBSERVER, task, n, signal, seed, n_pairs=n_pairs, **options)
    return session(table, source, task)


@pytest.mark.parametrize(
    ("task", "gains"), [("2afc", (0, 1)), ("yes_no", (0, 1)), ("mafc", (0, 1))]
)
def test_dprime_is_that_of_the_simulated_observer(task, gains):
    m = 4 if task == "mafc" else 2
    d = 1.3
    made = human(
        task, 4000, d * OBSERVER.sd_decision, 2, 0, n_alternatives=m, gains=gains
    )
    estimate = dprime(made)
    assert abs(estimate.value - d) < 4 * estimate.se
    formula = {"2afc": "2afc", "yes_no": "yes-no", "mafc": "mafc"}[task]
    assert estimate.formula == f"dprime-{formula}-loglinear/2"


def test_the_counts_go_to_their_places():
    table, source = run(OBSERVER, "yes_no", 40, 0.1, seed=3)
    table["target"] = np.repeat([1, 0], 20)
    table["response"] = np.repeat([1, 0, 1, 0], [15, 5, 4, 16])
    found = summarise(session(table, source, "yes_no")).pooled
    assert found.dprime == sdt.dprime_from_counts(15, 5, 4, 16)
    assert found.criterion == sdt.criterion_from_counts(15, 5, 4, 16)
    found = summarise(session(table, source, "2afc")).pooled
    # The first interval plays the signal: 16 of 20 answered "first" when it was.
    assert found.dprime == sdt.dprime_2afc(16, 4, 5, 15)
    assert found.criterion == sdt.interval_bias(16, 4, 5, 15)
    assert found.proportion_correct.value == 31 / 40


def test_a_rating_is_read_as_yes_or_no():
    table, source = run(OBSERVER, "yes_no", 200, 0.2, seed=4)
    rated = table.assign(response=3 * table["response"] + np.arange(200) % 3)
    yes_no = summarise(session(table, source, "yes_no")).pooled
    rating = summarise(session(rated, source, "rating")).pooled
    assert rating.dprime == yes_no.dprime
    assert rating.criterion == yes_no.criterion


def test_a_summary_counts_what_it_leaves_out():
    made = human(n=100, n_pairs=0)
    trials = made.trials
    trials.loc[:9, "block_kind"] = "practice"
    trials.loc[10:12, "excluded"] = True
    trials.loc[12:15, "valid"] = False
    trials.loc[15:20, "response"] = pd.NA
    found = summarise(made)
    numbers = (found.n_trials, found.n_excluded, found.n_invalid, found.n_missing)
    assert numbers == (90, 3, 3, 5)
    assert found.n_counted == 90 - 3 - 3 - 5


def test_contrasts_come_alone_and_pooled():
    made = human(signal=[SIGNAL, 2 * SIGNAL], n=2000, n_pairs=600)
    found = summarise(made)
    assert [part.contrast for part in found.by_contrast] == [1.0, 2.0]
    assert sum(part.n_trials for part in found.by_contrast) == 2000
    low, high = (part.dprime.value for part in found.by_contrast)
    assert low < found.pooled.dprime.value < high
    assert "counts pooled over 2 contrasts" in found.pooled.dprime.note
    assert sum(part.agreement.n for part in found.by_contrast) == found.n_pairs == 600


def test_both_estimators_of_internal_noise_find_gamma():
    found = summarise(human(n=8000, n_pairs=4000)).pooled
    for noise in (found.internal_noise, found.internal_noise_by_agreement):
        assert abs(noise.gamma.value - 1) < 4 * noise.gamma.se


def test_standard_errors_allow_for_trials_shown_twice():
    # All trials twice; the passes' correctness correlates by about .31 at gamma 1.
    rng = np.random.default_rng(5)
    found = [
        dprime(human(n=400, n_pairs=200, seed=int(seed)))
        for seed in rng.integers(0, 2**31, 300)
    ]
    spread = np.std([estimate.value for estimate in found])
    mean_se = np.mean([estimate.se for estimate in found])
    assert mean_se == pytest.approx(spread, rel=4 / math.sqrt(2 * 300))
    assert "trials shown twice" in found[0].note


def test_the_short_forms_are_the_summarys_numbers():
    made = human()
    found = summarise(made)
    assert dprime(made) == found.pooled.dprime
    assert agreement(made) == found.pooled.agreement == agreement(responses(made))


def test_a_strong_interval_bias_comes_with_a_warning():
    table, source = run(Linear(np.ones(1), criterion=0.2), "2afc", 500, SIGNAL, seed=6)
    found = summarise(session(table, source)).pooled.criterion
    assert found.value < -0.2
    assert "under-states sensitivity" in found.note


def test_no_pairs_are_named():
    found = summarise(human(n_pairs=0)).pooled
    for estimate in (found.agreement, found.internal_noise.gamma):
        assert estimate.value is None
        assert estimate.note == "no trial was shown and answered twice"


def test_a_constant_responder_is_named():
    made = human()
    made.trials["response"] = 1
    found = summarise(made).pooled
    assert "every response was 1" in found.dprime.note
    assert found.dprime.value == pytest.approx(0, abs=0.05)
    assert found.agreement.value == 1


def test_a_constant_yes_sayer_has_no_measurable_internal_noise():
    made = human("yes_no")
    made.trials["response"] = 1
    found = summarise(made).pooled
    for noise in (found.internal_noise, found.internal_noise_by_agreement):
        assert "the responses never varied" in noise.gamma.note


def test_an_errorless_observer_is_named():
    made = human()
    made.trials["response"] = made.trials["target"].astype("Int64")
    found = summarise(made).pooled
    assert "every response was correct" in found.dprime.note
    assert found.dprime.high == math.inf


def test_few_trials_are_named():
    assert "only 12 trials" in dprime(human(n=12, n_pairs=0)).note


def test_a_class_without_trials_is_named():
    made = human()
    made.trials["target"] = 0
    assert dprime(made).note == "no counted trial has target 1"


@pytest.mark.parametrize("task", ["2afc", "yes_no", "mafc", "rating"])
def test_a_session_without_trials_says_so_everywhere(task):
    made = human("2afc", n=10, n_pairs=0)
    made = session(made.trials.iloc[:0].assign(response=0), made.noise, task)
    found = summarise(made)
    assert found.by_contrast == ()
    assert found.pooled.dprime.note == "no trial counts"
    assert found.pooled.proportion_correct.note == "no trial counts"


def test_several_alternatives_name_what_they_lack():
    found = summarise(human("mafc", n=200, n_pairs=50, n_alternatives=4)).pooled
    assert (
        found.criterion.note == "a task of several alternatives has no single criterion"
    )
    assert "two alternatives, got 4" in found.internal_noise.gamma.note
    assert found.agreement.value is not None


@pytest.mark.parametrize("n", [0, 1, 2, 5, 40, 600])
@pytest.mark.parametrize("task", ["2afc", "yes_no", "mafc"])
def test_a_summary_is_json_without_nan_and_a_gap_has_its_reason(task, n):
    m = 4 if task == "mafc" else 2
    full = human(task, n=800, n_pairs=300, n_alternatives=m)
    part = full.trials.iloc[[*range(n // 2), *range(500, 500 + n - n // 2)]]
    made = session(part.assign(response=part["response"].astype(int)), full.noise, task)
    data = json.loads(json.dumps(summarise(made).to_dict(), allow_nan=False))
    for estimate in estimates(data):
        numbers = [estimate[name] for name in ("value", "low", "high")]
        assert estimate["note"] or None not in numbers


def test_a_summary_is_a_frame_with_a_row_for_each_contrast():
    found = summarise(human(signal=[SIGNAL, 2 * SIGNAL]))
    frame = found.to_frame()
    dprime = frame[frame["quantity"] == "by_contrast.dprime"]
    assert dprime["contrast"].tolist() == [1.0, 2.0]
    assert dprime["se"].tolist() == [part.dprime.se for part in found.by_contrast]
    assert set(frame["session"]) == {found.session}
    assert "pooled.internal_noise.gamma" in set(frame["quantity"])


def test_a_notebook_shows_a_summary_as_the_terminal_does():
    found = summarise(human())
    (row,) = found.table()
    assert (row["trials"], row["d'"]) == (600, found.pooled.dprime.short())
    assert (
        f"<th>d&#x27;</th><td>{found.pooled.dprime.short()}</td>" in found._repr_html_()
    )


def estimates(data):
    """Yield every estimate in a summary's JSON."""
    parts = data.values() if isinstance(data, dict) else data
    if isinstance(data, dict) and "formula" in data:
        yield data
    for part in parts:
        if isinstance(part, dict | list):
            yield from estimates(part)


def test_names_ids_and_row_order_change_no_number():
    made = human(signal=[SIGNAL, 2 * SIGNAL])
    table = made.trials.sample(frac=1, random_state=1)
    table = table.assign(response=table["response"].astype(int))
    other = session(table, made.noise, id="a-0", observer="p10")
    plain, renamed = summarise(made), summarise(other)
    assert renamed.observer == "p10"
    assert renamed.pooled == plain.pooled
    assert renamed.by_contrast == plain.by_contrast


def test_a_published_observer_is_summarised_from_the_trial_log(shared_data, db_path):
    from yoked.experiments.imports.murray2015 import import_murray2015
    from yoked.experiments.session.results import load_session

    path = shared_data("murray2015/experiment1_subject01.txt")
    found = summarise(load_session(db_path, import_murray2015(path, db_path)))
    pooled = found.pooled
    assert (found.n_counted, found.n_pairs) == (9900, 1650)
    assert round(pooled.proportion_correct.value, 4) == 0.7243
    assert round(pooled.agreement.value, 4) == 0.7588
    assert round(pooled.internal_noise_pooled.gamma.value, 3) == 0.762
    assert round(pooled.internal_noise.gamma.value, 2) == 0.81
    assert len(found.by_contrast) == 19
    assert found.by_contrast[0].dprime.note == "no counted trial has target 0"
