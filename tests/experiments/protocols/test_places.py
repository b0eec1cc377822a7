"""Places and cues: where they are in pixels, and one sentence for every fault."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.place_facts import place_facts
from yoked.experiments.protocols.places import Cue, Places
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.scene import arrow, backdrops, layout_of, ring
from yoked.experiments.protocols.signal import signal_levels

PROTOCOL = load_protocol("cued-detection")


def changed(**parts) -> Protocol:
    """Give the shipped protocol with other values in some of its tables."""
    data = PROTOCOL.to_dict()
    for part, table in parts.items():
        if table is None:
            data.pop(part, None)
        else:
            data[part] = {**data.get(part, {}), **table}
    return Protocol.from_dict(data)


def placed(*centres, **places) -> Protocol:
    """Give it with places at explicit centres."""
    own = {
        "arrangement": "explicit",
        "centres_deg": [list(c) for c in centres],
        **places,
    }
    data = {**PROTOCOL.to_dict(), "places": own}
    return Protocol.from_dict(data)


def test_the_ring_of_the_shipped_protocol_lies_symmetrically_about_fixation():
    layout = layout_of(PROTOCOL)
    assert PROTOCOL.frame_shape == (2, *layout.size_px)
    middles = [(y + h / 2, x + w / 2) for y, x, h, w in layout.patches]
    assert np.mean(middles, axis=0).tolist() == [side / 2 for side in layout.size_px]
    away = [np.hypot(*(np.array(m) - np.array(layout.size_px) / 2)) for m in middles]
    assert np.allclose(np.array(away) / layout.px_per_deg, 3.0, atol=0.05)


def test_the_first_place_is_to_the_upper_right_and_the_next_to_the_upper_left():
    first, second, *_ = layout_of(PROTOCOL).patches
    assert first[0] == second[0] < layout_of(PROTOCOL).size_px[0] / 2
    assert second[1] < layout_of(PROTOCOL).size_px[1] / 2 < first[1]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 3))
def test_an_arrow_lies_between_fixation_and_its_place_alone(place):
    layout = layout_of(PROTOCOL)
    y, x = np.nonzero(arrow(layout, place))
    top, left, height, width = layout.patches[place]
    towards = (
        np.array([top + height / 2, left + width / 2]) - np.array(layout.size_px) / 2
    )
    middle = np.array([y.mean(), x.mean()]) + 0.5 - np.array(layout.size_px) / 2
    cosine = middle @ towards / np.linalg.norm(middle) / np.linalg.norm(towards)
    assert cosine > 0.99


def test_a_ring_is_around_its_patch_and_covers_none():
    protocol = changed(cue={"kind": "ring"}, places={"eccentricity_deg": 4})
    layout = layout_of(protocol)
    drawn = ring(layout, 2)
    top, left, height, width = layout.patches[2]
    assert not drawn[top : top + height, left : left + width].any()
    y, x = np.nonzero(drawn)
    assert y.min() < top
    assert y.max() > top + height
    assert x.min() < left
    assert x.max() > left + width


def test_a_cue_of_marks_makes_those_of_its_place_bright():
    protocol = changed(cue={"kind": "marks"})
    states = backdrops(protocol)[:, 0].astype(int)
    bright = [(state == 255).sum() for state in states]
    assert bright[0] > 0
    assert bright[-1] == 4 * bright[0]
    assert (backdrops(protocol)[:, 1] != 255).all()


def test_a_cue_after_the_patches_has_its_frame_there():
    before, after = PROTOCOL, changed(cue={"when": "after", "gap_ms": 300})
    assert before.times_ms == (200, 100)
    assert after.times_ms == (100, 300, 200)
    assert after.n_before == 0
    cues, stimulus = backdrops(after)[:, 2], backdrops(after)[:, :2]
    assert (stimulus == stimulus[0]).all()
    assert len({each.tobytes() for each in cues}) == 5


def test_all_states_of_a_cue_look_different_and_draw_no_patch():
    for kind in ("arrow", "marks"):
        states = backdrops(changed(cue={"kind": kind}))[:, 0]
        assert len({each.tobytes() for each in states}) == 5


def test_fields_at_their_default_change_no_hash():
    bar = load_protocol("bar-in-noise")
    assert replace(bar, places=Places(), cue=Cue()).hash == bar.hash
    assert "places" not in bar.to_dict()
    assert "cue" not in bar.to_dict()


def test_places_and_cue_are_of_the_stimulus_hash():
    hashes = {
        each.stimulus_hash
        for each in (
            PROTOCOL,
            changed(cue=None),
            changed(cue={"validity": 0.9}),
            changed(places={"eccentricity_deg": 4}),
        )
    }
    assert len(hashes) == 4


FAULTS = [
    (dict(places={"eccentricity_deg": 1.2}),
     r"places must be apart by a patch, got places 0 and 1 that overlap"),
    (dict(places={"n": 9}), "places.n must be 1 to 8 places, got 9"),
    (dict(places={"size_deg": 6}),
     "places must be within size_deg 6 with mark and cue, got place 0 that leaves it"),
    (dict(places={"arrangement": "grid"}),
     "places.arrangement must be one of ring, row, explicit, got 'grid'"),
    (dict(places={"spacing_deg": 2}), "places.spacing_deg must be left out but in"),
    (dict(places=None), "cue must be left out without places, got 'arrow'"),
    (dict(cue={"validity": 0.25}),
     "cue.validity must be above 1 / 4, that of a cue that tells nothing"),
    (dict(cue={"validity": 1.5}), r"cue.validity must be in \(1 / places, 1\]"),
    (dict(cue={"kind": "sound"}), "cue.kind must be one of arrow, ring, marks"),
    (dict(cue={"when": "during"}), "cue.when must be one of before, after"),
    (dict(cue={"kind": "marks"}, places={"marks": False}),
     "places.marks must be true with a cue of marks, got False"),
    (dict(cue={"kind": "ring"}, places={"eccentricity_deg": 2.0}),
     "a cue must be beside all patches, got that of place 0 on a patch"),
    (dict(task={"kind": "mafc"}),
     "cue must be left out in mafc, where the place is the answer and a cue gives it "
     "away, got 'arrow'"),
    (dict(task={"kind": "mafc"}, cue=None),
     "task.kind must be 2afc, yes_no or rating with places; patches of mafc are its "
     "alternatives, got 'mafc'"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "sentence"), FAULTS)
def test_each_fault_of_a_scene_is_one_sentence(parts, sentence):
    with pytest.raises(ProtocolError, match=sentence):
        changed(**parts)


def test_an_arrow_needs_room_at_fixation():
    with pytest.raises(
        ProtocolError, match=r"cue.kind must be ring or marks unless 8 p"
    ):
        placed((0, 0), (4, 0))


def test_a_row_is_centred_on_fixation():
    row = Places(arrangement="row", n=3, spacing_deg=3, height_deg=1)
    assert row.centres == ((-3, 1), (0, 1), (3, 1))


def test_conditions_may_change_cue_and_places_of_scenes_of_one_size():
    data = PROTOCOL.to_dict()
    data["places"]["size_deg"] = 10
    cue = {"name": "neutral", "cue": {"neutral": 1.0}}
    two = {"name": "two", "places": {"n": 2, "first_deg": 0}, "cue": {"validity": 0.8}}
    protocol = Protocol.from_dict({**data, "conditions": [cue, two]})
    assert protocol.of_condition("two").places.count == 2
    assert protocol.of_condition("neutral").cue.neutral == 1
    del data["places"]["size_deg"]
    with pytest.raises(ProtocolError, match="places must be such that all scenes have"):
        Protocol.from_dict({**data, "conditions": [cue, two]})


def test_facts_of_places_are_those_of_the_closed_form():
    from scipy.integrate import quad
    from scipy.stats import norm

    protocol = load_protocol("position-unknown").with_options(contrast=0.1)
    facts = place_facts(protocol)
    d, m = facts.patch_dprime, 4
    levels = signal_levels(protocol, 0.1)
    assert d == pytest.approx(np.linalg.norm(levels) / (127 * 0.15), rel=0.001)

    def density(x):  # of the largest of noise alone, and that of the signal is above
        below = norm.cdf(x - d) * norm.cdf(x) ** (m - 1)
        return m * norm.pdf(x) * norm.cdf(x) ** (m - 1) * (1 - below)

    assert facts.template_correct == pytest.approx(quad(density, -8, 12)[0], abs=0.008)
    linear = norm.cdf(d / np.sqrt(2 * m))
    assert facts.linear_correct == pytest.approx(linear, abs=0.008)
    assert facts.ideal_correct >= facts.template_correct - 0.004


def test_a_valid_cue_leaves_the_ideal_no_uncertainty():
    facts = place_facts(changed(cue={"validity": 1.0}))
    assert facts.ideal_dprime == pytest.approx(facts.patch_dprime, abs=0.1)
    assert place_facts(load_protocol("bar-in-noise")) is None
