"""The window of somebody's own script, as it has to be while a trial is on it.

Nothing else may be drawn then, not even what PsychoPy draws by itself at every flip,
and pixels go to the back buffer without a detour. Afterwards all is as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .screen import place
from .window import LabWindow, gray

PLAIN = (
    "a window must show pictures pixel for pixel, got {} of {} px otherwise; leave out "
    "viewScale, viewPos, viewOri and blendMode 'add'"
)

_PUT_ASIDE = ("_toDraw", "waitBlanking", "mouseVisible", "blendMode", "useFBO")


class BorrowedWindow(LabWindow):
    """An open window of PsychoPy that stays its owner's.

    Parameters
    ----------
    window
        PsychoPy's.
    background
        Screen level around the pictures.

    Raises
    ------
    ValueError
        If the window is closed, of another backend than pyglet, or changes pictures.
    """

    def __init__(self, window: Any, background: int) -> None:
        if getattr(window, "winType", None) != "pyglet":
            got = getattr(window, "winType", type(window).__name__)
            raise ValueError(f"win must be a window of PsychoPy on pyglet, got {got!r}")
        if window._closed:
            raise ValueError("win must be an open window, got a closed one")
        super().__init__(window, background, window.screen)
        self._before: dict[str, Any] | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have the window as a trial needs it."""
        self.take()
        try:
            yield
        finally:
            self.close()

    def take(self) -> None:
        """Put aside what is drawn at every flip, and draw where it is shown.

        Through PsychoPy's frame buffer object nobody could read what is on the screen.
        """
        window = self._window
        window.backend.setCurrent()
        before = {name: getattr(window, name) for name in _PUT_ASIDE}
        self._before = before | {"space": window.colorSpace, "color": window._color}
        window._toDraw, window.waitBlanking = [], True
        window.mouseVisible = False
        window.setBlendMode("avg", log=False)
        window.setColor(gray(self.background), "rgb")
        if window.useFBO:
            self._draw_to(0, "GL_BACK")
            window.useFBO = False
        self._before["tests"] = self._without_tests()
        window.clearBuffer()

    def close(self) -> None:
        """Give the window back as it was; a second time is a no-op."""
        from pyglet import gl  # pyright: ignore[reportMissingImports]

        before, self._before = self._before, None
        if before is None or self._window._closed:
            return
        window = self._window
        for name in ("_toDraw", "waitBlanking", "mouseVisible"):
            setattr(window, name, before[name])
        window.setBlendMode(before["blendMode"], log=False)
        window.colorSpace, window.color = before["space"], before["color"]
        for test in before["tests"]:
            gl.glEnable(test)
        window.clearBuffer()
        if before["useFBO"]:
            window.useFBO = True
            self._draw_to(window.frameBuffer, "GL_COLOR_ATTACHMENT0")

    def _without_tests(self) -> list[int]:
        """Draw whatever lies behind or beside something else; give what was on."""
        from pyglet import gl  # pyright: ignore[reportMissingImports]

        tests = [gl.GL_DEPTH_TEST, gl.GL_STENCIL_TEST]
        were_on = [test for test in tests if gl.glIsEnabled(test)]
        for test in were_on:
            gl.glDisable(test)
        return were_on

    def _draw_to(self, frame_buffer: Any, part: str) -> None:
        from pyglet import gl  # pyright: ignore[reportMissingImports]

        gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, frame_buffer)
        gl.glReadBuffer(getattr(gl, part))
        gl.glDrawBuffer(getattr(gl, part))

    def require_plain(self) -> None:
        """Raise ValueError if a picture does not read back as it was drawn."""
        levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
        handles = self.prepare([levels])
        self.draw(handles[0])
        found = self.read_back(place(levels.shape, self.size_px))
        self._window.clearBuffer()
        self.release(handles)
        n_wrong = int((found != levels).sum())
        if n_wrong:
            raise ValueError(PLAIN.format(n_wrong, levels.size))
