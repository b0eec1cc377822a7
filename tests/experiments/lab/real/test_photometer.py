"""Photometers: one that looks at the real (virtual) screen, through the whole command.

The instrument is ours and is found as PsychoPy finds a plugin's; it takes its picture
from the X server, past the program that drew it.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from yoked.experiments.monitors.calibrations import load_calibration

GAMMA = 2.35


@pytest.fixture
def looking(display):
    """Make known to PsychoPy a photometer that looks at the middle of the screen."""
    ImageGrab = pytest.importorskip("PIL.ImageGrab", reason="Pillow is not here")
    features = pytest.importorskip("PIL.features", reason="Pillow is not here")
    if not features.check("xcb"):
        pytest.skip("this Pillow cannot take a picture of the screen")
    from psychopy.hardware.photometer import BasePhotometerDevice

    class LookingMeter(BasePhotometerDevice):
        def __init__(self, port):
            if port != "/dev/looking":
                raise RuntimeError("nothing there")

        def getLum(self):
            picture = np.array(ImageGrab.grab(xdisplay=display).convert("L"))
            height, width = picture.shape
            middle = picture[height // 2 - 20 :, width // 2 - 20 :][:40, :40]
            assert middle.min() == middle.max(), "the patch must be even"
            return 0.4 + 90 * (int(middle[0, 0]) / 255) ** GAMMA

    class SilentMeter(BasePhotometerDevice):
        def __init__(self, port):
            self.OK = port == "/dev/silent"

        def getLum(self):
            return None

    yield "LookingMeter"
    del LookingMeter, SilentMeter
    import gc

    gc.collect()  # PsychoPy finds classes for as long as they live


@pytest.fixture
def folder(tmp_path, monkeypatch):
    from psychopy.monitors import calibTools

    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setattr(calibTools, "monitorFolder", str(tmp_path))
    return tmp_path


GEOMETRY = ("--width-cm", "53", "--size-px", "1280x1024", "--distance", "57")


def calibrated(*options):
    from yoked.app.commands.calibrate import calibrate

    options = ["lab-1", *GEOMETRY, "--settle-s", "0.05", "--levels", "9", *options]
    return CliRunner().invoke(calibrate, options)


def test_a_photometer_reads_the_screen_and_its_gamma_is_recovered(looking, folder):
    result = calibrated("--photometer", "lookingmeter", "--port", "/dev/looking")
    assert result.exit_code == 0, (result.output, result.exception)
    answer = json.loads(result.stdout)
    assert answer["gamma"] == pytest.approx(GAMMA, abs=1e-4)
    assert answer["l_max_cd_m2"] == pytest.approx(90.4, abs=1e-3)
    assert load_calibration("lab-1").photometer == "LookingMeter"
    assert answer["psychopy_monitor"] == "lab-1"


def test_psychopy_gets_a_monitor_with_the_same_numbers(looking, folder):
    from psychopy import monitors

    calibrated("--photometer", "LookingMeter", "--port", "/dev/looking")
    assert Path(folder, "lab-1.json").exists()
    monitor = monitors.Monitor("lab-1", autoLog=False)
    assert monitor.getGamma() == pytest.approx(GAMMA, abs=1e-4)
    assert (monitor.getWidth(), monitor.getDistance()) == (53.0, 57.0)
    assert monitor.getSizePix() == [1280, 1024]


def test_a_monitor_of_psychopys_gives_its_geometry(looking, folder):
    from psychopy import monitors

    monitor = monitors.Monitor("old", width=40, distance=60, autoLog=False)
    monitor.setSizePix([1600, 1200])
    monitor.save()
    from yoked.experiments.lab.monitors import monitor_geometry

    known = {"width_cm": 40, "size_px": (1600, 1200), "distance_cm": 60}
    assert monitor_geometry("old") == known
    assert monitor_geometry("unknown") == {}


@pytest.mark.parametrize(
    ("name", "port", "sentence"),
    [
        ("LookingMeters", "/dev/looking", "did you mean 'LookingMeter'"),
        ("LookingMeter", "/dev/no", "on /dev/no must answer, got nothing there"),
        ("SilentMeter", "/dev/no", "on /dev/no must answer, got no answer"),
        ("SilentMeter", "/dev/silent", "must answer with a luminance, got None"),
        ("ScreenBufferPhotometerDevice", "any", "no photometer named 'Screen"),
    ],
)
def test_an_instrument_that_does_not_answer_is_one_sentence(
    looking, folder, name, port, sentence
):
    result = calibrated("--photometer", name, "--port", port)
    assert isinstance(result.exception, LookupError | OSError)
    assert sentence in str(result.exception)
    assert not (folder / "calibrations").exists()
