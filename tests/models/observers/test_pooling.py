"""A template in a scene: how it pools places, against an independent simulation."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import yoked
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.noise_along import sd_along
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import signal_levels
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.models.observers.template import Template

CUED, OPEN = load_protocol("cued-detection"), load_protocol("position-unknown")
N = 3000


def ran(protocol, seed=1, contrast=0.1, **options):
    observer = yoked.load_observer("template", **options)
    return yoked.run(protocol, observer, seed=seed, trials=N, contrast=contrast)


def ready(protocol):
    template = Template()
    template.prepare(Viewing.of(protocol))
    template.learn(Practice(protocol))
    return template


def dprime_at(protocol, contrast):
    """D' of one patch for its ideal observer."""
    levels = signal_levels(protocol, contrast)
    return np.linalg.norm(levels) / (127 * protocol.noise.sd)


def test_max_over_places_is_right_as_often_as_its_closed_form():
    d, m = dprime_at(OPEN, 0.1), OPEN.places.count
    # The largest is the signal's or one beside it, against the largest of the noise.
    cdf = lambda x: norm.cdf(x - d) * norm.cdf(x) ** (m - 1)  # noqa: E731
    density = lambda x: m * norm.pdf(x) * norm.cdf(x) ** (m - 1)  # noqa: E731
    expected = quad(lambda x: (1 - cdf(x)) * density(x), -8, 12)[0]
    correct = ran(OPEN, pool="max").counted["correct"].mean()
    assert correct == pytest.approx(expected, abs=3 * np.sqrt(0.16 / N))


def test_a_sum_over_places_has_the_ideal_s_dprime_over_the_root_of_their_number():
    expected = norm.cdf(dprime_at(OPEN, 0.1) / np.sqrt(2 * OPEN.places.count))
    correct = ran(OPEN, pool="sum").counted["correct"].mean()
    assert correct == pytest.approx(expected, abs=3 * np.sqrt(0.2 / N))


def test_the_likelihood_is_ideal_and_no_other_pool_does_better():
    correct = {
        pool: ran(OPEN, pool=pool).counted["correct"].mean()
        for pool in ("likelihood", "max", "sum")
    }
    assert correct["likelihood"] >= correct["max"] - 0.01 > correct["sum"]
    rng, d = np.random.default_rng(3), dprime_at(OPEN, 0.1)
    seen = rng.standard_normal((200_000, 2, 4))
    seen[:, 0, 0] += d
    ratio = np.exp(d * seen - d**2 / 2).sum(axis=-1)
    expected = (ratio[:, 0] > ratio[:, 1]).mean()
    assert correct["likelihood"] == pytest.approx(expected, abs=0.02)


def test_the_likelihood_weighs_places_by_the_cue_as_drawn_independently():
    counted = ran(CUED, contrast=0.1).counted
    signal, valid = counted["target"] == 1, counted["cue"] == counted["place"]
    hits = [counted["response"][signal & rows].mean() for rows in (valid, ~valid)]
    false_alarms = counted["response"][~signal].mean()
    rng, d, n = np.random.default_rng(4), dprime_at(CUED, 0.1), 200_000
    prior = np.array([0.75, 0.25 / 3, 0.25 / 3, 0.25 / 3])  # the first place is cued
    decisions = []
    for at in (None, 0, 1):
        seen = rng.standard_normal((n, 4))
        if at is not None:
            seen[:, at] += d
        decisions.append(np.log((prior * np.exp(d * seen - d**2 / 2)).sum(axis=1)))
    noise, right, wrong = decisions
    middle = np.median(np.concatenate([noise] * 4 + [right] * 3 + [wrong]))
    expected = [
        (right > middle).mean(),
        (wrong > middle).mean(),
        (noise > middle).mean(),
    ]
    assert [*hits, false_alarms] == pytest.approx(expected, abs=0.04)


def test_a_template_reads_the_cue_in_its_frame_and_needs_one():
    template = ready(CUED)
    table, frames = Practice(CUED).draw(6)
    noise = ObserverNoise(1, table["trial"])
    found = template.decide(frames, noise)
    assert found.shape == (6, 1)
    others = frames.copy()
    others[:, :, 0] = frames[::-1, :, 0]  # cues of other trials
    assert (template.decide(others, noise) != found).any()
    others[:, :, 0] = 128
    with pytest.raises(ValueError, match="frames must show a cue of the protocol, got"):
        template.decide(others, noise)


