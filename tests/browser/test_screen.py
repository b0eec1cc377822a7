"""What reaches the screen: whole squares of exactly the canvas's levels."""

from dataclasses import replace

import numpy as np
import pytest

from yoked.experiments.protocols.files import load_protocol

from .walking import FAST, begin, read_canvas, seen_on

# Two refreshes after the drawing the pixels have left for the screen.
ON_THE_SCREEN = """() => new Promise((resolve) => {
  document.addEventListener("yoked:interval", () =>
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(null))));
})"""


@pytest.fixture
def screenshot(launch, serve, tmp_path):
    """Return a function that shows one interval and takes its picture.

    The screen's own scale is a flag of the browser: Playwright's emulation of it lays
    the page out otherwise than a real screen does.
    """
    image = pytest.importorskip("PIL.Image")

    def take(protocol, device_pixel_ratio: float):
        server = serve(protocol, "srgb")
        scale = f"--force-device-scale-factor={device_pixel_ratio}"
        browser = launch(scale, "--window-size=1281,801")
        page = browser.new_context(no_viewport=True).new_page()
        read_canvas(page, protocol)
        begin(page, server.address)
        page.evaluate(ON_THE_SCREEN)
        page.screenshot(path=tmp_path / "interval.png")
        drawn = seen_on(page)
        box = page.locator(".jspsych-noise-trial-patch").bounding_box()
        browser.close()
        assert len(drawn) == 1  # it is the first interval's picture
        screen = np.asarray(image.open(tmp_path / "interval.png").convert("RGB"))
        return (
            drawn[0]["levels"],
            screen,
            [v * device_pixel_ratio for v in box.values()],
        )

    return take


@pytest.mark.parametrize("device_pixel_ratio", [1, 1.25, 2])
def test_each_stimulus_pixel_is_a_whole_square(screenshot, device_pixel_ratio):
    timing = replace(FAST, interval_ms=2000.0)
    protocol = replace(load_protocol("bar-in-noise"), timing=timing)
    levels, screen, box = screenshot(protocol, device_pixel_ratio)
    left, top, width, height = (round(side) for side in box)
    assert box == pytest.approx([left, top, width, height], abs=0.03)
    n = protocol.frame_shape[1]
    scale = width // n
    assert width == height == scale * n
    squares = np.array(levels, np.uint8).reshape(n, n)
    squares = squares.repeat(scale, axis=0).repeat(scale, axis=1)
    shown = screen[top : top + height, left : left + width]
    assert (shown == squares[:, :, None]).all()


def test_the_background_is_the_gray_of_zero_contrast(screenshot):
    timing = replace(FAST, interval_ms=2000.0)
    protocol = replace(load_protocol("bar-in-noise"), timing=timing)
    _, screen, (left, top, width, _) = screenshot(protocol, 1)
    beside = screen[round(top) : round(top) + 50, round(left + width) + 1 :]
    assert (beside == 188).all()  # level 128 through the sRGB table


def test_nothing_but_the_trial_and_its_progress_is_on_the_task_s_page(page, serve):
    begin(page, serve(replace(load_protocol("bar-in-noise"), timing=FAST)).address)
    page.locator(".jspsych-noise-trial-stage").wait_for()
    text = page.locator("#experiment").inner_text()
    assert text.split() == ["Progress"]
    box = page.locator(".jspsych-noise-trial-patch").bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(640, abs=1)
    bar = page.locator("#jspsych-progressbar-container").bounding_box()
    middle = (bar["y"] + bar["height"] + 800) / 2  # of what the bar leaves
    assert box["y"] + box["height"] / 2 == pytest.approx(middle, abs=1)
