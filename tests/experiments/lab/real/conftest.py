"""A real window of PsychoPy on a virtual screen, or a skip that says what it lacks."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

SCREEN_PX = (1280, 1024)
REFRESH_HZ = 1000.0  # given: a virtual screen has no refresh to measure or to wait for


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            # PsychoPy and pyglet warn of their own old habits, not of ours.
            item.add_marker(pytest.mark.filterwarnings("ignore"))


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_servers: list[subprocess.Popen] = []  # kept to the end of the process


def end_with_parent() -> None:
    """Let the virtual screen end after this process (Linux): not before.

    Xlib ends every process that still has a window, with an error, when it goes.
    """
    assert _libc is not None
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """Start a virtual screen, name it in DISPLAY, and give its name."""
    if sys.platform != "linux":
        pytest.skip("these tests need Linux: Xvfb and xdotool")
    if find_spec("psychopy") is None:
        pytest.skip('PsychoPy is not here: pip install "yoked[lab]"')
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here: install xvfb and xdotool")
    reading, writing = os.pipe()
    size = f"{SCREEN_PX[0]}x{SCREEN_PX[1]}x24"
    flags = ["-displayfd", str(writing), "-screen", "0", size, "-noreset"]
    server = subprocess.Popen(
        ["Xvfb", *flags, "+extension", "GLX", "+render"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
        preexec_fn=end_with_parent,
    )
    os.close(writing)
    with os.fdopen(reading) as numbers:
        name = f":{numbers.readline().strip()}"
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = name
    _servers.append(server)
    yield name
    assert server.poll() is None, "the virtual screen has ended too early"
    server.returncode = 0  # it ends after this process, which need not wait for it
    if before is None:
        del os.environ["DISPLAY"]
    else:
        os.environ["DISPLAY"] = before


@pytest.fixture(scope="session")
def open_lab_window(display) -> Iterator[Callable]:
    """Return a function that opens a window; only the newest is open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from yoked.experiments.lab.window import open_window

    opened = []

    def opening(**options):
        while opened:
            opened.pop().close()
        options = {"refresh_hz": REFRESH_HZ, "full_screen": False, **options}
        opened.append(open_window(**{"size_px": SCREEN_PX, **options}))
        return opened[0]

    yield opening
    while opened:
        opened.pop().close()