def test_a_post_cue_serves_as_well_as_a_cue_before():
    data = CUED.to_dict()
    data["cue"] |= {"when": "after", "gap_ms": 100}
    after = ran(Protocol.from_dict(data))
    before = ran(CUED)
    assert (after.counted["response"].to_numpy() == before.counted["response"]).all()


def test_a_scene_of_noise_on_a_basis_is_pooled_by_its_own_variance():
    data = load_protocol("orientation-noise").to_dict()
    width = data["noise"]["grid"][2] * data["display"]["deg_per_element"]
    data["places"] = {"arrangement": "row", "n": 2, "spacing_deg": 1.5 * width}
    data["task"] = {"kind": "2afc", "keys": ["f", "j"]}
    protocol = Protocol.from_dict(data)
    weights = signal_levels(protocol, 0.1)
    session = ran(protocol, contrast=max(protocol.contrast.values))
    fields = session.noise.field(session.trials.iloc[:2000], 0).astype(float)
    sums = (fields * weights).sum(axis=(1, 2, 3))
    assert sums.std() == pytest.approx(sd_along(protocol, weights), rel=0.05)
    assert session.counted["correct"].mean() > 0.7


def test_a_pool_that_is_none_is_refused():
    with pytest.raises(
        ValueError, match="pool must be one of likelihood, sum, max, got"
    ):
        Template(pool="mean")


def test_without_places_a_template_is_what_it_was():
    session = yoked.run(
        load_protocol("bar-in-noise"), Template(pool="max"), seed=1, trials=50
    )
    assert session.row.observer.parameters == {"efficiency": 1.0, "internal_noise": 0.0}


def test_conditions_among_which_the_patches_move_are_refused():
    cue = {"kind": "arrow", "validity": 0.7, "shown_ms": 200}
    data = {**OPEN.to_dict(), "cue": cue, "conditions": []}
    data["places"]["size_deg"] = 9.0
    when = [{"name": w, "cue": {"when": w}} for w in ("before", "after")]
    rule = "cue.when must be the same in all conditions for a template, got before and"
    with pytest.raises(ValueError, match=rule):
        ready(Protocol.from_dict({**data, "conditions": when}))
    where = [{"name": str(n), "places": {"n": n}} for n in (2, 4)]
    rule = "places must be the same in all conditions for a template, got 2 layouts"
    with pytest.raises(ValueError, match=rule):
        ready(Protocol.from_dict({**data, "conditions": where}))


@pytest.mark.parametrize("protocol", [OPEN, CUED])
def test_the_ideal_observer_of_variants_refuses_a_scene_before_it_is_shown(protocol):
    rule = r"places must be left out for ideal, .* \(template does them\), got 4"
    with pytest.raises(ValueError, match=rule):
        yoked.run(protocol, yoked.load_observer("ideal"), seed=1)


def test_a_template_refuses_patterns_to_be_identified_in_a_scene():
    data = load_protocol("bar-in-noise").to_dict()
    bars = [{"kind": "bar", "columns": [c, c]} for c in (2, 6, 10)]
    data |= {
        "task": {"kind": "identify", "keys": ["1", "2", "3"]},
        "signal": {"kind": "patterns", "patterns": bars},
        "places": {"arrangement": "row", "n": 2, "spacing_deg": 12},
        "contrast": {"values": [0.16]},
        "blocks": [b for b in data["blocks"] if b["kind"] == "main"],
    }
    rule = "places must be left out for template where patterns are identified, got 2"
    with pytest.raises(ValueError, match=rule):
        ready(Protocol.from_dict(data))


def test_a_network_takes_part_in_a_scene():
    frames_seen = []

    class Looker:
        name = "looker"

        def prepare(self, viewing):
            self.places = viewing.places

        def decide(self, frames, noise):
            frames_seen.append(frames.shape[1:])
            own = [
                frames[:, :, -1, y : y + h, x : x + w].mean(axis=(2, 3))
                for y, x, h, w in self.places
            ]
            return np.max(own, axis=0)

    session = yoked.run(OPEN, Looker(), seed=1, trials=800, contrast=0.3)
    assert set(frames_seen) == {(2, *OPEN.frame_shape)}
    assert session.counted["correct"].mean() > 0.6
