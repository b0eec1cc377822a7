"""The third leg: a template that reads PsychoPy's buffer responds the same."""

from dataclasses import replace

import numpy as np
import pytest

from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.screen import place
from yoked.experiments.lab.stage import Stage
from yoked.experiments.monitors.calibrations import calibrate, save_calibration
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.parts import Task
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest
from yoked.experiments.store.sqlite import open_store

from .conftest import SCREEN_PX
from .watching import (
    Watcher,
    fast,
    ideal_observer,
    request,
    response_to,
    run_in_process,
)

SEED = 20261120
# All but the published experiment whose noise can only be imported.
SHOWN = [n for n in protocol_names() if load_protocol(n).noise.source == "yoked-1"]
# Enough for a calibration, and for every condition.
TRIALS = {"bar-in-noise": 100, "equivalent-noise": 50}


def variant(name, trials, element_px=None, grid=None):
    protocol = fast(load_protocol(name)).with_options(trials=trials)
    display, noise = protocol.display, protocol.noise
    display = replace(display, element_px=element_px or display.element_px)
    return replace(
        protocol, display=display, noise=replace(noise, grid=grid or noise.grid)
    )


def without_practice(protocol):
    blocks = tuple(b for b in protocol.blocks if b.kind != "practice")
    if protocol.name not in TRIALS:
        blocks = tuple(b for b in blocks if b.kind == "main")
    catch = replace(protocol.catch, n_per_block=0)
    return replace(protocol, blocks=blocks, catch=catch)


def run_at_screen(db_path, window, protocol, scale=1, **options):
    """Run a session by a watching template; return it, its trials and the store."""
    stage = Stage.of(protocol, scale=scale)
    watcher = Watcher(window, protocol, stage)
    asked = request(protocol, seed=SEED, scale=scale, lut="identity", **options)
    outcome = run_lab(
        db_path, asked, print, lambda _, background: watcher, lambda *_: watcher
    )
    assert outcome.is_finished
    store = open_store(db_path)
    return watcher, store.trials(outcome.session_id), store


@pytest.fixture(scope="module")
def window(open_lab_window):
    return open_lab_window()


@pytest.mark.parametrize("name", SHOWN)
def test_the_buffer_and_the_array_get_the_same_responses(db_path, window, name):
    protocol = without_practice(variant(name, trials=TRIALS.get(name, 6)))
    watcher, trials, store = run_at_screen(db_path, window, protocol)
    in_process = run_in_process(protocol, SEED)
    # A calibration's contrasts depend on every response before them.
    assert [t.spec for t in trials] == [t.spec for t in in_process]
    responses = [t.response.response for t in trials]
    assert responses == [t.response.response for t in in_process]
    session = Session.resume(store, store.sessions()[0].id)
    frames = session.frames([t.spec for t in trials])
    store.close()
    assert np.array_equal(np.array(watcher.trials), frames)
    assert [t.response.digest for t in trials] == [digest(f) for f in frames]
    assert all(t.response.valid for t in trials)
    main = [t.correct for t in trials if t.spec.block_kind == "main"]
    assert name not in TRIALS or 0.5 < np.mean(main) < 1


# Sizes that are even and odd, in windows that are even and odd, at every scale.
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("size_px", [(800, 600), (801, 601)], ids=["even", "odd"])
def test_every_size_and_scale_is_drawn_as_it_is(
    tmp_path, open_lab_window, size_px, scale
):
    window = open_lab_window(size_px=size_px)
    assert window.size_px == size_px
    odd_bars = variant("bar-in-noise", 4, element_px=(33, 5))  # 33 x 65 px
    odd_wide = variant("gabor-in-noise", 4, element_px=(3, 4), grid=(1, 15, 16))
    even = variant("gabor-in-noise", 4, element_px=(2, 2))
    for number, protocol in enumerate((odd_bars, odd_wide, even)):
        protocol = protocol.with_options(trials=4, contrast=0.2)
        path = tmp_path / f"{number}.db"
        watcher, trials, store = run_at_screen(path, window, protocol, scale)
        session = Session.resume(store, store.sessions()[0].id)
        frames = session.frames([t.spec for t in trials])
        store.close()
        assert np.array_equal(np.array(watcher.trials), frames)
        assert [t.response.digest for t in trials] == [digest(f) for f in frames]
        in_process = run_in_process(protocol, SEED)
        assert [t.spec for t in trials] == [t.spec for t in in_process]
        responses = [t.response.response for t in trials]
        assert responses == [t.response.response for t in in_process]


