"""The keys a protocol may name: those that browser and lab can both take."""

from dataclasses import replace

import pytest

from tests import ROOT
from yoked import load_protocol
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import protocol_names
from yoked.experiments.protocols.keys import KEY_CODES, require_keys
from yoked.experiments.protocols.parts import Task

FOLDER = ROOT / "experiments" / "protocols"
BAR = load_protocol("bar-in-noise")


def with_keys(*keys: str):
    return replace(BAR, task=Task("2afc", keys))


@pytest.mark.parametrize("name", protocol_names())
def test_the_shipped_protocols_have_keys_that_can_be_pressed(name):
    require_keys(load_protocol(name))


def test_every_key_has_a_place_of_its_own():
    assert len(set(KEY_CODES.values())) == len(KEY_CODES)


def test_capital_letters_are_no_names_of_keys_and_the_right_ones_are_given():
    sentence = r"got \['F', 'J'\]; write 'f' for 'F'; write 'j' for 'J'"
    with pytest.raises(ProtocolError, match=sentence):
        require_keys(with_keys("F", "J"))


def test_the_pause_key_is_no_response_key():
    with pytest.raises(ProtocolError, match=r"num_0 to num_9.*'escape' pauses"):
        require_keys(with_keys("f", "escape"))


def test_a_file_with_keys_that_nobody_can_press_is_refused(tmp_path):
    shipped = (FOLDER / "bar-in-noise.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(shipped.replace('["f", "j"]', '["F", "é"]'), encoding="utf-8")
    with pytest.raises(
        ProtocolError, match=r"task\.keys must be keys that browser and"
    ):
        load_protocol(path)


def test_a_protocol_in_a_trial_log_is_read_whatever_its_keys():
    odd = with_keys("F", "J")
    assert type(odd).from_dict(odd.to_dict()).task.keys == ("F", "J")
