"""Tables of choices: columns, names and missing responses, as people have them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoked.analysis.agreement.choices import choices
from yoked.experiments.imports.choice_files import read_choices

HEADER = "subj,Session,trial,rt,object_response,category,condition,imagename"
ANN = [
    "subject-01,1,1,0.7,car,car,1-10-10,0001_eid_s01_1-10-10_car_10_n04285008_8727.png",
    "subject-01,1,2,NaN,na,cat,4-10-10,0002_eid_s01_4-10-10_cat_10_n02123045_991.png",
]
BOB = [
    "subject-02,1,1,0.9,dog,cat,4-10-10,0001_eid_s02_4-10-10_cat_10_n02123045_991.png",
    "subject-02,1,2,0.8,car,car,1-10-10,0002_eid_s02_1-10-10_car_10_n04285008_8727.png",
]
NET = [
    "resnet50,1,1,NaN,car,car,NaN,n04285008_8727.png",
    "resnet50,1,2,NaN,cat,cat,NaN,n02123045_991.png",
]


@pytest.fixture
def folder(tmp_path):
    """A folder as model-vs-human has it: a file for each observer."""
    for name, rows in (("subject-01", ANN), ("subject-02", BOB), ("resnet50", NET)):
        lines = "\n".join([HEADER, *rows]) + "\n"
        path = tmp_path / "eidolonI" / f"eidolonI_{name}_session_1.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(lines, encoding="utf-8")
    (tmp_path / "eidolonI" / "readme.txt").write_text("not a table", encoding="utf-8")
    return tmp_path / "eidolonI"


def conditions(table):
    return [table.conditions[i] for i in table.condition]


def test_a_folder_of_model_vs_human_is_read_at_once(folder):
    table = read_choices(folder)
    assert table.observers == ("resnet50", "subject-01", "subject-02")
    assert table.is_model.tolist() == [True, False, False]
    assert set(table.stimuli) == {"n04285008_8727.png", "n02123045_991.png"}
    assert table.correct.tolist() == [True, True, True, False, False, True]
    assert conditions(table) == ["1-10-10", "4-10-10"] * 2 + [
        "4-10-10",
        "1-10-10",
    ]
    assert table.missing == "wrong"
    assert table.notes == (
        "2 choices without a condition got that of their stimulus",
        "1 missing responses are wrong",
        "responses that are never a target, so wrong: dog",
    )


def test_without_people_by_name_nobody_is_taken_for_a_model(folder):
    table = read_choices(folder / "eidolonI_resnet50_session_1.csv")
    assert table.is_model.tolist() == [False]
    named = read_choices(
        folder / "eidolonI_resnet50_session_1.csv", models=["resnet50"]
    )
    assert named.is_model.tolist() == [True]


def test_other_tables_are_found_by_the_names_that_people_use():
    rows = {"Participant": ["AB", "net"], "Image": ["a.png"] * 2, "LABEL": ["Cat"] * 2}
    rows |= {"answer": ["cat", " CAT "], "observer_kind": ["person", "model"]}
    table = read_choices(pd.DataFrame(rows))
    assert table.observers == ("AB", "net")
    assert table.is_model.tolist() == [False, True]
    assert table.correct.tolist() == [True, True]
    assert table.missing == "left out"
    named = read_choices(
        pd.DataFrame(rows).rename(columns={"answer": "key"}),
        columns={"response": "key"},
    )
    assert named.response == table.response


def test_texture_is_what_the_second_word_of_every_name_says():
    rows = {"subj": "a", "category": ["cat", "dog"], "object_response": ["cat", "cat"]}
    cued = read_choices(
        pd.DataFrame(
            {
                **rows,
                "imagename": ["cat1-dog2.png"] * 1
                + ["0002_s5n_s01_0_dog_00_dog3-cat1.png"],
            }
        )
    )
    assert cued.other_cue == ("dog", "cat")
    plain = read_choices(
        pd.DataFrame({**rows, "imagename": ["cat1-dog2.png", "dog.png"]})
    )
    assert plain.other_cue == ("", "")
    own = {"observer": "a", "image": ["1", "2"], "category": "cat", "choice": "cat"}
    given = read_choices(pd.DataFrame({**own, "texture": ["dog", None]}))
    assert given.other_cue == ("dog", "")


def test_the_nth_showing_goes_with_the_nth():
    rows = {
        "image": ["1", "2", "1"],
        "category": "cat",
        "choice": ["cat", "dog", "dog"],
    }
    table = read_choices(pd.DataFrame({"observer": "ann", **rows}))
    assert table.stimuli == ("1", "2", "1 (showing 2)")
    assert table.notes[0].startswith("1 choices are about a stimulus that the observer")


def test_without_a_column_the_observer_is_the_file(tmp_path):
    path = tmp_path / "Åse.csv"
    path.write_text("image,category,choice\n1,cat,bird\n2,dog,dog\n", encoding="utf-8")
    table = read_choices(path)
    assert table.observers == ("Åse",)
    assert table.notes == ("responses that are never a target, so wrong: bird",)


NUMBERS = st.integers(0, 2**32 - 1)


@settings(max_examples=20, deadline=None)
@given(NUMBERS, st.sampled_from([str.lower, str.title, str.upper]), st.integers(1, 3))
def test_order_headers_and_files_change_nothing(seed, spelt, n_files):
    rng = np.random.default_rng(seed)
    said = rng.choice(["cat", "dog", "NA"], (3, 30))
    rows = [(o, f"{i}.png", "cat", said[o, i]) for o in range(3) for i in range(30)]
    frame = pd.DataFrame(rows, columns=["observer", "image", "category", "choice"])
    other = frame.sample(frac=1, random_state=int(seed))
    other = other.rename(columns=spelt)[
        list(map(spelt, rng.permutation(frame.columns)))
    ]
    parts = [other.iloc[start::n_files] for start in range(n_files)]
    ours, theirs = (choices(read_choices(*each)) for each in ([frame], parts))
    for name in ("proportion_correct", "kappa", "best_kappa"):
        one, same = (getattr(each.people, name) for each in (ours, theirs))
        assert (one.value, one.se) == pytest.approx((same.value, same.se))
    by_name = [
        {one.observer: one.proportion_correct for one in each.observers}
        for each in (ours, theirs)
    ]
    assert by_name[0] == by_name[1]


def test_a_file_that_is_given_twice_is_refused(folder):
    file = folder / "eidolonI_resnet50_session_1.csv"
    with pytest.raises(ValueError, match=r"tables must be different ones, got eido"):
        read_choices(folder, file)


def test_what_cannot_be_read_is_refused_in_one_sentence(folder, tmp_path):
    with pytest.raises(
        ValueError,
        match=r"must be a folder with files ending in .csv "
        "or .parquet, got none; did you mean .*, such as eidolonI?",
    ):
        read_choices(tmp_path)
    with pytest.raises(
        LookupError,
        match=r"no observer named 'resnet5' in the tables; did you mean 'resnet50'?",
    ):
        read_choices(folder, models=["resnet5"])
    rows = pd.DataFrame(
        {"image": ["1", "1"], "category": ["cat", "dog"], "choice": "x"}
    )
    with pytest.raises(ValueError, match=r"target of 1 must be one, got cat and dog"):
        read_choices(rows)
    with pytest.raises(
        ValueError,
        match=r"the data frame must have a column target or "
        "category or .*, got image, choice",
    ):
        read_choices(rows.drop(columns="category"))
    with pytest.raises(
        ValueError,
        match=r"column response of the data frame must be "
        "one, named by --column response=NAME, got response and choice",
    ):
        read_choices(rows.assign(response="x"))
    with pytest.raises(
        ValueError,
        match=r"image in row 2 of the data frame must be a name, got no",
    ):
        read_choices(rows.assign(image=["1", ""]))
    with pytest.raises(ValueError, match=r"missing must be one of wrong, left out"):
        read_choices(rows[:1], missing="right")
    with pytest.raises(ValueError, match=r"a column must be one of observer, .*, got"):
        read_choices(rows, columns={"respons": "x"})