def test_patches_side_by_side_are_drawn_as_they_are(db_path, open_lab_window):
    window = open_lab_window()
    protocol = variant("gabor-in-noise", 6).with_options(trials=6, contrast=0.2)
    protocol = replace(protocol, task=Task("mafc", ("1", "2", "3")))
    watcher, trials, store = run_at_screen(db_path, window, protocol, scale=2)
    session = Session.resume(store, store.sessions()[0].id)
    frames = session.frames([t.spec for t in trials])
    store.close()
    assert np.array_equal(np.array(watcher.trials), frames)
    responses = [t.response.response for t in trials]
    assert responses == [t.response.response for t in run_in_process(protocol, SEED)]


@pytest.mark.parametrize("name", ["bar-in-noise", "gabor-in-noise", "movie-bar"])
def test_a_calibrated_screen_gets_the_levels_through_its_table(
    db_path, tmp_path, monkeypatch, open_lab_window, name
):
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path))
    readings = [(v, 0.4 + 95 * (v / 255) ** 2.2) for v in range(0, 256, 15)]
    made = calibrate(
        "lab-1", readings, width_cm=53.0, size_px=(1280, 1024), distance_cm=57.0
    )
    save_calibration(made)
    table = np.array(made.lut, np.uint8)
    assert table[128] != 128
    protocol = variant(name, 8).with_options(trials=8, contrast=0.2)
    watchers = []

    def screen(_, background):
        assert background == made.lut[128]
        window = open_lab_window(background=background)
        assert (window.read_back() == background).all()
        stage = Stage.of(protocol, made.lut, 2)
        watchers.append(Watcher(window, protocol, stage))
        return watchers[0]

    asked = request(protocol, seed=SEED, scale=2, monitor="lab-1")
    outcome = run_lab(db_path, asked, print, screen, lambda *_: watchers[0])
    store = open_store(db_path)
    session, trials = (
        Session.resume(store, outcome.session_id),
        store.trials(outcome.session_id),
    )
    frames = session.frames([t.spec for t in trials])
    display = session.row.display
    store.close()
    assert np.array_equal(np.array(watchers[0].trials), table[frames])
    # The digest is that of the contrast levels, whatever the table.
    assert [t.response.digest for t in trials] == [digest(f) for f in frames]
    # The template sees through the table, here as in process.
    template = ideal_observer(protocol)
    responses = [response_to(template, shown) for shown in table[frames]]
    assert [t.response.response for t in trials] == responses
    assert display["lut"] == list(made.lut)
    assert display["calibration"]["id"] == made.id
    assert display["px_per_degree"] == pytest.approx(made.px_per_degree)
    assert display["refresh_is"] == "given"


def test_the_background_of_a_full_screen_reads_back_as_level_128(open_lab_window):
    window = open_lab_window(full_screen=True)
    window.flip()
    assert window.size_px == SCREEN_PX
    assert window.read_back().shape == SCREEN_PX[::-1]
    assert (window.read_back() == 128).all()


def test_every_gray_level_reads_back_as_itself(open_lab_window):
    window = open_lab_window()
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    (handle,) = window.prepare([levels])
    window.draw(handle)
    assert np.array_equal(window.read_back(place((16, 16), window.size_px)), levels)
