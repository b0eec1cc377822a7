"""Write a recording in the plain format, whole or not at all."""

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np

from .plain import FORMAT, HEAD, are_as_long, one_after_the_other
from .recording import Recording, RecordingError, Segment


def write_plain(recording: Recording, folder: Path) -> None:
    """Write a recording into a new folder, from which `read_plain` gives the same.

    Raises
    ------
    RecordingError
        If the folder is there already.
    OSError
        If the folder around it does not exist, or the disk is full; nothing is left.

    Examples
    --------
    >>> import tempfile
    >>> from .plain import read_plain
    >>> counts, frames = np.ones((1, 4, 1), np.uint8), np.ones((2, 1, 3), np.float32)
    >>> one = Segment("fit", counts, frames, np.array([0, 0, 1, 1], np.int32))
    >>> recording = Recording("made-up", 1.0, 2.0, ("a",), (one,))
    >>> with tempfile.TemporaryDirectory() as here:
    ...     write_plain(recording, Path(here, "kept"))
    ...     read_plain(Path(here, "kept")).sha256 == recording.sha256
    True
    """
    if folder.exists():
        rule = "a new one"
        raise RecordingError(f"the folder must be {rule}, got {str(folder)!r}")
    part = folder.with_name(f".{folder.name}-{os.getpid()}")
    part.mkdir()
    try:
        segments = [
            _segment(recording, at, segment, part)
            for at, segment in enumerate(recording.segments)
        ]
        text = "\n\n".join([_head(recording), *segments])
        _write(part / HEAD, f"{text}\n".encode())
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _head(recording: Recording) -> str:
    lines = [
        f"format = {_text(FORMAT)}",
        f"name = {_text(recording.name)}",
        f"step_ms = {float(recording.step_ms)!r}",
        f"frame_ms = {float(recording.frame_ms)!r}",
        f"background = {float(recording.background)!r}",
        f"cells = {_texts(recording.cells)}",
    ]
    if recording.element_um is not None:
        lines.append(f"element_um = {float(recording.element_um)!r}")
    if recording.notes:
        lines.append(f"notes = {_texts(recording.notes)}")
    return "\n".join(lines)


def _segment(recording: Recording, at: int, segment: Segment, folder: Path) -> str:
    """Write the arrays of a segment; give its table."""
    arrays = {"counts": segment.counts}
    if segment.frames is not None and segment.frame_of_step is not None:
        arrays["frames"] = segment.frames
        step_ms, frame_ms = recording.step_ms, recording.frame_ms
        sizes = len(segment.frames), segment.n_steps
        plain = one_after_the_other(*sizes, step_ms, frame_ms)
        is_plain = np.array_equal(segment.frame_of_step, plain)
        if not is_plain or not are_as_long(*sizes, step_ms, frame_ms):
            arrays["frame_of_step"] = segment.frame_of_step
    lines = ["[[segments]]", f"use = {_text(segment.use)}"]
    for key, array in arrays.items():
        name = f"segment-{at:03}-{key.replace('_', '-')}.npy"
        # Not into the file itself: np.save then misses that a disk is full.
        content = io.BytesIO()
        np.save(content, np.ascontiguousarray(array), allow_pickle=False)
        _write(folder / name, content.getbuffer())
        lines.append(f"{key} = {_text(name)}")
    return "\n".join(lines)


def _write(path: Path, content: bytes | memoryview) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _text(text: str) -> str:
    """Give a text as TOML; JSON's is the same, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_text, texts))}]"
