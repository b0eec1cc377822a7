"""Published observers: every number they printed, and files that are not theirs."""

from dataclasses import replace

import numpy as np
import pytest

from yoked.analysis.sessions.kernel import kernel as kernel_of
from yoked.analysis.sessions.summary import summarise
from yoked.experiments.imports.murray2015 import (
    PUBLISHED,
    import_murray2015,
    read_murray2015,
    write_session,
)
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.signal import signal_template
from yoked.experiments.session.results import load_session
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial_log import TrialConflict

# Kernel of observer 1 by distance from the middle, and its centre against the
# background; from an independent analysis of the same file.
PROFILE = [0.128, 0.131, 0.104, 0.069, 0.038, 0.019, 0.006]


@pytest.fixture
def published(shared_data):
    return shared_data("murray2015/experiment1_subject01.txt")


@pytest.fixture
def short(shared_data):
    return shared_data("murray2015/experiment2_subject01.txt")


@pytest.fixture(scope="module")
def imported(shared_data, tmp_path_factory):
    path = shared_data("murray2015/experiment1_subject01.txt")
    db_path = tmp_path_factory.mktemp("murray2015") / "results.db"
    return load_session(db_path, import_murray2015(path, db_path))


def distances():
    y, x = np.mgrid[-15:16, -15:16]
    return np.hypot(y, x)


def test_the_imported_session_is_a_finished_one_of_the_shipped_protocol(imported):
    assert imported.observer == "murray2015-exp1-observer1"
    assert imported.status == "finished"
    assert (imported.row.observer.kind, imported.row.presenter) == ("person", "import")
    assert imported.noise.name == "matlab5-rand"
    assert imported.protocol.hash == load_protocol("disk-polarity").hash


def test_no_trial_is_lost_screened_or_out_of_order(imported):
    trials = imported.trials
    assert trials["trial"].tolist() == list(range(9900))
    assert trials["block"].tolist() == np.repeat(np.arange(33), 300).tolist()
    assert len(imported.counted) == 9900
    assert (trials["rt_ms"] < 100).mean() == pytest.approx(0.16, abs=0.005)


