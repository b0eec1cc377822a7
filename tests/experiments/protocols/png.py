"""A PNG written from its definition, for tests of what reads one."""

import struct
import zlib

import numpy as np


def png(pixels, colour=0, filters=None):
    """Write a PNG row by row with the filters given (in turn), from its definition."""
    rows, columns = pixels.shape[:2]
    lines, before = b"", np.zeros(pixels[0].size, int)
    for i, row in enumerate(pixels.reshape(rows, -1).astype(int)):
        left = np.concatenate([[0], row[:-1]])
        corner = np.concatenate([[0], before[:-1]])
        kind = 0 if filters is None else filters[i % len(filters)]
        guess = [0 * row, left, before, (left + before) // 2, None][kind]
        if kind == 4:
            near = np.abs(
                np.stack([before - corner, left - corner, left + before - 2 * corner])
            )
            guess = np.stack([left, before, corner])[
                near.argmin(axis=0), range(len(row))
            ]
        lines += bytes([kind]) + ((row - guess) % 256).astype(np.uint8).tobytes()
        before = row
    header = struct.pack(">IIBBBBB", columns, rows, 8, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + name + part
        + struct.pack(">I", zlib.crc32(name + part))
        for name, part in parts
    )  # fmt: skip
