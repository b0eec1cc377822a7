"""Observers with a device: tensors, batches, rehearsal, and what memory holds."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.observer import Practice
from yoked.experiments.session.results import session_data
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest
from yoked.experiments.store.sqlite import open_store
from yoked.models.decision import N_REHEARSED, calibrate
from yoked.models.observers.guesser import Guesser
from yoked.models.observers.template import Template
from yoked.models.simulate import run
from yoked.models.training.practice import one_thread


class OutOfMemory(MemoryError):
    """What an observer makes of torch's own."""


class Net(nn.Module):
    """A small network, the same at every call."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            self.convolution = nn.Conv2d(1, 4, 5, stride=3)
            self.readout = nn.Linear(4 * 16 * 16, 1)

    def forward(self, x):
        return self.readout(self.convolution(x).relu().flatten(1))


class Networked:
    """An observer of a network that pads and splits to its batch.

    `room` is the largest batch that its memory holds, once `after` trials are over.
    """

    name = "networked"
    device = "cpu"
    n_reserved = 256

    def __init__(self, batch=16, room=10**6, after=0, can_halve=True):
        self.batch, self.room, self.after, self.can_halve = (
            batch,
            room,
            after,
            can_halve,
        )
        self.net, self.asked, self.rehearsed = Net(), [], []

    def prepare(self, viewing):
        pass

    def rehearse(self, frames, noise):
        self.rehearsed.append((frames, noise.trials))

    @property
    def hardware(self):
        return {"type": "cpu", "batch": self.batch, "threads": 1}

    def halve(self):
        if not self.can_halve or self.batch == 1:
            return False
        self.batch //= 2
        return True

    def decide(self, frames, noise):
        assert isinstance(frames, torch.Tensor)
        assert frames.dtype == torch.uint8
        self.asked.append(len(frames))
        if self.batch > self.room and 0 < self.after <= noise.trials.min() < 1 << 40:
            raise OutOfMemory("no memory is left")
        contrast = (frames.float() - 128) / 127
        parts = [self.scores(part) for part in contrast.split(self.batch)]
        return torch.cat(parts) + torch.from_numpy(noise.normal(frames.shape[1])) / 100

    def scores(self, contrast):
        n, k = contrast.shape[:2]
        padded = torch.zeros((self.batch, *contrast.shape[1:]))
        padded[:n] = contrast
        with torch.inference_mode(), one_thread():
            return self.net(padded.flatten(0, 1)).view(-1, k)[:n]


@pytest.fixture
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


def test_an_observer_with_a_device_gets_the_pixels_as_tensors(protocol, store):
    observer = Networked()
    session = run(protocol, observer, store=store, seed=4, trials=40, contrast=0.2)
    records = store.trials(session.id)
    frames = Session.resume(store, session.id).frames([r.spec for r in records])
    assert [r.response.digest for r in records] == [digest(shown) for shown in frames]
    assert isinstance(frames, np.ndarray)


def test_practice_is_drawn_on_the_device(protocol):
    practice = Practice(protocol)
    table, frames = practice.draw(4, 7)
    on_device = practice.draw(4, 7, device="cpu")[1]
    assert isinstance(on_device, torch.Tensor)
    assert (on_device.numpy() == frames).all()
    assert table["trial"].tolist() == [7, 8, 9, 10]


def test_batches_are_multiples_of_the_observers_own(protocol):
    observer = Networked(batch=48)
    run(protocol, observer, seed=4, trials=600, contrast=0.2)
    assert set(observer.asked) == {2, 240, 612 - 2 * 240}
    observer = Networked(batch=300)
    run(protocol, observer, seed=4, trials=600, contrast=0.2)
    assert set(observer.asked) == {2, 300, 12}


def test_the_observer_rehearses_on_reserved_trials_before_all_others(protocol, store):
    observer = Networked()
    session = run(protocol, observer, store=store, seed=4, trials=40, contrast=0.2)
    ((frames, numbers),) = observer.rehearsed
    assert len(frames) == N_REHEARSED
    assert isinstance(frames, torch.Tensor)
    assert numbers.min() >= 1 << 62
    shown = {digest(one) for one in frames.numpy()}
    assert not shown & set(session.trials["digest"])


def test_the_log_says_what_the_observer_ran_on(protocol, store):
    options = {"store": store, "seed": 4, "trials": 4, "contrast": 0.2}
    told = run(protocol, Networked(batch=7), **options).row.device
    assert told == {"type": "cpu", "batch": 7, "threads": 1}
    assert run(protocol, Guesser(), **options).row.device == {"type": "cpu"}


def test_fewer_trials_get_the_same_responses(protocol):
    """Whole batches and a last one that is not full: a trial's answer is its own."""
    found = []
    for trials in (37, 300):
        session = run(
            protocol, Networked(), seed=4, trials=trials, contrast=0.2,
            internal_noise=1.0, observer_seed=5,
        )  # fmt: skip
        rows = session.trials.set_index(["trial", "digest"])
        found.append(rows[["response", "decision_variables"]])
    both = found[0].index.intersection(found[1].index)
    assert len(both) > 15
    assert found[0].loc[both].equals(found[1].loc[both])