def test_the_log_holds_what_the_file_says_row_by_row(imported, published):
    rows = np.loadtxt(published, comments="%")
    trials = imported.trials
    names = ("target", "response", "stimulus_id", "contrast", "correct", "rt_ms")
    logged = trials[list(names)].to_numpy(float)
    expected = rows[:, [2, 6, 3, 5, 7, 8]] - [1, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(logged / [1, 1, 1, 1, 1, 1000], expected, atol=1e-12)


def test_proportions_correct_and_agreement_are_the_published_ones(imported):
    trials = imported.trials
    second = trials[trials["repeats"].notna()]
    first = trials.loc[second["repeats"].astype(int)]
    assert len(second) == 1650
    agreement = (second["response"].to_numpy() == first["response"].to_numpy()).mean()
    both = np.concatenate([first["correct"], second["correct"]]).astype(bool)
    assert round(trials["correct"].mean(), 4) == 0.7243
    assert round(both.mean(), 4) == 0.7055
    assert round(agreement, 4) == 0.7588


def test_both_trials_of_a_pair_show_the_same_and_the_first_comes_first(imported):
    trials = imported.trials
    second = trials[trials["repeats"].notna()]
    first = trials.loc[second["repeats"].astype(int)]
    same = ["stimulus_id", "target", "contrast", "block"]
    np.testing.assert_array_equal(first[same], second[same])
    assert (second["trial"].to_numpy() - first["trial"].to_numpy() == 50).all()
    assert set(second["pass"]) == {2}
    assert set(first["pass"]) == {1}


def test_the_kernel_of_the_regenerated_noise_has_the_published_profile(imported):
    trials = imported.counted
    noise = [imported.noise.field(trials, k)[:, 0] for k in (0, 1)]
    difference = noise[1] - noise[0]  # (trial, row, column), contrast
    targets, responses = (trials[c].to_numpy(int) for c in ("target", "response"))
    # Per target: noise after response 1 less noise after response 0; then the sum.
    means = {
        (target, response): difference[(targets == target) & (responses == response)]
        for target in (0, 1)
        for response in (0, 1)
    }
    kernel = sum(
        means[target, 1].mean(axis=0) - means[target, 0].mean(axis=0)
        for target in (0, 1)
    )
    rings = np.rint(distances()).astype(int)
    profile = [kernel[rings == ring].mean() for ring in range(len(PROFILE))]
    background = kernel[rings > 10]
    assert np.round(profile, 3).tolist() == PROFILE
    assert (kernel[15, 15] - background.mean()) / background.std() > 7


def test_the_shipped_signal_is_the_published_one(shared_data):
    published = np.loadtxt(
        shared_data("murray2015/signal_experiment1.txt"), comments="%"
    )
    template = signal_template(load_protocol("disk-polarity"))[0]
    # Theirs has three decimals, stops at a radius of .2 degrees (7.65 elements), and is
    # exactly a Gaussian of 2.098 elements there.
    inside = distances() < 7.65
    exact = np.exp(-(distances() ** 2) / (2 * 2.098**2))
    np.testing.assert_allclose(exact[inside], published[inside], rtol=0, atol=0.0005001)
    assert published[~inside].max() == 0
    # Ours differs from it by less than a sixth of a level at their highest contrast.
    assert np.abs(template - published).max() * 127 * 0.41754 < 1 / 6


def test_every_pinned_file_at_hand_is_read(shared_data):
    found = 0
    for name in PUBLISHED:
        data = read_murray2015(shared_data(f"murray2015/{name}"))
        assert data.is_pinned
        assert data.sha256 == PUBLISHED[name].sha256
        n_pairs = sum(spec.repeats is not None for spec in data.specs)
        assert (len(data.specs), n_pairs) in {(9900, 1650), (500, 200)}
        found += 1
    assert found == len(PUBLISHED) == 6


def test_experiment_2_is_imported_with_the_same_stimuli_and_its_own_blocks(
    short, db_path
):
    session = load_session(db_path, import_murray2015(short, db_path))
    shipped = load_protocol("disk-polarity")
    assert session.observer == "murray2015-exp2-observer1"
    assert session.protocol.stimulus_hash == shipped.stimulus_hash
    assert session.protocol.n_main_trials == len(session.trials) == 500
    assert session.protocol.double_pass.n_pairs == 200


EXPERIMENT_2 = {
    # observer: proportion correct, agreement; counted from the files by themselves.
    1: (0.754, 0.760),
    2: (0.808, 0.830),
    3: (0.652, 0.505),
    4: (0.628, 0.600),
    5: (0.700, 0.605),
}


@pytest.mark.parametrize("number", EXPERIMENT_2)
def test_each_observer_of_experiment_2_goes_through_the_whole_analysis(
    shared_data, db_path, number
):
    path = shared_data(f"murray2015/experiment2_subject{number:02}.txt")
    session = load_session(db_path, import_murray2015(path, db_path))
    pooled = summarise(session).pooled
    rows = np.loadtxt(path, comments="%")
    second = rows[rows[:, 1] > 0]
    first = rows[second[:, 1].astype(int) - 1]
    correct, agreement = EXPERIMENT_2[number]
    assert pooled.proportion_correct.value == rows[:, 7].mean() == correct
    assert pooled.agreement.value == (first[:, 6] == second[:, 6]).mean() == agreement
    # Observer 3 gave the same responses again no more often than by chance.
    gamma = pooled.internal_noise.gamma
    assert np.isinf(gamma.value) == (number == 3) == (gamma.note is not None)
    kernel = kernel_of(session, method="weighted_sum")
    assert kernel.kernel.shape == (1, 31, 31)
    assert np.isfinite(kernel.kernel).all()
    assert np.isfinite(kernel.se).all()


def test_five_observers_of_experiment_2_see_the_disk_together(shared_data, db_path):
    """One has too few trials for a kernel; the five of them do not."""
    template = signal_template(load_protocol("disk-polarity"))
    kernels = []
    for number in EXPERIMENT_2:
        path = shared_data(f"murray2015/experiment2_subject{number:02}.txt")
        session = load_session(db_path, import_murray2015(path, db_path))
        kernels.append(kernel_of(session, method="weighted_sum").kernel)
    together = np.sum(kernels, axis=0)
    # Elements are independent: the weighted sum has a known z against no kernel.
    weight = template / np.linalg.norm(template)
    background = together[template < 0.01].std()
    assert (together * weight).sum() / background > 4


def test_two_observers_share_a_database_and_each_is_in_it_once(
    short, shared_data, db_path
):
    other = shared_data("murray2015/experiment2_subject02.txt")
    first, _ = (import_murray2015(path, db_path) for path in (short, other))
    with pytest.raises(ValueError, match=rf"must be new .* session {first} again"):
        import_murray2015(short, db_path)
    store = open_store(db_path)
    assert [row.n_trials for row in store.sessions()] == [500, 500]
    store.close()


def changed(path, tmp_path, old, new, name=None):
    """Copy a file with the first `old` replaced; `old` must be there."""
    content = path.read_text()
    assert old in content
    copy = tmp_path / (name or path.name)
    copy.write_text(content.replace(old, new, 1))
    return copy


@pytest.mark.parametrize("name", ["experiment2_subject01.txt", "mine.txt"])
def test_an_altered_file_is_refused_under_any_name_and_nothing_is_written(
    short, tmp_path, db_path, name
):
    altered = changed(short, tmp_path, "75716742", "75716743", name)
    expected = PUBLISHED["experiment2_subject01.txt"].sha256
    with pytest.raises(
        ValueError, match=rf"{expected}, got \w+; it was altered or cut"
    ):
        import_murray2015(altered, db_path)
    assert not db_path.exists()


def test_a_truncated_file_is_refused_and_a_database_keeps_what_it_had(
    short, published, tmp_path, db_path
):
    before = import_murray2015(short, db_path)
    cut = tmp_path / published.name
    cut.write_bytes(published.read_bytes()[:200_000])
    with pytest.raises(ValueError, match="altered or cut short"):
        import_murray2015(cut, db_path)
    store = open_store(db_path)
    assert [row.id for row in store.sessions()] == [before]
    store.close()


def test_an_unknown_file_is_refused(tmp_path, db_path):
    path = tmp_path / "notes.txt"
    path.write_text("nothing of the kind")
    with pytest.raises(
        ValueError, match=r"notes\.txt must be a published file such as"
    ):
        import_murray2015(path, db_path)
    assert not db_path.exists()


def test_an_altered_file_that_is_allowed_says_so_in_its_observers_name(short, tmp_path):
    altered = changed(short, tmp_path, "75716742", "75716743")
    data = read_murray2015(altered, allow_unpublished=True)
    assert (data.observer, data.is_pinned) == (
        "murray2015-exp2-observer1-altered",
        False,
    )


FAULTS = {
    "a trial missing": (
        "   2\t  -1\t1\t  49451745",
        "   3\t  -1\t1\t  49451745",
        "trial in line 5 of .* must be 2, got 3",
    ),
    "a score that contradicts": (
        "0.42688\t1\t1\t0.698",
        "0.42688\t1\t0\t0.698",
        "correct in line 4 of .* must be 1 as response and target say, got 0",
    ),
    "a response of 3": (
        "0.42688\t1\t1\t0.698",
        "0.42688\t3\t0\t0.698",
        "response in line 4 of .* must be 1 or 2, got 3",
    ),
    "a contrast beyond the screen": (
        "0.42688",
        "0.92688",
        r"signal_contrast in line 4 of .* must be in \(0, \.5\], got 0\.92688",
    ),
    "a time that is none": ("0.698", "nan", "rt in line 4 of .* must be a time in s"),
    "a seed with a fraction": (
        "75716742",
        "75716742.5",
        r"randseed in line 4 of .* must be a whole number in \[0, 2\^32\)",
    ),
    "a match with a later trial": (
        "   1\t  -1",
        "   1\t  9",
        "matchtrial in line 4 of .* must be -1 or an earlier trial, got 9",
    ),
    "a pair with two seeds": (
        " 101\t1\t  50234103",
        " 101\t1\t  50234104",
        "line 154 of .* must repeat trial 101, got another stimulus",
    ),
    "a column missing": ("\t0.698", "", "line 4 of .* must have 9 columns, got 8"),
    "a word for a number": (
        "0.698",
        "fast",
        "line 4 of .* must hold numbers, got 1 -1",
    ),
    "no beginning": (
        "% 24-Feb-2015 14:33:43",
        "",
        "line 4 of .* must come after its block's start time",
    ),
    "an end at no time": (
        "% finished 24-Feb-2015 15:12:07",
        "% finished yesterday",
        "line 504 of .* must be a time like 03-Jul-2013 11:39:52, got 'yesterday'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_refused_though_unpublished_ones_are_allowed(
    short, tmp_path, db_path, fault
):
    old, new, sentence = FAULTS[fault]
    path = changed(short, tmp_path, old, new)
    with pytest.raises(ValueError, match=sentence):
        import_murray2015(path, db_path, allow_unpublished=True)
    assert not db_path.exists()


def test_blocks_missing_from_experiment_1_are_noticed(published, tmp_path):
    content = published.read_text()
    end_of_second = content.index("% finished", content.index("% finished") + 1)
    cut = tmp_path / published.name
    cut.write_text(content[: content.index("\n", end_of_second) + 1])
    with pytest.raises(ValueError, match="33 blocks of 300 trials, got 2 with 600"):
        read_murray2015(cut, allow_unpublished=True)


def test_a_block_that_does_not_end_before_the_next_is_noticed(published, tmp_path):
    merged = changed(published, tmp_path, "% finished 03-Jul-2013 12:15:11", "")
    with pytest.raises(ValueError, match=r"must end the block before the next begins"):
        read_murray2015(merged, allow_unpublished=True)


def test_a_write_that_fails_half_way_leaves_the_database_as_it_was(
    short, published, db_path
):
    before = import_murray2015(short, db_path)
    data = read_murray2015(published)
    # The store writes 5,000 rows at a time; the last trial contradicts the first.
    twice = (*data.specs[:-1], replace(data.specs[-1], trial=0))
    store = open_store(db_path)
    with pytest.raises(TrialConflict, match=r"trial 0 of .* must be sent as it was"):
        write_session(store, replace(data, specs=twice))
    assert [(row.id, row.n_trials) for row in store.sessions()] == [(before, 500)]
    store.close()


def test_a_missing_file_is_named(tmp_path, db_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.txt"):
        import_murray2015(tmp_path / "nowhere.txt", db_path)
