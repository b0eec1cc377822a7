"""`yoked calibrate`: readings from a file or typed in become a stored look-up table."""

import csv
import io
import json
import sys
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from yoked.app.commands import calibrate as room
from yoked.app.commands import readings as typed_room
from yoked.app.commands.calibrate import calibrate
from yoked.experiments.monitors.calibrations import load_calibration
from yoked.experiments.monitors.luminance import levels_to_read

GEOMETRY = ("--width-cm", "53", "--size-px", "1920x1080", "--distance", "57")


def luminance(level: int, gamma: float = 2.2) -> float:
    """Return what a known screen shows at a level."""
    return round(0.5 + 110 * (level / 255) ** gamma, 4)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Keep calibrations and PsychoPy's monitors out of the user's own folders."""
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DISPLAY", raising=False)
    if find_spec("psychopy") is not None:
        from psychopy.monitors import calibTools

        monkeypatch.setattr(calibTools, "monitorFolder", str(tmp_path))
    return tmp_path / "calibrations"


@pytest.fixture
def readings(tmp_path):
    """Return a file of readings."""
    path = tmp_path / "readings.csv"
    rows = [f"{level},{luminance(level)}" for level in levels_to_read(17)]
    path.write_text("\n".join(["level,cd_m2", *rows]))
    return path


def run(*arguments, typed=None):
    """Run the command as in a pipe."""
    return CliRunner().invoke(calibrate, [str(a) for a in arguments], input=typed)


def printed(*arguments, typed=None):
    """Return what the command prints as JSON; it must succeed."""
    result = run(*arguments, typed=typed)
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def test_readings_of_a_file_are_fitted_and_stored(readings):
    response = printed("lab-1", "--readings", readings, *GEOMETRY)
    assert response["gamma"] == pytest.approx(2.2, abs=1e-3)
    assert response["r_squared"] > 0.99999
    assert response["n_steps"] == 184
    assert response["background_level"] == 186
    assert response["px_per_degree"] == pytest.approx(36.04, abs=0.01)
    made = load_calibration("lab-1")
    assert (made.id, made.photometer) == (response["id"], "readings.csv")


def test_the_plot_is_written_where_it_was_asked_for(readings, tmp_path):
    path = tmp_path / "fit.png"
    response = printed("lab-1", "--readings", readings, *GEOMETRY, "--plot", path)
    assert response["plot"] == str(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_by_default_the_plot_is_beside_the_calibration(readings, folder):
    printed("lab-1", "--readings", readings, *GEOMETRY)
    assert "<svg" in (folder / "lab-1.svg").read_text()


def test_without_matplotlib_only_the_plot_is_missed(readings, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert printed("lab-1", "--readings", readings, *GEOMETRY)["plot"] is None
    assert (folder / "lab-1.json").exists()
    result = run("lab-1", "--readings", readings, *GEOMETRY, "--plot", "fit.png")
    assert isinstance(result.exception, ModuleNotFoundError)


def test_a_table_for_a_person_has_values_with_their_errors(readings):
    text = run("lab-1", "--readings", readings, *GEOMETRY, "--table").stdout
    assert "2.200 ± 0.000" in text
    assert "184 of 255" in text


def test_readings_are_typed_level_by_level():
    levels = levels_to_read(6)
    responses = [f"{luminance(level)}\n" for level in levels]
    responses.insert(2, "bright\n")  # asked for again
    result = run("lab-1", *GEOMETRY, "--levels", 6, typed="".join(responses))
    assert result.exit_code == 0, result.output
    assert "6 of 6: cd/m2 at screen level 255" in result.stderr
    assert "Show the levels yourself" in result.stderr
    made = load_calibration("lab-1")
    assert made.readings == tuple((v, luminance(v)) for v in levels)
    assert made.photometer == "typed"


def test_typed_readings_that_cannot_be_fitted_are_not_lost():
    result = run("lab-1", *GEOMETRY, "--levels", 6, typed="5\n" * 6)
    assert isinstance(result.exception, ValueError)
    assert "higher at the highest level" in str(result.exception)
    text = result.stderr[result.stderr.index("level,cd_m2") :]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["level"]) for row in rows] == list(levels_to_read(6))


def test_a_mistyped_reading_is_gone_back_to():
    right = [f"{luminance(v)}" for v in levels_to_read(6)]
    typed = [*right[:2], "150.9", "b", *right[2:]]
    result = run("lab-1", *GEOMETRY, "--levels", 6, typed="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    made = load_calibration("lab-1")
    assert made.readings == tuple((v, luminance(v)) for v in levels_to_read(6))
    assert result.stderr.count("3 of 6: cd/m2 at screen level 102") == 2


def test_going_back_before_the_first_reading_stays_there():
    typed = ["b", *(f"{luminance(v)}" for v in levels_to_read(6))]
    result = run("lab-1", *GEOMETRY, "--levels", 6, typed="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    assert load_calibration("lab-1").readings[0] == (0, luminance(0))


def test_a_reading_that_falls_is_pointed_out_as_it_is_typed():
    """15.09 became 150.9: the next reading is lower, and one of the two is wrong."""
    right = [f"{luminance(v)}" for v in levels_to_read(6)]
    typed = [*right[:2], "150.9", right[3], "b", "b", *right[2:]]
    result = run("lab-1", *GEOMETRY, "--levels", 6, typed="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    fault = f"got 150.9 cd/m2 at 102 and {luminance(153):g} at 153; b goes back"
    assert f"readings must rise with the level, {fault}" in result.stderr
    assert load_calibration("lab-1").readings[2] == (102, luminance(102))


def test_at_the_end_any_reading_can_be_corrected(monkeypatch):
    """One that rises all the same, and only lies off the curve, is seen there."""
    monkeypatch.setattr(typed_room, "sys", type("Terminal", (), {"stdin": _Terminal()}))
    right = [f"{luminance(v)}" for v in levels_to_read(6)]
    typed = [*right[:3], "53.9", *right[4:], "nonsense", "153=x", "7=1", "153=36.3", ""]
    result = run("lab-1", *GEOMETRY, "--levels", 6, typed="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    assert load_calibration("lab-1").readings[3] == (153, 36.3)
    assert "of the range off the curve" in result.stderr.split("must be like")[0]
    assert result.stderr.count("must be like 128=40.2") == 2
    assert "level must be one of 0, 51, 102, 153, 204, 255, got 7" in result.stderr


def test_readings_that_cannot_be_fitted_are_corrected_too(monkeypatch):
    monkeypatch.setattr(typed_room, "sys", type("Terminal", (), {"stdin": _Terminal()}))
    right = [f"{luminance(v)}" for v in levels_to_read(6)]
    typed = [*right[:5], "1.1", "", "255=110.5", ""]
    result = run("lab-1", *GEOMETRY, "--levels", 6, typed="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    assert "readings must rise with the level, got" in result.stderr
    assert load_calibration("lab-1").readings[5] == (255, 110.5)


def test_what_is_known_of_a_monitor_need_not_be_said_again(readings):
    printed("lab-1", "--readings", readings, *GEOMETRY)
    again = printed("lab-1", "--readings", readings, "--distance", "80")
    assert (again["width_cm"], again["size_px"]) == (53.0, [1920, 1080])
    assert again["distance_cm"] == 80.0


def test_an_unknown_monitor_needs_its_geometry(readings):
    result = run("lab-1", "--readings", readings, "--distance", "57")
    assert result.exit_code == 2
    assert "--width-cm must be given" in result.output


def test_geometry_is_asked_for_in_a_terminal(readings, monkeypatch):
    monkeypatch.setattr(room, "sys", type("Terminal", (), {"stdin": _Terminal()}))
    result = run("lab-1", "--readings", readings, typed="53\nwide\n1920x1080\n57\n")
    assert result.exit_code == 0, result.output
    assert "must be like 1920x1080, got 'wide'" in result.stderr
    assert load_calibration("lab-1").size_px == (1920, 1080)


class _Terminal:
    """A standard input that somebody sits at."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--photometer", "LS100"), "give --readings, or --photometer with --port"),
        (("--port", "COM3"), "give --readings, or --photometer with --port"),
        (("--size-px", "big"), "must be like 1920x1080, got 'big'"),
        (("--levels", "3"), "3 is not in the range"),
        (("--readings", "nowhere.csv"), "does not exist"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, sentence):
    result = run("lab-1", *options)
    assert result.exit_code == 2
    assert sentence in result.output


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("../x", (), "monitor must be named by"),
        ("lab-1", ("--distance", "1"), "distance_cm must be from 10 to 1000, got 1"),
        ("lab-1", ("--plot", "fit.bmp"), "name of a plot must end in .png, .svg, .pdf"),
    ],
)
def test_values_that_cannot_be_are_one_sentence(readings, name, options, sentence):
    result = run(name, "--readings", readings, *GEOMETRY, *options)
    assert isinstance(result.exception, ValueError)
    assert sentence in str(result.exception)


def test_nothing_is_stored_when_the_plots_name_is_wrong(readings, folder):
    run("lab-1", "--readings", readings, *GEOMETRY, "--plot", "fit.bmp")
    assert not folder.exists()


def test_a_photometer_needs_a_screen_to_look_at():
    result = run("lab-1", *GEOMETRY, "--photometer", "LS100", "--port", "COM3")
    assert isinstance(result.exception, ModuleNotFoundError | OSError)
    assert "yoked" in str(result.exception)
