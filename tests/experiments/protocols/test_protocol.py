"""Protocols: round trips, the two hashes, and one sentence for every fault."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tests.experiments.strategies import protocols
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.parts import Timing
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import signal_parameters, signal_template


@settings(deadline=None)
@given(protocols())
def test_plain_data_give_the_protocol_back(protocol):
    again = Protocol.from_dict(protocol.to_dict())
    assert again == protocol
    assert again.hash == protocol.hash


SHIPPED = [
    "bar-in-noise",
    "bar-polarity",
    "bar-position-unknown",
    "cued-detection",
    "disk-polarity",
    "equivalent-noise",
    "face-like",
    "gabor-in-noise",
    "movie-bar",
    "one-over-f",
    "orientation-noise",
    "pedestal",
    "phase-unknown",
    "polarity-unknown",
    "position-unknown",
    "tilt-in-noise",
]


def test_protocols_are_shipped():
    names = protocol_names()
    assert names == SHIPPED
    assert [load_protocol(name).name for name in names] == names


# These change only with a new contract: sessions and weights are pinned to them.
@pytest.mark.parametrize(
    ("name", "start"),
    [("bar-in-noise", "6958207a"), ("bar-polarity", "bc94caa0"),
     ("bar-position-unknown", "7693b8a6"),
     ("disk-polarity", "ac423d04"), ("gabor-in-noise", "79372ded"),
     ("movie-bar", "1f2fef2f"), ("one-over-f", "c5ce113b"),
     ("equivalent-noise", "c444509d"),
     ("orientation-noise", "b9f199a8"), ("face-like", "f40426f1"),
     ("cued-detection", "a4d72de4"), ("position-unknown", "f63a35fe"),
     ("pedestal", "7b9a0ba9"), ("tilt-in-noise", "0e4be1e5"),
     ("phase-unknown", "5539b5b8"), ("polarity-unknown", "d1ae3ff2")],
)  # fmt: skip
def test_stimulus_hashes_stay_as_they_were_published(name, start):
    assert load_protocol(name).stimulus_hash.startswith(start)


def test_timing_changes_the_hash_but_not_the_stimulus_hash(protocol):
    other = replace(protocol, timing=Timing(fixation_ms=400))
    assert other.hash != protocol.hash
    assert other.stimulus_hash == protocol.stimulus_hash


def test_a_default_that_is_spelled_out_changes_no_hash(protocol):
    data = protocol.to_dict()
    data["display"]["background"] = 128
    assert Protocol.from_dict(data).hash == protocol.hash


def test_options_make_a_variant_with_the_same_stimuli(protocol):
    variant = protocol.with_options(trials=250, contrast=0.3)
    assert variant.n_main_trials == 250
    assert variant.contrast.values == (0.3,)
    assert [block.kind for block in variant.blocks] == ["main", "main"]
    assert variant.double_pass.n_pairs == 83
    assert variant.stimulus_hash == protocol.stimulus_hash
    assert variant.hash != protocol.hash


def test_the_grid_holds_distinct_displayable_contrasts(protocol):
    levels = [127 * contrast for contrast in protocol.contrast.grid]
    assert levels == sorted({round(level) for level in levels})


def _faults(protocol: Protocol, **changes: dict) -> tuple[str, ...]:
    data = protocol.to_dict()
    for part, values in changes.items():
        data[part] = {**data.get(part, {}), **values}
    with pytest.raises(ProtocolError) as caught:
        Protocol.from_dict(data)
    return caught.value.faults


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"noise": {"sd": -1.0}}, "noise.sd must be in (0, 1], got -1.0"),
        ({"noise": {"sd": "much"}}, "noise.sd must be a number, got 'much'"),
        ({"noise": {"grid": [1, 1]}}, "noise.grid must be a list of 3, got [1, 1]"),
        ({"task": {"keys": ["a"]}}, "task.keys must be a list of two, got ['a']"),
        ({"display": {"background": 127}}, "display.background must be 128, got 127"),
        (
            {"contrast": {"values": [0.9]}},
            "contrast must be at most 0.567 (72 levels beside noise of up to 55), "
            "got 0.9 (114 levels)",
        ),
        (
            {"signal": {"columns": [13, 13]}},
            "signal.columns must be within the grid's 13 columns, counted from 0, "
            "got [13, 13]",
        ),
        (
            {"signal": {"phase_deg": float("nan")}},
            "signal.phase_deg must be a finite number, got nan",
        ),
        (
            {
                "signal": {"kind": "gaussian", "sigma": 0.01},
                "noise": {"grid": [1, 2, 2]},
            },
            "contrast must be high enough for one level of signal, or 0, "
            "got 0.5590551181102362",
        ),
        (
            {
                "noise": {
                    "source": "matlab5-rand",
                    "sd": 0.1,
                    "truncate_sd": 2.0,
                    "grid": [1, 31, 31],
                },
                "catch": {"n_per_block": 0},
            },
            "noise.sd must be 0.25 of matlab5-rand, got 0.1",
        ),
        (
            {"double_pass": {"n_pairs": 276}},
            "double_pass.n_pairs must be at most 275, half of the main trials less "
            "min_gap, got 276",
        ),
    ],
)
def test_a_fault_is_one_sentence_with_key_rule_and_value(protocol, changes, fault):
    assert _faults(protocol, **changes) == (fault,)


def test_every_fault_of_a_file_is_told_at_once(protocol):
    changes = {
        "noise": {"sd": 2.0},
        "timing": {"gap_ms": -5},
        "signal": {"knid": "bar"},
    }
    faults = _faults(protocol, **changes)
    assert len(faults) == 3
    assert any(fault.endswith("got 'knid'; did you mean 'kind'?") for fault in faults)


def test_a_missing_part_is_named(protocol):
    data = protocol.to_dict()
    del data["noise"]
    with pytest.raises(ProtocolError, match=r"^noise must be given, got nothing$"):
        Protocol.from_dict(data)


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(
        LookupError, match=r"named 'bar-in-nose'; did you mean 'bar-in-noise'"
    ):
        load_protocol("bar-in-nose")


def test_a_file_that_is_no_toml_is_named(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("name = ")
    with pytest.raises(ProtocolError, match=r"^bad.toml must be TOML, got "):
        load_protocol(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="a protocol file must exist"):
        load_protocol(tmp_path / "none.toml")


def test_whole_and_decimal_numbers_give_the_same_hash(protocol):
    whole, decimal = (
        replace(protocol, timing=Timing(gap_ms=ms)) for ms in (400, 400.0)
    )
    assert whole.hash == decimal.hash


def test_stored_noise_may_be_uniform_its_signal_unknown_and_its_contrast_relative(
    protocol,
):
    data = protocol.to_dict()
    data |= {
        "noise": {**data["noise"], "source": "stored", "kind": "uniform"},
        "signal": {"kind": "unknown"},
    }
    data["contrast"] = {"values": [4.0, 0.9], "unit": "relative"}
    data["blocks"] = [{"kind": "main", "n_trials": 10}]
    data["double_pass"] = {"n_pairs": 5, "min_gap": 1}
    del data["catch"]
    stored = Protocol.from_dict(data)
    assert Protocol.from_dict(stored.to_dict()) == stored
    assert not signal_template(stored).any()


def test_an_array_is_a_signal_like_the_others(protocol):
    """Generated noise may have one too, and the trial log keeps it once."""
    values = [0.0] * 6 + [0.5] + [0.0] * 6
    changed = {**protocol.to_dict(), "signal": {"kind": "array", "values": values}}
    other = Protocol.from_dict(changed)
    np.testing.assert_array_equal(signal_template(other), signal_template(protocol))
    assert other.stimulus_hash != protocol.stimulus_hash
    assert "values" not in signal_parameters(other)
    assert "values" not in signal_parameters(protocol)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"noise": {"kind": "uniform"}},
            "noise.kind must be one of gaussian, binary, got 'uniform'",
        ),
        (
            {"signal": {"kind": "unknown"}},
            "signal.kind must be known unless the noise is stored, got 'unknown'",
        ),
        (
            {"contrast": {"unit": "relative"}},
            "contrast.unit must be contrast unless the noise is stored, got 'relative'",
        ),
        (
            {"contrast": {"unit": "dB"}},
            "contrast.unit must be one of contrast, relative, declared, got 'dB'",
        ),
        (
            {"noise": {"source": "stored"}},
            "catch.n_per_block must be 0 with stored noise, got 2",
        ),
        (
            {"signal": {"kind": "array", "values": [1.0, 0.0]}},
            "signal.values must be one for each of the grid's 13 elements, got 2",
        ),
        (
            {"signal": {"kind": "array", "values": [0.0] * 13}},
            "signal.values must be finite numbers, not all of them 0, got '13 values'",
        ),
        (
            {"signal": {"values": [1.0]}},
            "signal.values must be given with kind array only, got 1",
        ),
    ],
)
def test_what_only_imported_data_may_have_is_refused(protocol, changes, fault):
    assert _faults(protocol, **changes) == (fault,)
