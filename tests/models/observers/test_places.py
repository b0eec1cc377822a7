"""Circuits in a scene: one at every place, and what its name says of pooling them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import yoked
from yoked.analysis.kernels.weighted_sum import first_order_kernel
from yoked.analysis.trials.responses import responses
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import FULL_CONTRAST
from yoked.experiments.protocols.places import Cue, Places
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import signal_levels, signal_template
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing

from .played import CONTRASTS

CUED, OPEN = load_protocol("cued-detection"), load_protocol("position-unknown")
ONE_PATCH = replace(OPEN, places=Places())
POOLS = {name: np.max if name == "max" else np.sum for name in CONTRASTS}
N = 4000


def ready(name, protocol, **options):
    observer = yoked.load_observer(name, **options)
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    return observer


def decided(observer, frames):
    return observer.decide(frames, ObserverNoise(1, np.arange(len(frames))))


def patches_of(protocol, frames, first=0):
    """Cut out each place by itself: the frames of trials with one patch."""
    n = protocol.noise.grid[0]
    return [
        np.ascontiguousarray(frames[:, :, first : first + n, y : y + h, x : x + w])
        for y, x, h, w in Viewing.of(protocol).places
    ]


def with_cue(when, gap_ms=0.0):
    cue = Cue("arrow", when, validity=0.7, shown_ms=200.0, gap_ms=gap_ms)
    return replace(OPEN, cue=cue)


@pytest.mark.parametrize("name", CONTRASTS)
@given(first=st.integers(0, 2**40), contrast=st.sampled_from([0.0, 0.16, 0.35]))
@settings(max_examples=5)
def test_a_scene_is_the_pool_of_its_patches(name, first, contrast):
    _, frames = Practice(OPEN).draw(5, first, contrast)
    alone = ready(name, ONE_PATCH)
    each = [decided(alone, patch) for patch in patches_of(OPEN, frames)]
    found = decided(ready(name, OPEN), frames)
    assert found.shape == (5, 2)
    np.testing.assert_allclose(found, POOLS[name](each, axis=0), rtol=1e-13, atol=1e-13)
    if name == "max":
        assert (found == np.max(each, axis=0)).all()


@pytest.mark.parametrize("name", CONTRASTS)
def test_decisions_in_a_scene_are_scores_in_rows_that_no_batch_changes(name):
    observer = ready(name, OPEN)
    _, frames = Practice(OPEN).draw(12, contrast=0.2)
    whole = decided(observer, frames)
    parts = [decided(observer, frames[i : i + 5]) for i in range(0, 12, 5)]
    assert np.array_equal(np.concatenate(parts), whole)
    contrast = (torch.from_numpy(frames).float() - 128) / FULL_CONTRAST
    contrast.requires_grad_()
    scores = observer.scores(contrast)
    assert scores.detach().numpy() == pytest.approx(whole, rel=1e-4, abs=1e-4)
    rows = observer.input_of(contrast)
    assert rows.shape == (12 * 2 * 4, 144)
    outputs = observer.network(rows).detach().numpy().reshape(12, 2, 4)
    assert POOLS[name](outputs, axis=2) == pytest.approx(whole, rel=1e-4, abs=1e-4)
    scores.sum().backward()
    inside = torch.zeros(OPEN.frame_shape[1:], dtype=torch.bool)
    for y, x, h, w in Viewing.of(OPEN).places:
        inside[y : y + h, x : x + w] = True
    assert bool(contrast.grad.isfinite().all())
    assert not contrast.grad[..., ~inside].any()
    if name == "linear":
        assert (contrast.grad[..., inside] != 0).float().mean() > 0.9


def test_linear_is_the_template_at_all_places():
    protocol = OPEN.with_options(N, contrast=0.16)
    observer = yoked.load_observer("linear", spread=0)
    session = yoked.run(protocol, observer, seed=1)
    counted = responses(session)
    sd = session.noise.fields.field(counted.table, 0).std() / FULL_CONTRAST
    template = signal_template(protocol)
    template = template / np.linalg.norm(template)
    for place in range(4):
        found = first_order_kernel(counted, At(session.noise.fields, place))
        p = counted.table["correct"].mean()
        # methods.md 4.3, with sigma_D = sqrt(2 x 4) sigma for a template of length 1.
        size = 2 * sd / np.sqrt(8) * norm.pdf(norm.ppf(p)) / (p * (1 - p))
        error = (found.kernel - size * template) / found.se
        assert abs((error**2).sum() - 144) < 4 * np.sqrt(2 * 144)
        along = (found.kernel * template).sum() / size
        assert along == pytest.approx(1, abs=4 * found.se.mean() / size)


class At:
    """The noise of one place, whether or not the signal is there."""

    def __init__(self, fields, place):
        self.fields, self.name, self.place = fields, fields.name, place

    def field(self, table, interval):
        return self.fields.field(table, 4 * interval + self.place)


@pytest.mark.parametrize(("spread", "contrast"), [(0, 0.16), (0, 0.3), (1.2, 0.2)])
def test_linear_has_the_dprime_of_a_patch_over_the_root_of_their_number(
    spread, contrast
):
    levels = signal_levels(OPEN, contrast).astype(float)
    used = ready("linear", OPEN, spread=spread).network[0].templates.numpy().ravel()
    seen = used @ levels.ravel() / np.linalg.norm(used)
    single = seen / (FULL_CONTRAST * OPEN.noise.sd)
    due = norm.cdf(single / np.sqrt(4) / np.sqrt(2))
    observer = yoked.load_observer("linear", spread=spread)
    session = yoked.run(OPEN, observer, seed=2, trials=N, contrast=contrast)
    se = np.sqrt(due * (1 - due) / len(session.counted))
    assert session.counted["correct"].mean() == pytest.approx(due, abs=4 * se)


@pytest.mark.parametrize("name", CONTRASTS)
def test_circuits_respond_in_a_scene_and_log_what_they_ever_did(name):
    session = yoked.run(OPEN, yoked.load_observer(name), seed=3, trials=300)
    assert session.counted["correct"].mean() > 0.6
    kept = yoked.load_observer(name).parameters
    assert session.row.observer.parameters == {**kept, "internal_noise": 0.0}


@pytest.mark.parametrize("name", CONTRASTS)
@pytest.mark.parametrize(
    ("protocol", "first"),
    [(CUED, CUED.n_before), (with_cue("before"), 1), (with_cue("after", 100.0), 0)],
)
def test_a_circuit_does_not_look_at_a_cue(name, protocol, first):
    observer = ready(name, protocol)
    _, frames = Practice(protocol).draw(6, contrast=0.2)
    found = decided(observer, frames)
    alone = ready(name, replace(protocol, places=Places(), cue=Cue()))
    each = [decided(alone, patch) for patch in patches_of(protocol, frames, first)]
    assert found == pytest.approx(POOLS[name](each, axis=0), rel=1e-12)
    others = np.zeros_like(frames)
    shown = slice(first, first + protocol.noise.grid[0])
    others[:, :, shown] = frames[:, :, shown]
    assert np.array_equal(decided(observer, others), found)


def test_an_observer_goes_from_a_scene_to_one_patch_and_back():
    observer = ready("energy", CUED)
    for protocol in (ONE_PATCH, OPEN, CUED):
        observer.prepare(Viewing.of(protocol))
        observer.learn(Practice(protocol))
        _, frames = Practice(protocol).draw(3)
        new = decided(ready("energy", protocol), frames)
        assert np.array_equal(decided(observer, frames), new)


def test_frames_of_another_scene_are_refused():
    _, frames = Practice(OPEN).draw(2)
    rule = r"frames must be \(2, 150, 150\) px, got \(1, 150, 150\)"
    with pytest.raises(ValueError, match=rule):
        decided(ready("max", CUED), frames)


@pytest.mark.parametrize("name", ["ln", "max"])
def test_conditions_among_which_the_patches_move_are_refused(name):
    cue = {"kind": "arrow", "validity": 0.7, "shown_ms": 200}
    data = {**OPEN.to_dict(), "cue": cue, "conditions": []}
    data["places"]["size_deg"] = 9.0
    when = [{"name": w, "cue": {"when": w}} for w in ("before", "after")]
    rule = f"cue.when must be the same in all conditions for {name}, got before and"
    with pytest.raises(ValueError, match=rule):
        ready(name, Protocol.from_dict({**data, "conditions": when}))
    where = [{"name": str(n), "places": {"n": n}} for n in (2, 4)]
    rule = f"places must be the same in all conditions for {name}, got 2 layouts"
    with pytest.raises(ValueError, match=rule):
        ready(name, Protocol.from_dict({**data, "conditions": where}))


def test_white_box_kernels_refuse_a_scene_whatever_the_observer():
    for name in ("linear", "template"):
        rule = "places must be left out for white-box kernels, got 4"
        with pytest.raises(ValueError, match=rule):
            yoked.white_box(OPEN, yoked.load_observer(name), layer="0")
