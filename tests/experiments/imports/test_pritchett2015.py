"""Pritchett & Murray (2015): synthetic files of the set's shape; none of it is ours."""

import numpy as np
import pytest

from yoked.analysis.double_pass.internal_noise import agreement
from yoked.analysis.sessions.kernel import kernel
from yoked.experiments.imports.pritchett2015 import COLUMNS, import_pritchett2015
from yoked.experiments.session.results import load_session
from yoked.experiments.stimulus.matlab5 import pritchett_noise, randn
from yoked.experiments.store.sqlite import open_store

DOT = np.hypot(*(np.indices((38, 38)) - 19)) <= 4


def row(trial, match, contrast, left, seed, response, score, rt="0.475"):
    cells = (trial, match, -1 if match > 0 else 1, f"{contrast:.4f}", left)
    seeds = f"{seed:10}", f"{2 * seed:10}"
    return "\t".join(map(str, (*cells, *seeds, response, 1 - response, score, rt)))


def simulated(n_blocks=4, seed=1, noise_of=lambda seeds: seeds):
    """Return a file's text: blocks of 100 trials, each shown again after them."""
    rng = np.random.default_rng(seed)
    lines, title = ["", "% experiment 2, subject 4", ""], "% " + " ".join(COLUMNS)
    for block in range(n_blocks):
        seeds = rng.integers(2_000_000, 2_200_000, 100)
        left = rng.integers(0, 2, 100)
        # What the observer sees, by the authors' own words: the dots' sums.
        sides = [pritchett_noise(noise_of(2 * seeds), side) for side in (0, 1)]
        evidence = [(side[:, 0] * DOT).sum(axis=(1, 2)) for side in sides]
        difference = evidence[1] - evidence[0] + 3 * (1 - 2 * left)
        lines += [f"% 19-Jun-2001 {9 + block:02}:41:03", title]
        for second in (0, 1):
            said = (difference + rng.normal(0, 1.5, 100) > 0).astype(int)
            for i in range(100):
                score = int(said[i] == 1 - left[i])
                match = i + 1 if second else -1
                number = 100 * second + i + 1
                lines.append(
                    row(number, match, 0.055, left[i], seeds[i], said[i], score)
                )
        lines += [f"% finished {9 + block:02}:47:48", "", ""]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def text():
    return simulated()


def written(folder, text):
    path = folder / "experiment2_subject4.txt"
    path.write_text(text)
    return path


def test_a_file_of_the_sets_shape_gives_back_its_observer(tmp_path, db_path, text):
    session = load_session(
        db_path, import_pritchett2015(written(tmp_path, text), db_path)
    )
    assert session.observer == "pritchett2015-exp2-observer4-unverified"
    assert len(session.trials) == 800
    assert session.trials["repeats"].notna().sum() == 400
    found = kernel(session, method="weighted_sum").kernel[0]
    z = found / found[~DOT].std()
    assert z[DOT].mean() > 10 * abs(z[~DOT].mean())
    assert z[DOT].mean() > 1.2
    assert 0.6 < agreement(session).value < 0.98
    scores = [line.split("\t")[-2] for line in text.splitlines() if "\t" in line]
    assert session.trials["correct"].mean() == scores.count("1") / 800


def test_a_recording_keeps_its_own_date(tmp_path, db_path, text):
    late = text.replace("% finished 12:47:48", "% finished 00:02:03")
    session = import_pritchett2015(written(tmp_path, late), db_path)
    store = open_store(db_path, to_read=True)
    row = store.session(session)
    (event,) = store.events(session)
    store.close()
    assert row.started_at == "2001-06-19T09:41:03"
    assert row.ended_at == "2001-06-20T00:02:03"  # after midnight
    assert event["detail"]["started_at"] == row.started_at
    assert not any("left out" in note for note in event["detail"]["notes"])


def test_the_noise_is_randn_with_what_is_far_drawn_from_what_is_near():
    """The authors' cnormrnd2, in words: MATLAB's columns, the first values within."""
    seed = np.array([4270308])
    drawn = randn(seed, 38 * 76)[0]
    near = [x for x in drawn if abs(x) < 2]
    spare = iter(near)
    clipped = [x if abs(x) < 2 else next(spare) for x in drawn]
    field = 0.2 * np.array(clipped).reshape(76, 38).T
    np.testing.assert_allclose(pritchett_noise(seed, 0)[0, 0], field[:, :38])
    np.testing.assert_allclose(pritchett_noise(seed, 1)[0, 0], np.fliplr(field)[:, :38])


FAULTS = {
    "another trial number": ("\n2\t-1", "\n7\t-1", "trial in line .* must be 2, got 7"),
    "a repeat of another stimulus": (
        "\n101\t1\t",
        "\n101\t2\t",
        "must repeat trial 2, got another stimulus",
    ),
    "no trial": (None, "% nothing\n", "must hold a block of trials, got none"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_refused_with_its_line(tmp_path, db_path, text, fault):
    old, new, sentence = FAULTS[fault]
    wrong = new if old is None else text.replace(old, new, 1)
    with pytest.raises(ValueError, match=sentence):
        import_pritchett2015(written(tmp_path, wrong), db_path)
    assert not db_path.exists()


def test_the_same_file_again_is_refused(tmp_path, db_path, text):
    path = written(tmp_path, text)
    first = import_pritchett2015(path, db_path)
    with pytest.raises(ValueError, match=f"session {first}"):
        import_pritchett2015(path, db_path)
