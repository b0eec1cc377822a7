"""PNG files of one gray channel as arrays, with nothing but zlib."""

import struct
import zlib

import numpy as np
from jaxtyping import UInt8

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_HEADER = struct.Struct(">IIBBBBB")
_COLOURS = {0: "gray", 2: "RGB", 3: "a palette", 4: "gray with alpha", 6: "RGBA"}
_MOST_PIXELS = 2**20  # of a grid


def read_gray(data: bytes) -> UInt8[np.ndarray, " row column"]:
    """Give the pixels of a grayscale PNG of 8 bits.

    Raises
    ------
    ValueError
        With what the file is instead: "... must be grayscale of 8 bits, got RGB".
    """
    if data[:8] != _SIGNATURE:
        raise ValueError(f"a PNG must begin with {_SIGNATURE!r}, got {data[:8]!r}")
    try:
        chunks = _chunks(data)
        header = chunks["IHDR"]
        columns, rows, depth, colour, _, _, interlace = _HEADER.unpack(header)
        if colour != 0 or depth != 8:
            got = f"{_COLOURS.get(colour, 'no colour type')} of {depth} bits"
            raise ValueError(f"a PNG must be grayscale of 8 bits, got {got}")
        if interlace or not 0 < rows * columns <= _MOST_PIXELS:
            rule = f"up to {_MOST_PIXELS} pixels, not interlaced"
            raise ValueError(f"a PNG must be {rule}, got {rows} x {columns}")
        unpack = zlib.decompressobj()
        lines = unpack.decompress(chunks["IDAT"], rows * (columns + 1))
        filtered = np.frombuffer(lines, np.uint8).reshape(rows, columns + 1)
    except (KeyError, struct.error, zlib.error) as error:
        raise ValueError(f"a PNG must be whole, got {error}") from error
    return _unfiltered(filtered)


def _chunks(data: bytes) -> dict[str, bytes]:
    """Give the contents of chunks by type, those of one type in a row."""
    found: dict[str, bytes] = {}
    at = len(_SIGNATURE)
    while at < len(data):
        size, name = _CHUNK.unpack_from(data, at)
        kind = name.decode("latin-1")
        found[kind] = found.get(kind, b"") + data[at + 8 : at + 8 + size]
        at += size + 12
    return found


def _unfiltered(filtered: np.ndarray) -> UInt8[np.ndarray, " row column"]:
    """Undo the prediction of every row; its first byte says which it was."""
    n_columns = filtered.shape[1] - 1
    above, rows = [0] * n_columns, []
    for kind, *line in filtered.tolist():
        above = _line(kind, line, above)
        rows.append(above)
    return np.array(rows, np.uint8)


def _line(kind: int, line: list[int], above: list[int]) -> list[int]:
    if kind == 0:
        return line
    if kind == 2:
        return [(x + up) & 255 for x, up in zip(line, above, strict=True)]
    predict = {1: _left, 3: _average, 4: _paeth}.get(kind)
    if predict is None:
        raise ValueError(f"a PNG's filter must be from 0 to 4, got {kind}")
    done: list[int] = []
    left = corner = 0
    for x, up in zip(line, above, strict=True):
        left = (x + predict(left, up, corner)) & 255
        corner = up
        done.append(left)
    return done


def _left(left: int, up: int, corner: int) -> int:
    return left


def _average(left: int, up: int, corner: int) -> int:
    return (left + up) // 2


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    by_left, by_up, by_corner = abs(guess - left), abs(guess - up), abs(guess - corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner
