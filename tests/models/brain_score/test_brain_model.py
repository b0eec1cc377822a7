"""Our side of Brain-Score's contract, written out: any network as a BrainModel."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import yoked
from yoked.models.brain_score.odd_one_out import odd_ones
from yoked.models.brain_score.stimuli import picture_set
from yoked.models.brain_score.time_bins import overlap_weights

from .made import Brief, Known, Noisy, contrast, drawn, observer, written

pytest.importorskip("xarray")
pytest.importorskip("sklearn")
REGIONS = {"V1": "first", "IT": ["first", "second"]}


def levels(found, dim):
    """Return the names of a dimension's levels."""
    return list(found.indexes[dim].names)


@pytest.fixture
def model():
    return yoked.as_brain_model(observer(), REGIONS, "first")


@pytest.fixture
def table(tmp_path):
    return written(tmp_path, object_name=list("aabbcc"), age=range(6))


def test_it_says_who_it_is_and_what_it_sees(model):
    assert model.identifier == "known"
    assert model.visual_degrees() == 4
    assert isinstance(model.visual_degrees(), int)
    without = yoked.from_torch(Known(), size_px=12, preprocess="contrast")
    assert yoked.as_brain_model(without).visual_degrees() == 8
    named = yoked.as_brain_model(observer(), identifier="mine", visual_degrees=7)
    assert (named.identifier, named.visual_degrees()) == ("mine", 7)


# --- recordings ----------------------------------------------------------------------


def test_a_linear_network_is_recorded_exactly(model, table):
    model.start_recording("IT", time_bins=[(70, 170)])
    found = model.look_at(table)
    net = Known()
    first = contrast(drawn()) @ net.first.weight.detach().numpy().T
    both = np.hstack([first, first @ net.second.weight.detach().numpy().T])
    np.testing.assert_allclose(found.values, both, rtol=1e-4, atol=1e-4)
    assert found["neuroid_num"].values.tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert found["layer"].values.tolist() == ["first"] * 5 + ["second"] * 3


def test_a_recording_is_laid_out_as_an_assembly(model, table):
    model.start_recording("V1", time_bins=[(50, 100), (100, 150), (150, 200)])
    found = model.look_at(table)
    assert found.dims == ("presentation", "neuroid", "time_bin")
    assert found.shape == (6, 5, 3)
    columns = ["stimulus_id", "path", "object_name", "age", "stimulus_path"]
    assert levels(found, "presentation") == columns
    cells = ["neuroid_id", "neuroid_num", "model", "layer", "region"]
    assert levels(found, "neuroid") == cells
    assert levels(found, "time_bin") == ["time_bin_start", "time_bin_end"]
    assert found["time_bin_start"].values.tolist() == [50, 100, 150]
    assert found["age"].values.tolist() == list(range(6))
    assert found["stimulus_path"].values.tolist() == table["path"].tolist()
    assert set(found["region"].values) == {"V1"}
    assert len(set(found["neuroid_id"].values)) == 5
    assert found.sel(stimulus_id="picture-2").sizes["presentation"] == 1
    assert found.attrs["identifier"] == "known"


def test_without_times_every_bin_has_the_same_response(model, table):
    model.start_recording("V1", time_bins=[(50, 100), (100, 150)])
    found = model.look_at(table).values
    np.testing.assert_array_equal(found[..., 0], found[..., 1])


@pytest.mark.parametrize("bins", [None, [(70, 170)]])
def test_one_bin_needs_no_dimension(model, table, bins):
    model.start_recording("V1", bins)
    assert model.look_at(table).dims == ("presentation", "neuroid")


def test_a_network_in_time_has_its_steps_averaged_by_overlap(tmp_path):
    steps = [(50, 100), (100, 150), (150, 200)]
    net = observer(Brief())
    model = yoked.as_brain_model(net, {"IT": "step"}, times={"IT": steps})
    table = written(tmp_path)
    model.start_recording("IT", time_bins=[(50, 100), (75, 150), (100, 200)])
    found = model.look_at(table)
    mean = contrast(drawn()).mean(axis=1)
    expected = mean[:, None] * [1, (0.5 * 1 + 2) / 1.5, 2.5]
    np.testing.assert_allclose(found.values[:, 0], expected, rtol=1e-4, atol=1e-6)
    assert found.attrs["formula"] == "time-bins-overlap-mean/1"
    model.start_recording("IT", [(100, 150)])
    np.testing.assert_allclose(model.look_at(table).values[:, 0], 2 * mean, atol=1e-6)


def test_an_area_that_had_no_input_yet_has_no_bin(tmp_path):
    net = yoked.load_observer("cornet-rt", seed=1)
    table = written(tmp_path, drawn(2))
    bins = [(70, 120), (120, 170)]  # IT has its first output at step 3, of 5
    model = yoked.as_brain_model(net, {"IT": "it"}, times={"IT": bins})
    model.start_recording("IT", bins)
    found = model.look_at(table)
    assert not np.array_equal(found.values[..., 0], found.values[..., 1])
    five = [(20 + 50 * k, 70 + 50 * k) for k in range(5)]
    model = yoked.as_brain_model(net, {"IT": "it"}, times={"IT": five})
    model.start_recording("IT", bins)
    with pytest.raises(ValueError, match="times must be 2 bins, one for each call"):
        model.look_at(table)


def test_files_are_their_own_ids(model, table):
    model.start_recording("V1", [(70, 170)])
    by_files = model.look_at(table["path"].tolist())
    assert by_files["stimulus_id"].values.tolist() == table["path"].tolist()
    np.testing.assert_array_equal(by_files.values, model.look_at(table).values)


def test_a_set_that_knows_its_files_needs_no_column(model, table):
    files = [Path(each) for each in table["path"]]
    known = picture_set({"stimulus_id": table["stimulus_id"]}, files, "six")
    model.start_recording("V1", [(70, 170)])
    found = model.look_at(known[1:4])
    assert found["stimulus_id"].values.tolist() == [f"picture-{k}" for k in (1, 2, 3)]
    np.testing.assert_array_equal(found.values, model.look_at(table).values[1:4])


def test_what_is_shown_in_a_wider_field_is_cut(tmp_path):
    """A picture of 8 degrees before eyes of 4 is its middle."""
    pictures = np.random.default_rng(5).integers(0, 256, (3, 24, 24)).astype(np.uint8)
    table = written(tmp_path / "whole", pictures)
    middle = written(tmp_path / "middle", pictures[:, 6:18, 6:18])
    wide = yoked.as_brain_model(observer(), REGIONS, visual_degrees=8)
    narrow = yoked.as_brain_model(observer(), REGIONS)
    for each in (wide, narrow):
        each.start_recording("V1")
    np.testing.assert_allclose(
        wide.look_at(table).values, narrow.look_at(middle).values, rtol=1e-5, atol=1e-5
    )


def noisy(table, looks=1, trials=1, **options):
    """Return the last of some looks of a new model that puts out noise."""
    model = yoked.as_brain_model(observer(Noisy()), {"V1": "noise"}, **options)
    for _ in range(looks):
        model.start_recording("V1", [(70, 170)])
        found = model.look_at(table, number_of_trials=trials).values
    return found


def test_trials_of_a_noisy_network_are_averaged(tmp_path):
    table = written(tmp_path, drawn(150))
    one, many = noisy(table), noisy(table, trials=25)
    assert one.std() == pytest.approx(1, abs=0.12)  # 600 numbers: SE .03
    assert many.std() == pytest.approx(0.2, abs=0.024)


def test_another_look_is_other_noise_and_another_model_the_same(tmp_path):
    table = written(tmp_path, drawn(150))
    one = noisy(table)
    np.testing.assert_array_equal(one, noisy(table))
    for other in (noisy(table, looks=2), noisy(table, seed=1)):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.2


def test_trials_of_a_network_without_noise_change_nothing(model, table):
    model.start_recording("V1", [(70, 170)])
    once, often = (model.look_at(table, number_of_trials=n) for n in (1, 500))
    np.testing.assert_array_equal(once.values, often.values)


# --- tasks ---------------------------------------------------------------------------


def test_passive_fixation_gives_nothing_and_lets_a_recording_be(model, table):
    model.start_task("passive")
    assert model.look_at(table) is None
    model.start_recording("V1")
    model.start_task("passive")
    assert model.look_at(table).dims == ("presentation", "neuroid")


def test_probabilities_are_of_a_read_out_fitted_to_labels(tmp_path):
    """Bright or dark: the labels of new pictures are told, and rows add up to 1."""
    rng = np.random.default_rng(2)
    gray = np.tile([60, 190], 20)[:, None, None] + rng.integers(-30, 30, (40, 12, 12))
    names = np.tile(["dark", "light"], 20)
    table = written(tmp_path, gray.astype(np.uint8), image_label=names)
    model = yoked.as_brain_model(observer(), REGIONS, "first")
    model.start_task("probabilities", table[:30])
    found = model.look_at(table[30:])
    assert found.dims == ("presentation", "choice")
    assert found.shape == (10, 2)
    assert sorted(found["choice"].values) == ["dark", "light"]
    np.testing.assert_allclose(found.sum("choice"), 1)
    best = found["choice"].values[found.values.argmax(axis=1)]
    assert (best == found["image_label"].values).all()
    one = found.sel(stimulus_id="picture-31", choice="light")
    assert one.values.item() > 0.5
    assert found.attrs["formula"] == "probabilities-logistic-regression/1"


def test_probabilities_are_those_of_scikit_learn(tmp_path):
    """Standardised features, multinomial regression with C = .001, written out."""
    from sklearn.linear_model import LogisticRegression

    labels = list("abcabcabcabc")
    pictures = drawn(12, seed=8)
    table = written(tmp_path, pictures, image_label=labels)
    model = yoked.as_brain_model(observer(), REGIONS, "second")
    model.start_task("probabilities", table)
    net = Known()
    x = contrast(pictures) @ net.first.weight.detach().numpy().T
    x = x @ net.second.weight.detach().numpy().T
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    fitted = LogisticRegression(C=1e-3, solver="newton-cg").fit(x, labels)
    found = model.look_at(table)
    np.testing.assert_allclose(found.values, fitted.predict_proba(x), atol=1e-5)


def test_labels_that_are_numbers_stay_numbers(tmp_path):
    table = written(tmp_path, image_label=[3, 11, 3, 11, 3, 11])
    model = yoked.as_brain_model(observer(), REGIONS, "first")
    model.start_task("probabilities", table)
    assert sorted(model.look_at(table)["choice"].values.tolist()) == [3, 11]


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (["n01", "n02", "n03"], "imagenet"),
        (["n01", "n02", "n03"], ["n03", "n01", "n02"]),
        ({"n01": [0], "n02": [1], "n03": [2]}, ["n01", "n02", "n03"]),
    ],
)
def test_a_label_is_the_class_with_the_largest_output(table, classes, labels):
    model = yoked.as_brain_model(observer(), classes=classes)
    model.start_task("label", labels)
    found = model.look_at(table)
    assert found.dims == ("choice", "presentation")
    assert found.shape == (1, 6)
    net = Known()
    outputs = contrast(drawn()) @ net.first.weight.detach().numpy().T
    outputs = outputs @ net.second.weight.detach().numpy().T
    expected = [f"n0{k + 1}" for k in outputs.argmax(axis=1)]
    assert found.values[0].tolist() == expected
    assert found.sel(stimulus_id="picture-3").values.item() == expected[3]
    assert found["label"].values.tolist() == expected


def test_the_odd_one_is_not_of_the_most_similar_pair(tmp_path):
    """Two pictures that look the same, a third that does not, in each order."""
    alike, other = drawn(1)[0], 255 - drawn(1)[0]
    table = written(tmp_path, np.stack([alike, alike, other]))
    orders = [(0, 1, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0)]
    shown = table.iloc[np.ravel(orders)]
    model = yoked.as_brain_model(observer(), behavioral_layer="first")
    model.start_task("odd_one_out")
    found = model.look_at(shown)
    assert found.dims == ("choice", "presentation")
    assert found.values.tolist() == [[2, 1, 0, 1]]
    assert found["stimulus_id"].values[0] == "picture-0|picture-1|picture-2"
    assert found.attrs["formula"] == "odd-one-out-dot/1"
    by_id = yoked.as_brain_model(
        observer(), behavioral_layer="first", odd_as="stimulus_id", similarity="cosine"
    )
    by_id.start_task("odd_one_out")
    named = by_id.look_at(shown)
    assert named.values.tolist() == [["picture-2"] * 4]
    assert named.attrs["formula"] == "odd-one-out-cosine/1"


def test_dot_and_cosine_are_not_the_same():
    features = np.array([[1.0, 0.0], [2.0, 0.1], [9.0, 9.0]])
    triplet = np.array([[0, 1, 2]])
    assert odd_ones(features, triplet, "dot").tolist() == [0]
    assert odd_ones(features, triplet, "cosine").tolist() == [2]


