"""Noise of the contract: published answers, golden vectors, and no shared counters."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import VECTORS_FOLDER
from yoked.experiments.protocols.deviates import normal_table
from yoked.experiments.protocols.parts import Noise
from yoked.experiments.stimulus.noise import (
    _counters,
    draws_u16,
    level_table,
    noise_levels,
    philox4x32,
)
from yoked.experiments.stimulus.philox import key_of

VECTORS = json.loads((VECTORS_FOLDER / "yoked-1.json").read_text())
seeds = st.integers(0, 2**63 - 1)
ids = st.integers(0, 2**63 - 1)
streams = st.sampled_from([0, 1, 16, 17, 18])


def _words(texts: list[str]) -> list[int]:
    return [int(text, 16) for text in texts]


@pytest.mark.parametrize("case", VECTORS["philox4x32_10"])
def test_philox_gives_the_published_responses(case):
    counter = np.array(_words(case["counter"]), np.uint32)
    words = philox4x32(counter, tuple(_words(case["key"])))
    assert words.tolist() == _words(case["words"])


@pytest.mark.parametrize("case", VECTORS["draws_u16"])
def test_draws_are_the_golden_ones(case):
    n = len(case["first"])
    draws = draws_u16(case["seed"], np.array([case["id"]]), case["stream"], n)
    assert draws[0].tolist() == case["first"]


@pytest.mark.parametrize("case", VECTORS["gaussian_levels"])
def test_gaussian_levels_are_the_golden_ones(case):
    table = level_table("gaussian", case["noise_sd"])
    assert {k: int(table[int(k)]) for k in case["level_of"]} == case["level_of"]
    digest = hashlib.sha256(table.astype("<i2").tobytes()).hexdigest()
    assert digest == case["sha256_int16_le"]
    assert table.std() / 127 == pytest.approx(case["realised_sd"], abs=1e-12)


def test_gaussian_levels_are_symmetric_and_end_at_the_tail():
    table = level_table("gaussian", 0.1).astype(int)
    assert (table == -table[::-1]).all()
    assert table.max() == round(127 * 0.1 * normal_table()[-1])


def test_binary_levels_take_the_top_bit():
    table = level_table("binary", 0.2)
    assert set(table[:32768]) == {-25}
    assert set(table[32768:]) == {25}


@given(seeds, ids, streams, st.integers(1, 40), st.integers(0, 5))
def test_a_later_start_gives_the_rest_of_the_same_draws(seed, id_, stream, n, skip):
    whole = draws_u16(seed, np.array([id_]), stream, 8 * skip + n)
    assert (
        draws_u16(seed, np.array([id_]), stream, n, 8 * skip) == whole[:, 8 * skip :]
    ).all()


@given(seeds, st.lists(ids, min_size=1, max_size=8), streams)
def test_an_id_alone_draws_what_it_draws_in_a_batch(seed, many, stream):
    batch = draws_u16(seed, np.array(many), stream, 13)
    alone = [draws_u16(seed, np.array([one]), stream, 13)[0] for one in many]
    assert (batch == np.array(alone)).all()


@given(seeds, ids, streams, st.integers(0, 62), st.booleans())
def test_two_triples_never_share_a_counter(seed, id_, stream, bit, in_seed):
    """Triples that differ in one bit anywhere differ in key or in every counter."""
    other = (seed ^ 1 << bit, id_) if in_seed else (seed, id_ ^ 1 << bit)
    streams = (stream, stream) if bit % 2 else (stream, stream + 1)

    def blocks(seed: int, id_: int, stream: int) -> set[tuple]:
        counters = _counters(np.array([id_]), stream, 32, 0).reshape(-1, 4)
        return {(key_of(seed), *counter) for counter in counters.tolist()}

    ours, theirs = blocks(seed, id_, streams[0]), blocks(*other, streams[1])
    assert len(ours) == 4
    assert ours.isdisjoint(theirs)
    same_stimulus = blocks(seed, id_, streams[0] + 1)
    assert ours.isdisjoint(same_stimulus)


@given(st.sampled_from(["gaussian", "binary"]), st.floats(0.01, 1))
def test_the_largest_level_is_known_before_any_is_made(kind, sd):
    noise = Noise(kind, sd, (1, 1, 1))
    assert noise.max_level() == np.abs(level_table(kind, sd).astype(int)).max()


def test_fields_are_normal_with_the_realised_sd_and_uncorrelated():
    table = level_table("gaussian", 0.1)
    fields = noise_levels(table, (1, 1, 13), 7, np.arange(20_000), 0).reshape(-1, 13)
    assert fields.std() == pytest.approx(table.std(), rel=4 / np.sqrt(2 * fields.size))
    correlations = np.corrcoef(fields.T)[np.triu_indices(13, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(len(fields))


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match=r"seed must be an integer in \[0, 2\^63\)"):
        draws_u16(seed, np.array([0]), 16, 8)


def test_an_id_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"an id must be in \[0, 2\^63\), got -1"):
        draws_u16(0, np.array([-1]), 16, 8)


def test_an_unknown_kind_of_noise_is_refused():
    with pytest.raises(ValueError, match=r"noise\.kind must be gaussian or binary"):
        level_table("pink", 0.1)
