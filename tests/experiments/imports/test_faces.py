"""Experiments of rcicr and rcpyci become sessions, with nothing lost of their noise."""

import shutil
import subprocess

import numpy as np
import pytest

import yoked
from tests.experiments.imports.faces import (
    RCICR,
    RCPYCI,
    correlation,
    linear_responses,
    noise_images,
    write_table,
)
from yoked.experiments.imports.face_choices import FaceSettings
from yoked.experiments.imports.face_sessions import import_faces
from yoked.experiments.imports.rcicr_file import read_rcicr
from yoked.experiments.imports.rcpyci_file import read_rcpyci
from yoked.experiments.protocols.picture import picture_levels
from yoked.experiments.store.sqlite import open_store

SIZE, SCALES, N = 32, 3, 400
K = 12 + 48 + 192
FROM_1 = FaceSettings(counted_from=1)


@pytest.fixture
def parameters():
    return np.random.default_rng(3).uniform(-1, 1, (N, K))


@pytest.fixture
def stimuli(tmp_path, parameters):
    np.save(tmp_path / "parameters.npy", parameters)
    return read_rcpyci(tmp_path / "parameters.npy", image_size=SIZE)


def table_of(path, responses, name="p1", first=0):
    rows = [(name, i + first, int(r)) for i, r in enumerate(responses)]
    return write_table(path, rows)


def classification_image(session):
    found = yoked.kernel(session, method="weighted_sum")
    return found.drawn()["classification_image"][0]


def test_the_classification_image_is_that_of_rcpyci(tmp_path, db_path):
    """The reference is rcpyci's own, 0.10.1; make_reference.py has made it."""
    path = RCPYCI / "reference.npz"
    with np.load(path) as held:
        image, responses = held["image"], held["responses"]
    table = table_of(tmp_path / "r.csv", responses)
    stimuli = read_rcpyci(path, image_size=len(image))
    (found,) = import_faces(stimuli, table, db_path, FaceSettings())
    ours = classification_image(yoked.load_session(db_path, found.session))
    assert correlation(ours, image) > 1 - 1e-9
    ratio = ours.ravel() @ image.ravel() / (image.ravel() @ image.ravel())
    np.testing.assert_allclose(ours, ratio * image, atol=1e-5 * np.abs(ours).max())
    assert abs((responses == 1).mean() - 0.5) > 0.05  # where class means would differ


def test_the_reference_is_what_rcpyci_says_today(tmp_path, rcpyci_python):
    path = tmp_path / "again.npz"
    script = RCPYCI / "make_reference.py"
    subprocess.run([rcpyci_python, script, path], check=True, env={})
    with np.load(path) as again, np.load(RCPYCI / "reference.npz") as kept:
        np.testing.assert_allclose(again["image"], kept["image"], atol=1e-12)
        np.testing.assert_array_equal(again["responses"], kept["responses"])


def test_a_file_of_rcicr_gives_what_was_shown(tmp_path, db_path):
    pytest.importorskip("rdata")
    stimuli = read_rcicr(RCICR / "stimuli.Rdata")
    assert stimuli.parameters.shape == (40, 60)
    assert stimuli.details == {"base_face": "face", "seed": 1.0, "label": "rcic"}
    responses = np.where(np.arange(40) % 3 == 0, -1, 1)
    table = table_of(tmp_path / "r.csv", responses, first=1)
    (found,) = import_faces(stimuli, table, db_path, FROM_1)
    session = yoked.load_session(db_path, found.session)
    noise = noise_images(stimuli.parameters, 32, 2)
    pixel = ((noise + 0.3) / 0.6 + stimuli.picture) / 2  # as rcicr writes its PNGs
    shown = session.noise.field(session.trials, 0)[:, 0]
    assert np.abs(2 * pixel - 1 - shown - (stimuli.picture - 0.5)).max() < 1e-6
    inverted = session.noise.field(session.trials, 1)[:, 0]
    np.testing.assert_array_equal(inverted, -shown)
    behind = picture_levels(session.protocol)
    assert np.abs(behind[0] - 127 * (stimuli.picture - 0.5)).max() <= 0.5
    ours = classification_image(session)
    sums = (responses[:, None, None] * noise).mean(axis=0)
    assert correlation(ours, sums) > 1 - 1e-9


def test_rscript_writes_what_is_read(tmp_path, db_path):
    pytest.importorskip("rdata")
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("Rscript is not installed: apt-get install r-base-core")
    path = tmp_path / "stimuli.Rdata"
    size = [str(SIZE), str(SCALES), "300", "5"]
    subprocess.run([rscript, RCICR / "make_stimuli.R", path, *size], check=True)
    stimuli = read_rcicr(path)
    template = np.random.default_rng(9).normal(size=K)
    made = [linear_responses(stimuli.parameters, template, 1.0, seed=s) for s in (1, 2)]
    rows = [(f"p{s}", i + 1, r) for s in (0, 1) for i, r in enumerate(made[s])]
    table = write_table(tmp_path / "r.csv", rows)
    found = import_faces(stimuli, table, db_path, FROM_1)
    assert [each.observer for each in found] == ["p0", "p1"]
    for each, responses in zip(found, made, strict=True):
        session = yoked.load_session(db_path, each.session)
        sums = responses @ stimuli.parameters
        kernel = yoked.kernel(session, method="weighted_sum").kernel
        assert correlation(kernel, sums) > 1 - 1e-9
        assert correlation(kernel, template) > 0.4  # .71 of the decision in 300 trials


