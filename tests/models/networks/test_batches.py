"""Batches: one shape, one result a trial, and what becomes of networks that differ."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import yoked
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.models.networks.batches import OutOfMemory, require_device

TRIALS = np.arange(40)


class Pixels(nn.Module):
    """One number an image: a weighted sum of its pixels."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.weights = nn.Parameter(torch.randn(3 * 52 * 52, generator=generator))

    def forward(self, x):
        return x.flatten(1) @ self.weights


class Full(Pixels):
    """Runs out of memory with more than five trials of two alternatives."""

    def forward(self, x):
        if len(x) > 10:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return super().forward(x)


class NoRoom(Pixels):
    def forward(self, x):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 64 GB")


class Drawing(Pixels):
    """Draws from torch's own generator, as dropout that stays on does."""

    def forward(self, x):
        return super().forward(x) + 10 * torch.randn(len(x))


class Drawn(Pixels):
    def forward(self, x):
        return super().forward(x) + 10 * yoked.noise_like(x[:, 0, 0, 0])


class Neighbours(Pixels):
    """Subtracts the mean of its batch."""

    def forward(self, x):
        return super().forward(x - x.mean(0))


class Remembering(Pixels):
    state: torch.Tensor | float = 0.0

    def forward(self, x):
        found = super().forward(x) + self.state
        self.state = found.mean()
        return found


def learnt(network, protocol, **options):
    observer = yoked.from_torch(network, **options)
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    return observer


@pytest.fixture
def frames(protocol):
    return Practice(protocol).draw(len(TRIALS), 5000)[1]


def decide(observer, frames, trials=TRIALS, seed=9):
    return observer.decide(frames, ObserverNoise(seed, trials))


@pytest.mark.parametrize("network", [Pixels(), Drawn()])
def test_a_trial_is_the_same_in_any_company(protocol, frames, network):
    observer = learnt(network, protocol, batch=16)
    observer.rehearse(frames[:4], ObserverNoise(1, TRIALS[:4]))
    assert observer.batch == 16
    whole = decide(observer, frames)
    order = np.random.default_rng(1).permutation(40)[:23]
    assert np.array_equal(decide(observer, frames[order], order), whole[order])


def test_frames_may_be_a_tensor(protocol, frames):
    observer = learnt(Pixels(), protocol)
    assert np.array_equal(
        decide(observer, torch.from_numpy(frames)), decide(observer, frames)
    )


def test_the_decisions_noise_goes_on_where_the_networks_stopped(protocol, frames):
    """Whatever the number of batches was."""
    observer, noise = learnt(Drawn(), protocol, batch=16), ObserverNoise(9, TRIALS)
    observer.decide(frames, noise)
    assert noise.n_used == 8  # one block: two draws a trial


def test_while_memory_runs_out_the_batch_is_halved(protocol, frames):
    observer = learnt(Full(), protocol, batch=32)
    observer.rehearse(frames, ObserverNoise(1, TRIALS))
    assert observer.batch == 4
    assert observer.hardware["why"] == "memory ran out: batches of 4 trials"
    assert np.array_equal(
        decide(observer, frames), decide(learnt(Pixels(), protocol, batch=4), frames)
    )


def test_a_trial_that_fits_nowhere_is_out_of_memory(protocol, frames):
    network = Pixels()
    observer = learnt(network, protocol)
    observer.network.forward = NoRoom().forward
    rule = "a batch of Pixels must be smaller than 1 trials to fit into memory"
    with pytest.raises(OutOfMemory, match=rule):
        observer.rehearse(frames, ObserverNoise(1, TRIALS))
    assert not observer.halve()


def test_a_network_that_draws_for_itself_goes_trial_by_trial(protocol, frames):
    observer = learnt(Drawing(), protocol, batch=16)
    with pytest.warns(
        UserWarning, match=r"Drawing: a module draws .* yoked.noise_like"
    ):
        observer.rehearse(frames, ObserverNoise(1, TRIALS))
    assert observer.batch == 1
    before = torch.get_rng_state()
    whole = decide(observer, frames)
    assert torch.equal(torch.get_rng_state(), before)
    order = np.array([31, 2, 17])
    assert np.array_equal(decide(observer, frames[order], order), whole[order])
    assert not np.array_equal(decide(observer, frames, seed=10), whole)
    first, again = decide(observer, frames[[0, 0]], np.array([0, 1]))
    assert not np.array_equal(first, again)  # the second pass of a stimulus


def test_a_network_that_looks_at_its_neighbours_goes_trial_by_trial(protocol, frames):
    observer = learnt(Neighbours(), protocol, batch=16)
    with pytest.warns(UserWarning, match="result depends on its batch, so trials go"):
        observer.rehearse(frames, ObserverNoise(1, TRIALS))
    assert observer.batch == 1


def test_a_network_that_remembers_is_refused(protocol, frames):
    observer = learnt(Remembering(), protocol, batch=16)
    with pytest.raises(
        ValueError, match="Remembering must be the same to a trial what"
    ):
        observer.rehearse(frames, ObserverNoise(1, TRIALS))


def test_the_number_of_threads_is_left_as_it_was(protocol, frames):
    before = torch.get_num_threads()
    observer = learnt(Pixels(), protocol, threads=2)
    decide(observer, frames)
    assert torch.get_num_threads() == before
    assert observer.hardware["threads"] == 2


def test_no_device_is_one_clear_sentence():
    with pytest.raises(
        ValueError, match="device must be cpu, cuda or cuda:N, got 'tpu'"
    ):
        require_device("tpu")
    with pytest.raises(
        ValueError, match="device must be there, got 'cuda:99', and tor"
    ):
        require_device("cuda:99")
    with pytest.raises(
        ValueError, match="device must be cpu, cuda or cuda:N, got 'mps'"
    ):
        yoked.from_torch(Pixels(), device="mps")


@pytest.mark.gpu
def test_a_gpu_decides_as_the_cpu_does(protocol, frames):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours, theirs = (
            decide(learnt(Drawn(), protocol, device=device), frames)
            for device in ("cpu", "cuda")
        )
    differences = np.abs(np.diff(ours)) > 1e-3  # no tie
    assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-3)
    assert ((ours.argmax(1) == theirs.argmax(1)) | ~differences[:, 0]).all()
