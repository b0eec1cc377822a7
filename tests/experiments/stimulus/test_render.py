"""The stimulus: golden digests, three equal backends, and nothing ever clipped."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import VECTORS_FOLDER
from tests.experiments.strategies import protocols, seeds
from yoked.experiments.protocols.parts import (
    Block,
    Contrast,
    Display,
    Noise,
    Signal,
    Task,
    Timing,
)
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import signal_levels
from yoked.experiments.stimulus.noise import noise_levels
from yoked.experiments.stimulus.render import (
    BACKENDS,
    digest,
    generated_there,
    render,
    render_elements,
    render_tensor,
)
from yoked.experiments.stimulus.sources import GeneratedNoise, as_contrast, as_levels

VECTORS = json.loads((VECTORS_FOLDER / "yoked-1.json").read_text())


def golden_protocol(case: dict) -> Protocol:
    """Say a golden case as a protocol; its yes/no target 0 holds the signal."""
    two = case["intervals"] == 2
    sign = -1.0 if case["signal_level"] < 0 else 1.0
    frames, rows, columns = (tuple(r) for r in case["signal_elements"])
    return Protocol(
        name=case["case"],
        title=case["case"],
        task=Task("2afc" if two else "yes_no", ("f", "j")),
        display=Display(0.2, tuple(case["element_px"])),
        noise=Noise(case["noise"], case["noise_sd"], tuple(case["grid"])),
        signal=Signal(
            "bar", (0.0, sign) if two else (sign, 0.0), frames, rows, columns
        ),
        contrast=Contrast((abs(case["signal_level"]) / 127,)),
        blocks=(Block("main", 10),),
        timing=Timing(frame_ms=33),
    )


def table_of(ids, contrast, target, kind="main") -> dict:
    n = len(ids)
    return {
        "stimulus_id": np.array(ids, np.int64),
        "contrast": np.broadcast_to(contrast, n),
        "target": np.broadcast_to(target, n),
        "block_kind": np.broadcast_to(np.array(kind, object), n),
    }


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", VECTORS["frames"], ids=lambda c: c["case"])
def test_frames_are_the_golden_ones(case, backend):
    protocol = golden_protocol(case)
    table = table_of([case["stimulus_id"]], protocol.contrast.values[0], case["target"])
    frames = render(protocol, GeneratedNoise(protocol, case["seed"]), table, backend)[0]
    assert list(frames.shape) == case["shape"]
    assert frames.ravel()[: len(case["first_row"])].tolist() == case["first_row"]
    assert digest(frames) == case["sha256"]


trials = st.lists(
    st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 1), st.sampled_from([0, 1])),
    min_size=1,
    max_size=6,
)


def _table(protocol: Protocol, drawn: list) -> dict:
    ids, targets, values = zip(*drawn, strict=True)
    contrasts = [protocol.contrast.values[v] for v in values]
    kinds = ["catch" if i % 3 == 2 else "main" for i in range(len(ids))]
    return table_of(
        ids, np.array(contrasts), np.array(targets), np.array(kinds, object)
    )


@given(protocols(), seeds, trials)
@settings(max_examples=15, deadline=None)
def test_frames_made_on_a_device_are_those_of_the_cpu(protocol, seed, drawn):
    torch = pytest.importorskip("torch")
    table, source = _table(protocol, drawn), GeneratedNoise(protocol, seed)
    frames = torch.from_numpy(render(protocol, source, table))
    for tensor in (
        generated_there(protocol, source, table, "cpu"),
        render_tensor(protocol, source, table, "cpu"),
    ):
        assert tensor.dtype == torch.uint8
        assert torch.equal(tensor, frames)


@pytest.mark.gpu
def test_frames_made_on_a_gpu_are_those_of_the_cpu():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    for case in VECTORS["frames"]:
        protocol = golden_protocol(case)
        contrast = protocol.contrast.values[0]
        table = table_of([case["stimulus_id"]], contrast, case["target"])
        source = GeneratedNoise(protocol, case["seed"])
        frames = render_tensor(protocol, source, table, "cuda")[0]
        assert frames.is_cuda
        assert digest(frames.cpu().numpy()) == case["sha256"]


@settings(deadline=None, max_examples=60)
@given(protocols(), seeds, trials)
def test_all_backends_are_equal_for_any_protocol(protocol, seed, drawn):
    table, source = _table(protocol, drawn), GeneratedNoise(protocol, seed)
    reference = render(protocol, source, table, "numpy")
    assert (render(protocol, source, table, "numba") == reference).all()
    assert (render(protocol, source, table, "torch") == reference).all()


@settings(deadline=None, max_examples=40)
@given(protocols(), seeds, trials)
def test_a_trial_alone_equals_itself_in_a_batch(protocol, seed, drawn):
    source = GeneratedNoise(protocol, seed)
    table = _table(protocol, drawn)
    batch = render(protocol, source, table)
    for i in range(len(drawn)):
        alone = {name: column[i : i + 1] for name, column in table.items()}
        assert (render(protocol, source, alone)[0] == batch[i]).all()


@settings(deadline=None, max_examples=40)
@given(protocols(), seeds, trials)
def test_a_frame_is_background_plus_noise_plus_signal(protocol, seed, drawn):
    """The sum is taken here in wide integers: nothing wraps and nothing is clipped."""
    source, table = GeneratedNoise(protocol, seed), _table(protocol, drawn)
    frames = render_elements(protocol, source, table).astype(int)
    for i, target in enumerate(table["target"]):
        for interval in range(protocol.n_intervals):
            row = {name: column[i : i + 1] for name, column in table.items()}
            noise = source.field(row, interval)[0].astype(int)
            has = target == (interval if protocol.task.is_forced_choice else 1)
            gain = protocol.signal.gains[int(has)]
            signal = signal_levels(protocol, gain * table["contrast"][i])
            assert (frames[i, interval] == 128 + noise + signal).all()


def test_a_large_batch_cut_for_threads_equals_the_reference(protocol):
    source = GeneratedNoise(protocol, 11)
    ids = np.arange(20_000)
    fast = source.field(table_of(ids, 0.2, 0), 1)
    table = source.tables(table_of(ids[:1], 0.2, 0))[0][1]
    assert (fast == noise_levels(table, protocol.noise.grid, 11, ids, 1)).all()


def test_elements_are_repeated_never_interpolated(protocol):
    source = GeneratedNoise(protocol, 3)
    table = table_of([5], 0.2, 1)
    small, large = (
        render_elements(protocol, source, table),
        render(protocol, source, table),
    )
    assert (large[..., ::52, ::4] == small).all()
    assert (large == np.kron(small, np.ones((52, 4), np.uint8))).all()


def test_catch_trials_have_their_own_noise(protocol):
    source = GeneratedNoise(protocol, 3)
    calm = source.field(table_of(range(500), 0.5, 0, "catch"), 0)
    assert calm.std() / 127 == pytest.approx(protocol.catch.sd, rel=0.05)


def test_a_field_as_levels_and_back():
    levels = np.array([-127, 0, 55], np.int8)
    assert as_levels(as_contrast(levels)).tolist() == levels.tolist()
    with pytest.raises(
        ValueError, match=r"noise must be in \[-1, 1\] contrast, got 1.2"
    ):
        as_levels(np.array([1.2]))


def test_an_unknown_backend_is_refused(protocol):
    source = GeneratedNoise(protocol, 3)
    with pytest.raises(ValueError, match="backend must be one of numba, numpy, torch"):
        render(protocol, source, table_of([0], 0.2, 0), "cuda")


@pytest.mark.gpu
def test_torch_on_a_gpu_gives_the_same_levels(protocol):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    from yoked.experiments.stimulus.noise import level_table
    from yoked.experiments.stimulus.noise_torch import torch_levels

    lookup = (128 + level_table("gaussian", 0.1).astype(np.int16)).astype(np.uint8)
    kinds, which = np.zeros((1, 1000), np.int16), np.zeros((50, 2), np.int64)
    ids = np.arange(50) + 2**40
    on = {
        d: torch_levels(lookup, 9, ids, (0, 1), kinds, which, d)
        for d in ("cpu", "cuda")
    }
    assert (on["cuda"].cpu() == on["cpu"]).all()


def test_noise_of_another_sd_changes_the_stimulus_hash(protocol):
    other = replace(protocol, noise=replace(protocol.noise, sd=0.09))
    assert other.stimulus_hash != protocol.stimulus_hash
