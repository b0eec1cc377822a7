"""Conditions and equivalent noise from the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import yoked
from yoked.app.cli import cli
from yoked.experiments.store.sqlite import open_store


def invoke(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def printed(*words):
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Return a log with one session of equivalent noise, and the session's id."""
    path = tmp_path_factory.mktemp("log") / "results.db"
    store = open_store(path)
    protocol, template = yoked.load_protocol("equivalent-noise"), "template"
    made = yoked.run(
        protocol,
        yoked.load_observer(template),
        store=store,
        seed=1,
        observer_seed=7,
        internal_noise=1.0,
    )
    store.close()
    return path, made.id


def test_a_session_is_summarised_by_condition(log):
    found = printed("conditions", *log)
    assert [each["noise_sd"] for each in found["conditions"]] == [
        0, 0.05, 0.1, 0.15, 0.18
    ]  # fmt: skip
    silent, *noisy = found["conditions"]
    assert "has no noise" in silent["missing"]["kernel"]
    assert all(each["kernel"] is not None for each in noisy)
    assert len(found["differences"]) == 4
    table = invoke("conditions", *log, "--no-kernels", "--table").stdout
    assert "sd-0.18" in table


def test_equivalent_noise_of_a_template_is_its_internal_noise(log, tmp_path):
    found = printed("equivalent-noise", *log)["model"]
    # gamma is 1 at the protocol's own noise, whose SD is .15.
    low, high = (float(found["noise_sd"][end]) for end in ("low", "high"))
    assert low < 0.15 < high
    picture = tmp_path / "plot.svg"
    result = invoke("plot", log[0], "equivalent-noise", log[1], "-o", picture)
    assert result.exit_code == 0, result.output
    assert Path(picture).read_text().startswith("<?xml")
    assert "differ in noise SD: each is taken by itself" in result.stderr


def test_any_command_takes_a_condition(log):
    path, session = log
    (one,) = printed("analyse", path, f"{session}/sd-0.15", "--orders", "0")
    assert one["session"] == f"{session}/sd-0.15"
    assert one["n_counted"] == 160
    every = printed("analyse", path, "--orders", "0")
    assert [each["session"].partition("/")[2] for each in every] == [
        "no-noise", "sd-0.05", "sd-0.10", "sd-0.15", "sd-0.18"
    ]  # fmt: skip
    result = invoke("analyse", path, f"{session}/loud")
    assert "no condition 'loud' in equivalent-noise; there are no" in result.output


def test_sittings_of_one_participant_are_one_by_condition(log, tmp_path):
    path, first = tmp_path / "two.db", log[1]
    path.write_bytes(log[0].read_bytes())
    store = open_store(path)
    protocol = yoked.load_protocol("equivalent-noise").with_options(200)
    template = yoked.load_observer("template")
    second = yoked.run(protocol, template, store=store, seed=2, internal_noise=1.0)
    store.close()
    found = printed("conditions", path, first, second.id, "--no-kernels")
    alone = printed("conditions", path, first, "--no-kernels")
    assert found["session"] == "template"
    for both, one in zip(found["conditions"], alone["conditions"], strict=True):
        assert both["n_trials"] == one["n_trials"] + 40
    analysed = invoke("analyse", path, "--pool", "participant", "--orders", 0)
    assert [row["session"] for row in json.loads(analysed.stdout)] == [
        f"template/{each.name}" for each in protocol.conditions
    ]


def test_power_plans_one_condition():
    result = invoke("power", "equivalent-noise", "--no-check")
    assert "--condition must be one of no-noise, sd-0.05, sd-0.10" in result.output
    rows = printed(
        "power", "equivalent-noise", "--condition", "sd-0.18", "--no-check", "--json"
    )
    assert len(rows) == 4
    silent = invoke(
        "power", "equivalent-noise", "--condition", "no-noise", "--no-check"
    )
    assert "there is no noise, so an ideal observer makes no errors" in silent.output


def test_preview_shows_a_condition(tmp_path):
    def shown(*more):
        picture = tmp_path / "trial.png"
        return printed("preview", "equivalent-noise", "-o", picture, *more)

    quiet, loud = shown("--condition", "no-noise"), shown("--condition", "sd-0.18")
    assert quiet["contrast"] == 0.07
    assert loud["contrast"] == 0.094
    assert quiet["digest"] != loud["digest"] != shown()["digest"]


def test_the_report_has_the_results_by_condition(log, tmp_path):
    page = tmp_path / "report.html"
    result = invoke("report", *log, "-o", page, "--orders", "0")
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert "template by condition" in text
    assert "equivalent-noise, condition sd-0.18" in text
    assert "d&#39; - first" in text
    assert "SD of the external noise" in text
