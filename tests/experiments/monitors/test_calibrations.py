"""Calibrations: what is stored comes back, what was changed is refused."""

import json

import pytest

from yoked.experiments.monitors.calibrations import (
    Calibration,
    age_days,
    calibrate,
    calibration_names,
    calibrations_folder,
    load_calibration,
    save_calibration,
)
from yoked.experiments.monitors.luminance import levels_to_read

MADE_AT = "2026-01-10T12:00:00.000+00:00"


def made(monitor="lab-1", gamma=2.2, **changes):
    """Return the calibration of a screen with this gamma."""
    readings = [(v, 0.5 + 100 * (v / 255) ** gamma) for v in levels_to_read(9)]
    known = {
        "width_cm": 53.0,
        "size_px": (1920, 1080),
        "distance_cm": 57.0,
        "photometer": "LS100",
        "made_at": MADE_AT,
    }
    return calibrate(monitor, readings, **(known | changes))


def test_a_calibration_comes_back_as_it_was(tmp_path):
    calibration = made()
    path = save_calibration(calibration, tmp_path)
    assert path == tmp_path / "lab-1.json"
    assert load_calibration("lab-1", tmp_path) == calibration
    assert load_calibration("lab-1", tmp_path).id == calibration.id


def test_it_comes_back_from_a_sessions_copy():
    calibration = made()
    stored = json.loads(json.dumps(calibration.to_dict()))
    assert Calibration.from_dict(stored) == calibration


def test_it_holds_what_a_session_needs():
    stored = made().to_dict()
    assert (len(stored["lut"]), stored["lut"][128]) == (256, 186)
    assert stored["fit"]["gamma"] == pytest.approx(2.2)
    assert made().px_per_degree == pytest.approx(36.04, abs=0.01)
    assert made().quality.n_steps == 184


def test_the_id_is_that_of_the_content():
    assert made().id == made().id
    others = [made(gamma=2.0), made("lab-2"), made(distance_cm=58.0)]
    assert len({made().id, *(other.id for other in others)}) == 4


def test_an_earlier_calibration_is_kept(tmp_path):
    for gamma in (2.0, 2.2, 2.2):
        save_calibration(made(gamma=gamma), tmp_path)
    earlier = list((tmp_path / "earlier").iterdir())
    gammas = [json.loads(path.read_text())["fit"]["gamma"] for path in earlier]
    assert sorted(gammas) == pytest.approx([2.0, 2.2])
    assert calibration_names(tmp_path) == ["lab-1"]
    assert load_calibration("lab-1", tmp_path).fit.gamma == pytest.approx(2.2)


def test_calibrations_are_listed_by_monitor(tmp_path):
    assert calibration_names(tmp_path / "none") == []
    for name in ("scanner", "Lab 2.left"):
        save_calibration(made(name), tmp_path)
    assert calibration_names(tmp_path) == ["Lab 2.left", "scanner"]


def test_an_unknown_monitor_gets_the_nearest_name(tmp_path):
    with pytest.raises(LookupError, match="named 'lab-1'; there is none yet"):
        load_calibration("lab-1", tmp_path)
    save_calibration(made(), tmp_path)
    with pytest.raises(LookupError, match=r"named 'lab1'; did you mean 'lab-1'\?"):
        load_calibration("lab1", tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["fit"].update(gamma=1.0),
        lambda data: data["lut"].__setitem__(128, 187),
        lambda data: data.update(distance_cm=60.0),
        lambda data: data.update(id="0" * 64),
    ],
)
def test_a_file_that_was_changed_by_hand_is_refused(tmp_path, change):
    path = save_calibration(made(), tmp_path)
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="that nobody changed: the calibration must"):
        load_calibration("lab-1", tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"monitor": "lab-1"}'])
def test_a_damaged_file_is_refused(tmp_path, text):
    path = save_calibration(made(), tmp_path)
    path.write_text(text)
    with pytest.raises(ValueError, match=r"lab-1.json' must be a calibration"):
        load_calibration("lab-1", tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"monitor": "../lab"}, "monitor must be named by 1 to 64 letters"),
        ({"monitor": ""}, "monitor must be named by 1 to 64 letters"),
        ({"monitor": "lab."}, "monitor must be named by 1 to 64 letters"),
        ({"width_cm": 0}, "width_cm must be from 5 to 1000, got 0"),
        ({"width_cm": float("nan")}, "width_cm must be from 5 to 1000, got nan"),
        ({"distance_cm": -57}, "distance_cm must be from 10 to 1000, got -57"),
        ({"size_px": (0, 1080)}, r"size_px must be width and height .*got \[0, 1080\]"),
    ],
)
def test_what_cannot_be_is_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        made(**changes)


def test_every_fault_is_told_at_once():
    with pytest.raises(ValueError, match="width_cm") as caught:
        made(width_cm=0, distance_cm=0)
    assert len(str(caught.value).splitlines()) == 2


def test_the_folder_can_be_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "here"))
    assert calibrations_folder() == tmp_path / "here"
    save_calibration(made())
    assert (tmp_path / "here" / "lab-1.json").exists()


def test_without_a_response_it_is_the_users_data_folder(monkeypatch):
    monkeypatch.delenv("YOKED_CALIBRATIONS", raising=False)
    assert calibrations_folder().parts[-2:] == ("yoked", "calibrations")


def test_a_write_that_fails_leaves_the_old_calibration(tmp_path, monkeypatch):
    save_calibration(made(), tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("yoked.experiments.monitors.calibrations.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_calibration(made(gamma=2.0), tmp_path)
    assert load_calibration("lab-1", tmp_path) == made()
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["lab-1.json"]


def test_age_is_counted_in_whole_days():
    assert age_days(MADE_AT, now="2026-01-11T11:59:00.000+00:00") == 0
    assert age_days(MADE_AT, now="2026-02-10T12:00:00.000+00:00") == 31