# --- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m, t: m.look_at(t), "begun by start_task or start_recording, got neit"),
        (lambda m, t: m.start_task("sing"), "task must be one of passive, label, prob"),
        (lambda m, t: m.start_task("probabilities"), "must be given for probabilities"),
        (
            lambda m, t: m.start_task("probabilities", t),
            "must have a column image_label",
        ),
        (
            lambda m, t: m.start_task("probabilities", t.assign(image_label="a")),
            "must show 2 categories or more, got a",
        ),
        (
            lambda m, t: m.start_task("label", ["a", "b"]),
            "classes must be given to as_",
        ),
        (lambda m, t: m.start_recording("V3"), "no layer stands for region 'V3'"),
        (
            lambda m, t: m.start_recording("V1", [(70, 70)]),
            r"pairs \(start, end\) in ms",
        ),
        (
            lambda m, t: m.start_recording("V1", []),
            "time_bins must be one or more pairs",
        ),
        (
            lambda m, t: m.look_at(t, require_variance=True),
            "require_variance must be False",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(model, table, call, sentence):
    with pytest.raises((ValueError, LookupError), match=sentence):
        call(model, table)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda t: t.drop(columns="stimulus_id"),
            "must have a column stimulus_id, got",
        ),
        (lambda t: t.drop(columns="path"), "must have stimulus_paths, get_stimulus or"),
        (lambda t: t.assign(neuroid=1), "must be called other than presentation, neur"),
        (lambda t: t[:0], "stimuli must be one or more, got none"),
        (
            lambda t: "picture.png",
            "a stimulus set, a table or a list of files, got str",
        ),
        (
            lambda t: [*t["path"][:1], "no.png"],
            r"no picture 'no.png' \(1 miss",
        ),
    ],
)
def test_stimuli_that_cannot_be_shown_are_one_sentence(model, table, change, sentence):
    model.start_recording("V1")
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        model.look_at(change(table))


def test_more_trials_than_none_are_needed(model, table):
    model.start_recording("V1")
    with pytest.raises(
        ValueError, match="number_of_trials must be 1 to 1048575, got 0"
    ):
        model.look_at(table, number_of_trials=0)


def test_triplets_are_complete(model, table):
    model.start_task("odd_one_out")
    with pytest.raises(ValueError, match="in triplets, a multiple of 3, got 4"):
        model.look_at(table[:4])


@pytest.mark.parametrize(
    ("labels", "error", "sentence"),
    [
        (["cat", "dok"], LookupError, "no class is called 'dok'.*dog"),
        (["cat"], ValueError, "labels must be 2 or more, got cat"),
        (None, ValueError, "labels must be 2 or more, got none"),
        ("places", ValueError, "labels must be 'imagenet' or a list of labels"),
    ],
)
def test_labels_are_among_the_classes(labels, error, sentence):
    model = yoked.as_brain_model(observer(), classes=["cat", "dog"])
    with pytest.raises(error, match=sentence):
        model.start_task("label", labels)


def test_classes_are_as_many_as_outputs(table):
    model = yoked.as_brain_model(observer(), classes=["cat", "dog"])
    model.start_task("label", "imagenet")
    with pytest.raises(
        ValueError, match="classes must be 3 names, one for each output"
    ):
        model.look_at(table)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"visual_degrees": 0},
            "visual_degrees must be a whole number, 1 or more, got 0",
        ),
        ({"similarity": "euclid"}, "similarity must be one of dot, cosine"),
        ({"odd_as": "name"}, "odd_as must be one of index, stimulus_id"),
        ({"times": {"V4": [(0, 1)]}}, "times must be of regions that have a layer"),
        ({"times": {"V1": [(1, 0)]}}, "times must be one or more pairs"),
    ],
)
def test_options_out_of_range_are_one_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        yoked.as_brain_model(observer(), REGIONS, **options)


def test_what_sees_no_pictures_is_refused():
    with pytest.raises(
        ValueError, match="a network that can be shown any picture, got"
    ):
        yoked.as_brain_model(yoked.load_observer("template"))


def test_bins_beyond_the_steps_are_refused():
    model = yoked.as_brain_model(
        observer(Brief()), {"IT": "step"}, times={"IT": [(50, 100), (100, 150)]}
    )
    with pytest.raises(
        ValueError, match="within the network's steps, 50 to 150 ms, got"
    ):
        model.start_recording("IT", [(40, 90)])


def test_weights_of_a_bin_add_up_to_one():
    steps = [(0, 10), (10, 30), (30, 35)]
    found = overlap_weights(steps, [(0, 35), (5, 20), (29, 31)])
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[1], [0.5, 0.5, 0])


def test_a_stimulus_set_lacks_a_file(table, model):
    known = picture_set({"stimulus_id": ["a"]}, [Path(table["path"][0])], "one")
    known = pd.concat([known, known.assign(stimulus_id="b")])
    known.stimulus_paths = {"a": Path(table["path"][0])}
    model.start_recording("V1")
    with pytest.raises(ValueError, match="known for every stimulus, got none for 'b'"):
        model.look_at(known)
