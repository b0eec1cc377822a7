"""The stream of trials: what is in a batch, and that no two hold the same noise."""

from dataclasses import replace

import pytest
import torch
import torch.multiprocessing as mp
from torch import distributed
from torch.utils.data import DataLoader

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Task
from yoked.models.training.stream import TrialStream

BATCH = {"batch": 8, "contrasts": (0.1, 0.3)}


def fields(batches):
    """What tells the noise of every trial from that of another."""
    return [
        tuple(row.tolist()) for each in batches for row in each.noise.flatten(1)[:, :13]
    ]


def test_a_stream_goes_on_where_another_ended(protocol):
    whole = list(TrialStream(protocol, 5, n_batches=4, with_noise=True, **BATCH))
    options = {"n_batches": 2, "with_noise": True, **BATCH}
    parts = [
        *TrialStream(protocol, 5, **options),
        *TrialStream(protocol, 5, first=16, **options),
    ]
    assert fields(parts) == fields(whole)
    assert len(set(fields(whole))) == 32


def test_the_frames_are_the_noise_and_the_signal(protocol):
    (batch,) = TrialStream(protocol, 5, n_batches=1, with_noise=True, **BATCH)
    row = batch.frames[:, :, 0, 26].unflatten(2, (13, 4)).mean(3)  # through the bars
    noise = batch.noise * protocol.noise.sd
    apart = row - noise
    contrast = torch.tensor([0.1, 0.3])[batch.classes // 2]
    for trial in range(8):
        target = batch.targets[trial]
        assert apart[trial, target, 6] == pytest.approx(
            float(contrast[trial]), abs=5e-3
        )
        assert apart[trial, 1 - target].abs().max() < 1e-5
    assert batch.classes.tolist() == [0, 1, 0, 1, 2, 3, 2, 3]


def test_noise_on_a_basis_comes_as_its_coefficients():
    protocol = load_protocol("orientation-noise")
    (batch,) = TrialStream(protocol, 5, batch=200, n_batches=1, with_noise=True)
    assert batch.noise.shape[1:] == (protocol.task.n_intervals, 24)
    assert batch.noise.std().item() == pytest.approx(1, abs=0.05)


def test_workers_share_the_batches_of_one_process(protocol):
    stream = TrialStream(protocol, 5, n_batches=5, with_noise=True, **BATCH)
    shared = list(DataLoader(stream, batch_size=None, num_workers=2))
    assert sorted(fields(shared)) == sorted(fields(stream))


def _in_a_process(rank, folder, protocol):
    store = distributed.FileStore(str(folder / "store"), 2)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    stream = TrialStream(protocol, 5, n_batches=5, with_noise=True, **BATCH)
    torch.save(fields(stream), folder / f"{rank}.pt")
    distributed.destroy_process_group()


def test_processes_of_one_training_share_them_too(protocol, tmp_path):
    mp.spawn(_in_a_process, (tmp_path, protocol), nprocs=2)
    shared = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    assert [len(each) for each in shared] == [24, 16]
    stream = TrialStream(protocol, 5, n_batches=5, with_noise=True, **BATCH)
    assert sorted([*shared[0], *shared[1]]) == sorted(fields(stream))


def test_what_cannot_be_streamed_is_refused_at_once(protocol):
    with pytest.raises(ValueError, match="batch must be a multiple of 4: 2 targets"):
        TrialStream(protocol, 5, batch=6, contrasts=(0.1, 0.3))
    with pytest.raises(ValueError, match="n_batches must be 1 or more, got 0"):
        TrialStream(protocol, 5, n_batches=0)
    with pytest.raises(ValueError, match="for a session of its own, got matlab5-rand"):
        TrialStream(load_protocol("disk-polarity"), 5)
    with pytest.raises(ValueError, match="seed must be"):
        TrialStream(protocol, -1)


def test_one_interval_has_one_field(protocol):
    own = replace(protocol, task=Task("yes_no", ("f", "j")))
    (batch,) = TrialStream(own, 5, batch=4, n_batches=1, with_noise=True)
    assert batch.frames.shape[:2] == batch.noise.shape[:2] == (4, 1)
