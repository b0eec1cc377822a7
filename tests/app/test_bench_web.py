"""A server under load is measured; what it acknowledged is looked for in its log."""

import asyncio
import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from yoked.app.bench_web import web_load
from yoked.app.participants import Load, as_shown
from yoked.app.web.responses import parse_response
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.session.shown import timing_fault


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_participants_are_measured_and_nothing_is_lost(
    database, request, tmp_path, monkeypatch
):
    url = None
    if database == "postgres":
        url = request.getfixturevalue("postgres").new()
    monkeypatch.setattr("yoked.app.bench_web.COMMIT_S", 0.2)
    found = web_load("bar-in-noise", 4, 3.0, 0.8, url, tmp_path)
    assert (found["lost"], found["doubled"], found["other_pixels"]) == (0, 0, 0)
    assert (found["faults"], found["first_fault"]) == (0, None)
    assert found["highest_lost"] == 0
    assert found["trials"] >= 4
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["longest_ms"]
    assert found["highest_trials_per_s"] > 0
    assert "secret" not in str(found)


def test_a_notebook_measures_though_it_has_a_loop_that_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("yoked.app.bench_web.COMMIT_S", 0.1)

    async def cell():
        return web_load("bar-in-noise", 1, 1.0, 0.5, None, tmp_path)

    with ThreadPoolExecutor(1) as notebook:
        found = notebook.submit(asyncio.run, cell()).result()
    assert found["trials"] >= 1


def test_a_trial_that_the_log_lacks_is_found_out(tmp_path, monkeypatch):
    from yoked.app import bench_web

    taken = bench_web.take_part

    def forgetful(address, protocol, n, seconds, every_s) -> Load:
        load = taken(address, protocol, n, seconds, every_s)
        (db,) = tmp_path.glob("*/load.db")
        with contextlib.closing(sqlite3.connect(db)) as other, other:
            other.execute("UPDATE sessions SET status = 'withdrawn'")
            other.execute("DELETE FROM trials WHERE trial = 0")
        return load

    monkeypatch.setattr(bench_web, "take_part", forgetful)
    monkeypatch.setattr(bench_web, "COMMIT_S", 0.1)
    found = web_load("bar-in-noise", 2, 2.0, 0.5, None, tmp_path)
    assert found["lost"] == 2


@pytest.mark.parametrize("name", protocol_names())
def test_what_is_sent_is_what_a_browser_would_send_of_a_trial_without_fault(name):
    protocol = load_protocol(name)
    body = {**as_shown(protocol), "response": 0, "digest": None}
    if protocol.confidence.keys:
        body["confidence"] = 0
    sent = parse_response(body, protocol)
    assert timing_fault(protocol, sent.measured) is None