def test_a_session_starts_again_with_half_the_batch_where_memory_runs_out(store):
    protocol = load_protocol("bar-in-noise").with_options(trials=300, contrast=0.2)
    observer = Networked(batch=64, room=16, after=256)
    with pytest.warns(UserWarning, match="a new one starts with half the batch"):
        session = run(protocol, observer, store=store, seed=4, internal_noise=0.5)
    first, second, third = store.sessions()
    assert [row.status for row in store.sessions()] == [
        "unfinished", "unfinished", "finished",
    ]  # fmt: skip
    assert session.id == third.id
    assert [row.device["batch"] for row in (first, second, third)] == [64, 32, 16]
    for row in (first, second):
        trials = session_data(store, row.id).trials
        assert trials["trial"].tolist() == list(range(256))
        assert trials["response"].notna().all()
        assert trials["decision_variables"].notna().all()
        (event,) = [e for e in store.events(row.id) if e["kind"] == "out of memory"]
        assert event["detail"]["after_trials"] == 256
        assert event["detail"]["error"] == "no memory is left"
    numbers = session.trials["trial"].tolist()
    assert numbers == list(range(third.n_trials))
    assert session.trials["digest"][:256].tolist() == trials["digest"].tolist()
    assert len({row.observer_seed for row in (first, second, third)}) == 3


def test_without_half_a_batch_the_error_goes_up_and_the_session_says_so(store):
    protocol = load_protocol("bar-in-noise").with_options(trials=300, contrast=0.2)
    observer = Networked(batch=64, room=16, after=256, can_halve=False)
    with pytest.raises(OutOfMemory, match="no memory is left"):
        run(protocol, observer, store=store, seed=4)
    (row,) = store.sessions()
    assert (row.status, row.n_trials) == ("unfinished", 256)
    kinds = [event["kind"] for event in store.events(row.id)]
    assert kinds == ["decision", "out of memory"]


def test_a_slow_observer_is_calibrated_on_as_few_trials_as_it_says(protocol):
    observer = Networked(batch=64)
    observer.n_reserved = 1024
    decision = calibrate(observer, Practice(protocol), 5, internal_noise=1.0)
    assert sum(observer.asked) == 1024
    assert decision.internal_sd > 0
    observer.n_reserved = 15
    with pytest.raises(ValueError, match="n_reserved must be even and 2 or more, got"):
        calibrate(observer, Practice(protocol), 5, internal_noise=1.0)


def test_a_tensor_that_needs_grad_is_refused(protocol):
    observer = Networked()
    observer.decide = lambda frames, noise: torch.ones(
        frames.shape[:2], requires_grad=True
    )
    with pytest.raises(ValueError, match=r"a tensor without gradient, .* got one that"):
        run(protocol, observer, seed=4, trials=4, contrast=0.2)


class TemplateOnDevice(Template):
    device = "cpu"

    def decide(self, frames, noise):
        return super().decide(frames.numpy(), noise)


def test_digests_and_responses_are_those_of_an_observer_without_a_device(protocol):
    plain, on_device = (
        run(protocol, observer, seed=4, trials=60)
        for observer in (Template(), TemplateOnDevice())
    )
    sent = ["contrast", "target", "response", "decision_variables", "digest"]
    assert plain.trials[sent].equals(on_device.trials[sent])
    assert json.loads(plain.trials["decision_variables"][0])
