"""The observer's side: golden noise, independence of batches, reserved practice."""

import json

import numpy as np
import pytest

from tests import VECTORS_FOLDER
from yoked.experiments.protocols.deviates import normal_table
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.experiments.stimulus.noise import (
    OBSERVER_STREAM,
    draws_u16,
)
from yoked.experiments.stimulus.seeds import RESERVED_SEEDS

VECTORS = json.loads((VECTORS_FOLDER / "yoked-1.json").read_text())


@pytest.mark.parametrize("case", VECTORS["observer_noise"])
def test_observer_noise_is_the_golden_one(case):
    noise = ObserverNoise(case["observer_seed"], np.array([case["trial"]]))
    expected = case["normal_float32_first"]
    assert noise.normal(len(expected))[0].tolist() == expected


def test_observer_noise_is_the_reference_of_the_contract_anywhere_in_the_stream():
    trials = np.array([0, 7, 2**62 + 5])
    noise = ObserverNoise(2**40 + 3, trials)
    noise.normal(100)
    draws = draws_u16(2**40 + 3, trials, OBSERVER_STREAM, 3001, 104)
    assert (noise.normal(3001) == normal_table()[draws].astype(np.float32)).all()


def test_observer_noise_does_not_depend_on_the_batch():
    together = ObserverNoise(3, np.arange(10)).normal(2, 5)
    alone = [ObserverNoise(3, np.array([i])).normal(2, 5)[0] for i in range(10)]
    assert (together == np.array(alone)).all()


def test_a_second_call_goes_on_in_the_stream():
    noise, whole = ObserverNoise(3, np.arange(4)), ObserverNoise(3, np.arange(4))
    first, second = noise.normal(5), noise.normal(5)
    draws = whole.normal(16)
    assert (first == draws[:, :5]).all()
    assert (second == draws[:, 8:13]).all()  # from the next whole block of eight


def test_two_observers_share_no_noise():
    one, other = (ObserverNoise(seed, np.arange(500)).normal(8) for seed in (1, 2))
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4.5 / np.sqrt(4000)


@pytest.mark.parametrize("name", protocol_names())
def test_practice_is_the_same_for_the_same_numbers(name):
    protocol = load_protocol(name)
    value = protocol.contrast.values[-1]
    table, frames = Practice(protocol).draw(12, contrast=value)
    rest_table, rest = Practice(protocol).draw(6, first=6, contrast=value)
    assert (frames[6:] == rest).all()
    assert (table["target"][6:] == rest_table["target"]).all()
    assert set(table["target"]) == set(range(protocol.task.n_targets))
    other = Practice(protocol, stream=1).draw(12, contrast=value)[1]
    assert (frames != other).any()


def test_practice_seeds_are_reserved(protocol):
    assert Practice(protocol).source.seed in RESERVED_SEEDS


def test_viewing_says_degrees_and_milliseconds():
    viewing = Viewing.of(load_protocol("movie-bar"))
    assert viewing.deg_per_px == pytest.approx(0.05)
    assert viewing.frame_ms == pytest.approx(33.333)