def test_several_participants_and_conditions_are_sessions(
    tmp_path, db_path, stimuli, parameters
):
    rng, templates = np.random.default_rng(5), {}
    rows = []
    for who, condition in (("ann", "trust"), ("ann", "warm"), ("bob", "trust")):
        templates[who, condition] = rng.normal(size=K)
        given = linear_responses(parameters, templates[who, condition], 0.5)
        rows += [(who, i, r, condition) for i, r in enumerate(given)]
    header = ("participant_id", "stimulus_id", "responses", "condition")
    table = write_table(tmp_path / "data.csv", rows, header)
    found = import_faces(stimuli, table, db_path, FaceSettings())
    assert [(each.observer, each.condition) for each in found] == list(templates)
    for each in found:
        session = yoked.load_session(db_path, each.session)
        assert set(session.trials["condition"]) == {each.condition}
        own = yoked.kernel(session).kernel
        for key, template in templates.items():
            is_own = key == (each.observer, each.condition)
            assert (correlation(own, template) > 0.5) == is_own


def test_nothing_is_correct_where_nothing_can_be(tmp_path, db_path, stimuli):
    responses = np.where(np.arange(N) % 2, 1, -1)
    table = table_of(tmp_path / "r.csv", responses)
    (found,) = import_faces(stimuli, table, db_path, FaceSettings())
    session = yoked.load_session(db_path, found.session)
    assert session.trials["correct"].isna().all()
    assert not session.protocol.task.has_target
    whole = yoked.summarise(session).pooled
    for estimate in (whole.dprime, whole.criterion, whole.proportion_correct):
        assert (estimate.value, estimate.note) == (
            None,
            "the task has no correct answer",
        )


def test_a_stimulus_that_comes_again_is_a_pair(tmp_path, db_path, stimuli):
    rows = [("p1", i, 1 if i % 3 else -1) for i in (*range(100), *range(60))]
    rows[3] = ("p1", 3, "NA")
    table = write_table(tmp_path / "r.csv", rows)
    (found,) = import_faces(stimuli, table, db_path, FaceSettings())
    assert (found.n_trials, found.n_pairs, found.n_missing) == (160, 60, 1)
    session = yoked.load_session(db_path, found.session)
    assert session.trials["repeats"].dropna().tolist() == list(range(60))
    agreement = yoked.agreement(session)
    assert (agreement.value, agreement.n) == (1.0, 59)


def test_the_same_experiment_is_imported_once(tmp_path, db_path, stimuli, parameters):
    given = linear_responses(parameters, np.ones(K), 1.0)
    import_faces(stimuli, table_of(tmp_path / "r.csv", given), db_path, FaceSettings())
    for name, copy in (("copy.csv", given), ("less.csv", given)):
        path = table_of(tmp_path / name, copy)
        with pytest.raises(ValueError, match="must be new to the database"):
            import_faces(stimuli, path, db_path, FaceSettings())
    import_faces(
        stimuli, table_of(tmp_path / "other.csv", -given), db_path, FaceSettings()
    )
    store = open_store(db_path, to_read=True)
    try:
        assert len(store.sessions()) == 2
    finally:
        store.close()


def test_a_second_order_kernel_is_refused_by_its_reason(tmp_path, db_path, stimuli):
    table = table_of(tmp_path / "r.csv", np.where(np.arange(N) % 2, 1, -1))
    (found,) = import_faces(stimuli, table, db_path, FaceSettings())
    session = yoked.load_session(db_path, found.session)
    with pytest.raises(ValueError, match="got opposite pairs"):
        yoked.kernel(session, order=2)


@pytest.mark.parametrize(
    ("header", "row", "fault"),
    [
        (("subject", "stimulus", "answer"), ("p", 1, 1), "must have a column response"),
        (("subject", "stimulus", "response"), ("p", 1, 0), "must be 1 or original, -1"),
        (
            ("subject", "stimulus", "response"),
            ("p", 401, 1),
            "from 0 to 399, got '401'",
        ),
        (("subject", "stimulus", "response"), ("p", 400, 1), "say --counted-from 1"),
        (("subject", "stimulus", "response"), ("", 1, 1), "subject in row 1 .* a name"),
        (
            ("stimulus", "stimulus_id", "response"),
            (1, 1, 1),
            "must be one, named by --column stimulus_id=NAME",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(
    tmp_path, db_path, stimuli, header, row, fault
):
    table = write_table(tmp_path / "r.csv", [row], header)
    with pytest.raises(ValueError, match=fault):
        import_faces(stimuli, table, db_path, FaceSettings())


@pytest.mark.parametrize(
    ("shape", "scale", "size", "fault"),
    [
        ((5, 61), 1, 32, "for each of 12, 60, 252, .* got 61"),
        ((5, 60), 2, 32, "must be from -1 to 1, got "),
        ((60,), 1, 32, r"must be an array of numbers \(stimulus, coefficient\)"),
        ((5, 60), 1, 33, "must suit a picture of 33 pixels"),
        ((5, 60), 1, None, "must be given by the base picture or as image_size"),
    ],
)
def test_parameters_that_do_not_fit_are_one_sentence(
    tmp_path, shape, scale, size, fault
):
    path = tmp_path / "parameters.npy"
    np.save(path, scale * np.random.default_rng(1).uniform(-1, 1, shape))
    with pytest.raises(ValueError, match=fault):
        read_rcpyci(path, image_size=size)


def test_what_is_no_file_of_rcicr_is_one_sentence(tmp_path):
    pytest.importorskip("rdata")
    path = tmp_path / "stimuli.Rdata"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"stimuli\.Rdata must be an R data file"):
        read_rcicr(path)
    with pytest.raises(ValueError, match="must be one of face, got 'other'"):
        read_rcicr(RCICR / "stimuli.Rdata", "other")
