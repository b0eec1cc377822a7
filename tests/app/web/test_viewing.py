"""Screen and distance on the server: what is kept, what follows, what is refused."""

from dataclasses import replace

import pytest

from yoked.experiments.protocols.viewing import ViewingAsked
from yoked.experiments.session.results import session_data

from .participant import SCREEN, Participant, log, served, short_protocol
from .questioned import questioned
from .test_studies import put, serving

MEASURED = {"card_px": 404.375, "is_upright": False, "spots_px": [655.0, 650.0, 645.0]}


@pytest.fixture
def protocol():
    return replace(short_protocol(), viewing=ViewingAsked("distance", 3))


@pytest.fixture
def participant(db_path, protocol):
    with served(db_path, protocol) as app:
        yield Participant(app.test_client())


def tell(participant, body):
    return participant.client.post(f"{participant.base}/viewing", json=body)


def test_degrees_follow_from_what_was_measured(participant, db_path):
    found = tell(participant, MEASURED).json["viewing"]
    assert found["px_per_mm"] == pytest.approx(4.724, abs=1e-3)
    assert found["distance_mm"] == pytest.approx(573.1, abs=0.2)
    assert len(found["distances_mm"]) == 3
    assert found["distance_sd_mm"] > 1
    screen = {**SCREEN, "css_px_per_degree": 40.0}
    participant.client.post(f"{participant.base}/display", json=screen)
    participant.finish()
    with log(db_path) as store:
        session = session_data(store, store.sessions()[0].id)
        kinds = [event["kind"] for event in store.events(session.id)]
    display = session.row.display
    assert display["css_px_per_degree_is"] == "distance"
    per_degree = found["px_per_degree"]
    assert display["css_px_per_degree"] == pytest.approx(per_degree / 1.25)
    # Bars of 4 px at scale 2, as an analysis in physical units takes them.
    assert session.viewing.deg_per_element == pytest.approx(8 / per_degree)
    assert "viewing" in kinds


def test_what_cannot_be_is_said_and_not_kept(participant, db_path):
    fault = tell(participant, {**MEASURED, "spots_px": [300, 600, 900]}).json["fault"]
    assert fault.startswith("The distances differ much, from 26 to 79 cm.")
    fault = tell(participant, {**MEASURED, "spots_px": [60, 60, 60]}).json["fault"]
    assert fault.startswith("That would be 5 cm from the screen")
    fault = tell(participant, {**MEASURED, "card_px": 9}).json["fault"]
    assert fault.startswith("No screen is of that size.")
    with log(db_path) as store:
        assert "viewing" not in store.sessions()[0].display


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"left_out": False},
        {**MEASURED, "more": 1},
        {**MEASURED, "card_px": "404"},
        {**MEASURED, "is_upright": 1},
        {**MEASURED, "spots_px": [650.0] * 2},
        {**MEASURED, "spots_px": [650.0, 650.0, None]},
    ],
)
def test_bodies_that_are_none_of_ours_are_refused(participant, body):
    assert tell(participant, body).status_code == 400


def test_who_leaves_it_out_is_assumed_to_sit_at_an_arm_s_length(participant, db_path):
    assert tell(participant, {"left_out": True}).json["viewing"]["measured"] == ""
    participant.client.post(f"{participant.base}/display", json=SCREEN)
    with log(db_path) as store:
        display = store.sessions()[0].display
    assert display["css_px_per_degree_is"] == "assumed"
    assert "deg_per_element" not in display
    assert '"found": {"asked": "distance"' in participant.get(participant.base).text


def test_a_study_may_ask_where_its_protocols_do_not(db_path):
    study = replace(questioned(), questionnaires=(), viewing=ViewingAsked("card"))
    put(db_path, study)
    with serving(db_path) as client:
        participant = Participant(client, "/study/bars")
        assert '"measure": "card"' in participant.get(participant.base).text
        found = tell(participant, {**MEASURED, "spots_px": []}).json["viewing"]
        assert (found["measured"], found["distance_sd_mm"]) == ("card", None)
