"""A plan of sittings: its file, and what is refused."""

from importlib.resources import files

import pytest

from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.sittings import SittingPlan, load_sittings


def plan_of(tmp_path, text):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return load_sittings(path)


def test_a_plan_has_its_protocols_in_order(tmp_path):
    plan = plan_of(
        tmp_path,
        """
        name = "two tasks"
        min_gap_hours = 20
        [[sittings]]
        protocol = "bar-in-noise"
        [[sittings]]
        protocol = "gabor-in-noise"
        n = 2
        """,
    )
    names = [protocol.name for protocol in plan.protocols]
    assert names == ["bar-in-noise", "gabor-in-noise", "gabor-in-noise"]
    assert plan.min_gap_hours == 20


def test_a_later_sitting_may_leave_practice_out_and_has_the_same_stimuli(tmp_path):
    plan = plan_of(
        tmp_path,
        'name = "p"\n[[sittings]]\nprotocol = "bar-in-noise"\n'
        'without = ["practice", "calibration"]',
    )
    kinds = {block.kind for block in plan.protocols[0].blocks}
    assert kinds == {"main"}
    whole = load_protocol("bar-in-noise")
    assert plan.protocols[0].stimulus_hash == whole.stimulus_hash
    assert plan.protocols[0].hash != whole.hash


def test_a_plan_names_files_beside_it(tmp_path):
    text = 'name = "p"\n[[sittings]]\nprotocol = "own.toml"'
    with pytest.raises(FileNotFoundError, match="a protocol file must exist"):
        plan_of(tmp_path, text)
    shipped = files("yoked.experiments.protocols") / "bar-in-noise.toml"
    (tmp_path / "own.toml").write_text(shipped.read_text())
    assert plan_of(tmp_path, text).protocols == (load_protocol("bar-in-noise"),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('name = "p"', "sittings must be given, got nothing"),
        ('name = "p"\nsittings = []', "sittings must be from 1 to 100 in all, got 0"),
        ('name = " "\n[[sittings]]\nprotocol="bar-in-noise"', "name must be a text"),
        (
            'name = "p"\nmin_gap_hours = -1\n[[sittings]]\nprotocol="bar-in-noise"',
            "min_gap_hours must be from 0 to 8784, a year, got -1.0",
        ),
        (
            'name = "p"\n[[sittings]]\nprotocol="bar-in-noise"\nn=0',
            r"sittings\[0\].n must be from 1 to 100, got 0",
        ),
        (
            'name = "p"\n[[sittings]]\nprotocol="bar-in-noise"\nwithout=["main"]',
            "without must be a list of practice and calibration, got ",
        ),
        (
            'name = "p"\n[[sittings]]\nprotocol = "disk-polarity"\n'
            'without = ["calibration"]',
            "without must name blocks that disk-polarity has, got 'calibration'",
        ),
        ("name = ", "plan.toml must be TOML, got"),
    ],
)
def test_faults_of_a_plan_are_one_sentence(tmp_path, text, sentence):
    with pytest.raises(ProtocolError, match=sentence):
        plan_of(tmp_path, text)


def test_a_plan_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="a plan of sittings must exist"):
        load_sittings(tmp_path / "none.toml")


def test_a_plan_counts_its_sittings():
    bars = load_protocol("bar-in-noise")
    assert SittingPlan("p", (bars, bars)).n_sittings == 2
