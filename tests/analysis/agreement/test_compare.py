"""Two observers compared: one result for the command, the face and a notebook."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import yoked
from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.agreement.compare import compare
from yoked.analysis.agreement.kappa import compare_kappa
from yoked.analysis.agreement.latent import latent_agreement
from yoked.analysis.agreement.profile import depth_profile
from yoked.analysis.agreement.responses import response_agreement


@pytest.fixture(scope="module")
def pair():
    observer = Linear(unit([0, 1, 2, 1, 0, 0, 0]))
    table, noise = run(observer, "2afc", 600, 0.13, seed=5, n_pairs=200)
    other, _ = run(observer, "2afc", 600, 0.13, seed=5, n_pairs=200)
    flipped = other["response"].where(np.arange(600) % 7 > 0, 1 - other["response"])
    model = other.assign(response=flipped)
    return (
        session(table, noise, id="human-1", observer="ann"),
        session(model, noise, id="model-1", observer="net", yoked_to="human-1"),
    )


@pytest.fixture(scope="module")
def found(pair):
    return compare(*pair)


def test_the_face_gives_what_the_command_prints():
    assert yoked.compare is compare


def test_it_is_the_four_comparisons_in_one(pair, found):
    row = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert row == {
        "format": "yoked-compare/2",
        **response_agreement(*pair).to_dict(),
        "kappa": compare_kappa(*pair).to_dict(),
        "latent": latent_agreement(*pair).to_dict(),
        "depth_profile": depth_profile(*pair).to_dict(),
        "faults": {},
    }


def test_the_frame_has_both_names_and_the_share_of_every_depth(found):
    frame = found.to_frame()
    names = ["reference", "other", "reference_observer", "other_observer"]
    assert frame.columns.tolist()[:4] == names
    assert set(frame["other_observer"]) == {"net"}
    by_name = frame.set_index("quantity")
    assert by_name["value"]["same_response"] == found.same_response.value
    for order in (0, 1, 2):
        share = by_name.loc[f"depth_profile.depths.{order}.share"]
        assert share["formula"] == found.depth_profile.depths[order].share.formula


def test_a_notebook_shows_the_row_of_the_terminal(found):
    (row,) = found.table()
    assert (row["model"], row["human"], row["trials"]) == ("net", "ann", 600)
    assert "first-order kernel (share)" in row
    page = found._repr_html_()
    assert all(f"<td>{text}</td>" in page for text in row.values())


def test_the_row_says_whether_the_kernels_are_the_same(found):
    (row,) = found.table()
    p = found.depth_profile.equal_kernels.p
    assert float(row["same kernel (p)"]) == pytest.approx(p, rel=1e-3)


def test_the_row_gives_the_reason_of_a_depth_without_a_share(pair):
    human, model = pair
    once = replace(model, trials=model.trials.assign(repeats=pd.NA))
    found = compare(human, once)
    (row,) = found.table()
    (responses, *_) = found.depth_profile.depths
    assert responses.share.value is None
    assert row["responses (share)"] == found.depth_profile.reason(responses)
    assert len(row["responses (share)"]) > 10


def test_a_depth_profile_shows_a_row_for_each_depth(found):
    rows = found.depth_profile.table()
    assert [row["depth"] for row in rows][1] == "first-order kernel"
    assert found.depth_profile._repr_html_().count("<tr>") == 4
