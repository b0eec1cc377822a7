"""A protocol's keys are places: no layout and no caps lock changes one.

Real key events: xdotool presses keycodes, which are places, and setxkbmap changes what
is printed there.
"""

import shutil
import subprocess

import pytest

from yoked.experiments.lab.keys import open_keyboard
from yoked.experiments.lab.places import EVDEV, place_on_windows
from yoked.experiments.protocols.keys import KEY_CODES

# The caps-lock key of X has this keycode; nothing of ours names it.
CAPS_LOCK = 66


@pytest.fixture
def layout(display):
    """Return a function that sets the keyboard's layout; a US one afterwards."""
    if shutil.which("setxkbmap") is None:
        pytest.skip("setxkbmap is not here: install x11-xkb-utils")

    def set_to(name):
        # No -display: setxkbmap reads DISPLAY, as the fixture set it.
        subprocess.run(["setxkbmap", name], check=True, stderr=subprocess.DEVNULL)

    yield set_to
    set_to("us")


def pressed(keyboard, window, codes, seconds=3.0):
    """Press places, and return the names that come of them."""
    keyboard.clear()
    for code in codes:
        subprocess.run(["xdotool", "key", str(code)], check=True)
    deadline = window.now() + 1000 * seconds
    found = []
    while len(found) < len(codes) and window.now() < deadline:
        found += keyboard.presses()
        window.pause()
    return [press.name for press in found]


@pytest.mark.parametrize("backend", ["ptb", "event"])
@pytest.mark.parametrize("name", ["us", "ru", "gr", "il", "ara", "fr", "cz", "dvorak"])
def test_a_place_has_its_name_under_every_layout(
    open_lab_window, layout, name, backend
):
    window = open_lab_window()
    layout(name)
    keyboard = open_keyboard(backend, print)
    wanted = ["f", "j", "1", "2", "a", "q", "num_1", "left", "space"]
    found = pressed(keyboard, window, [EVDEV[key] + 8 for key in wanted])
    assert found == wanted


@pytest.mark.parametrize("backend", ["ptb", "event"])
def test_caps_lock_changes_no_key(open_lab_window, layout, backend):
    window = open_lab_window()
    layout("us")
    keyboard = open_keyboard(backend, print)
    subprocess.run(["xdotool", "key", str(CAPS_LOCK)], check=True)
    try:
        found = pressed(keyboard, window, [EVDEV["f"] + 8, EVDEV["j"] + 8])
    finally:
        subprocess.run(["xdotool", "key", str(CAPS_LOCK)], check=True)
    assert [name for name in found if name != "capslock"] == ["f", "j"]


@pytest.mark.parametrize("backend", ["ptb", "event"])
def test_every_key_of_a_protocol_can_be_pressed_here(open_lab_window, layout, backend):
    window = open_lab_window()
    layout("us")
    keyboard = open_keyboard(backend, print)
    found = pressed(keyboard, window, [EVDEV[key] + 8 for key in KEY_CODES])
    assert found == list(KEY_CODES)


def test_windows_names_letters_and_digits_by_their_scan_codes():
    """AZERTY's virtual key A (0x41) is where a US keyboard has Q (scan code 0x10)."""
    azerty = {0x41: 0x10, 0x31: 0x02, 0x61: 0x4F, 0x25: 0x4B}.get
    assert place_on_windows(0x41, "a", azerty) == "q"
    assert place_on_windows(0x31, "1", azerty) == "1"
    # A virtual key of its own on every layout: what it is called already.
    assert place_on_windows(0x61, "num_1", azerty) == "num_1"
    assert place_on_windows(0x25, "left", azerty) == "left"


def test_there_is_a_place_for_every_name():
    assert set(EVDEV) == set(KEY_CODES)
    assert len(set(EVDEV.values())) == len(EVDEV)
