"""The stimulus: signal x contrast + noise field, as the pixels that anybody sees.

`render` is the one function that makes frames, for browser, lab and models alike. Its
three backends (NumPy the readable reference, Numba for the CPU, torch for any device)
are equal bit for bit.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int16, Int64, UInt8

from ..protocols.parts import BACKGROUND
from ..protocols.picture import picture_levels
from ..protocols.protocol import Protocol
from ..protocols.signal import field_gains, signal_levels
from .basis_frames import basis_frames, basis_tensor
from .basis_source import BasisNoise
from .by_condition import ConditionNoise, in_order
from .noise import noise_levels
from .noise_fast import fast_levels
from .place_noise import PlaceNoise
from .scene_frames import in_scene
from .sources import GeneratedNoise, NoiseSource, Table, as_levels
from .variants import by_variant

if TYPE_CHECKING:
    import torch

BACKENDS = ("numba", "numpy", "torch")
_FEW = 16


def render(
    protocol: Protocol, source: NoiseSource, table: Table, backend: str = "numba"
) -> UInt8[np.ndarray, " trial interval frame y x"]:
    """Render trials as contrast levels at pixel size.

    Parameters
    ----------
    protocol
        Says grid, pixels per element, signal.
    source
        Gives the noise fields.
    table
        Columns stimulus_id, contrast, target and block_kind, one row per trial; place
        and cue in a protocol with places.
    backend
        'numba', 'numpy' or 'torch'; the pixels are the same.

    Returns
    -------
    ndarray
        128 + 127 * contrast; grid elements repeated, never interpolated. With places
        each frame is the whole scene, a cue's frames included.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> table = {"stimulus_id": [0], "contrast": [0.227], "target": [0],
    ...          "block_kind": ["main"]}
    >>> frames = yoked.render(protocol, GeneratedNoise(protocol, 20261120), table)
    >>> frames.shape, frames[0, 0, 0, 0, :5].tolist()
    ((1, 2, 1, 52, 52), [127, 127, 127, 127, 136])
    """
    if isinstance(source, ConditionNoise):
        of_each = (
            (rows, render(own, noise, part, backend))
            for rows, own, noise, part in source.parts(table)
        )
        return in_order(list(of_each))
    levels = render_elements(protocol, source, table, backend)
    pixels = repeat_elements(levels, protocol.display.element_px)
    return in_scene(protocol, table, pixels) if protocol.places.count else pixels


def render_elements(
    protocol: Protocol, source: NoiseSource, table: Table, backend: str = "numba"
) -> UInt8[np.ndarray, " trial field frame row column"]:
    """Render noise fields with one pixel per grid element; arguments as for `render`.

    Without places a field is an interval; with them each place has its own.
    """
    if backend not in BACKENDS:
        raise ValueError(
            f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}"
        )
    if isinstance(source, PlaceNoise):
        source = source.fields
    if len(protocol.variants) > 1 and isinstance(source, GeneratedNoise | BasisNoise):
        parts = by_variant(protocol, source.seed, table)
        shown = [(r, render_elements(own, source, t, backend)) for r, own, t in parts]
        return in_order(shown)
    if isinstance(source, BasisNoise):
        return basis_frames(protocol, source, table, backend)
    kinds, which = _signal_kinds(protocol, table)
    if not isinstance(source, GeneratedNoise):
        return _add(protocol, source, table, kinds, which)
    ids = np.asarray(table["stimulus_id"], np.int64)
    shape = (len(ids), protocol.n_fields, *protocol.noise.grid)
    frames = np.empty(shape, np.uint8)
    for rows, pixels in source.pixel_tables(table):
        frames[rows] = _generate(
            backend, pixels, source.seed, ids[rows], kinds, which[rows]
        ).reshape(-1, *shape[1:])
    return frames


def render_tensor(
    protocol: Protocol, source: NoiseSource, table: Table, device: "str | torch.device"
) -> "torch.Tensor":
    """Render trials on a torch device: the pixels that `render` gives.

    Noise of `yoked-1` is drawn there, and no frame goes over the bus; on a basis it is
    coefficients that do. On the CPU the Numba path makes them, since it is faster, and
    the tensor shares their memory; foreign noise is made on the CPU and moved.

    Parameters
    ----------
    protocol, source, table
        As for `render`.
    device
        Where the frames are wanted, such as 'cuda'.

    Returns
    -------
    Tensor
        uint8, (trial, interval, frame, y, x).
    """
    from .noise_torch import as_tensor

    on_cpu = str(device).partition(":")[0] == "cpu"
    if isinstance(source, ConditionNoise) and not on_cpu:
        return _each_there(source.parts(table), device)
    if isinstance(source, PlaceNoise):  # the scene is put together here
        return as_tensor(render(protocol, source, table), device)
    is_one = on_cpu or len(protocol.variants) == 1
    if isinstance(source, GeneratedNoise | BasisNoise) and not is_one:
        drawn = by_variant(protocol, source.seed, table)
        return _each_there(((r, own, source, t) for r, own, t in drawn), device)
    if isinstance(source, BasisNoise) and not on_cpu:
        return basis_tensor(protocol, source, table, device)
    if on_cpu or not isinstance(source, GeneratedNoise):
        return as_tensor(render(protocol, source, table), device)
    return generated_there(protocol, source, table, device)


def _each_there(
    parts: Iterable[tuple[np.ndarray, Protocol, NoiseSource, Table]],
    device: "str | torch.device",
) -> "torch.Tensor":
    """Render parts of a table on a device: rows, protocol, source and table of each."""
    from .noise_torch import in_order as joined

    every = list(parts)
    levels = [render_tensor(p, s, t, device) for _, p, s, t in every]
    return joined(levels, np.concatenate([rows for rows, *_ in every]))


def generated_there(
    protocol: Protocol,
    source: GeneratedNoise,
    table: Table,
    device: "str | torch.device",
) -> "torch.Tensor":
    """Draw and render trials of `yoked-1` with torch alone; see `render_tensor`."""
    from .noise_torch import in_order, repeat_on_device, torch_levels

    kinds, which = _signal_kinds(protocol, table)
    ids = np.asarray(table["stimulus_id"], np.int64)
    order, parts = [], []
    for rows, pixels in source.pixel_tables(table):
        order.append(np.flatnonzero(rows))
        intervals = range(protocol.n_intervals)
        parts.append(
            torch_levels(
                pixels, source.seed, ids[rows], intervals, kinds, which[rows], device
            )
        )
    levels = in_order(parts, np.concatenate(order))
    levels = levels.reshape(len(ids), protocol.n_intervals, *protocol.noise.grid)
    return repeat_on_device(levels, protocol.display.element_px)


def repeat_elements(
    levels: UInt8[np.ndarray, " *trial row column"], element_px: tuple[int, int]
) -> UInt8[np.ndarray, " *trial y x"]:
    """Repeat every grid element to its size in pixels, (rows, columns)."""
    rows, columns = element_px
    return levels.repeat(rows, axis=-2).repeat(columns, axis=-1)


def digest(frames: UInt8[np.ndarray, " interval frame y x"]) -> str:
    """Give the SHA-256 of one trial's contrast levels in C order.

    Examples
    --------
    >>> digest(np.full((1, 1, 1, 1), 128, np.uint8))[:8]
    '76be8b52'
    """
    return hashlib.sha256(np.ascontiguousarray(frames).tobytes()).hexdigest()


def digests(frames: UInt8[np.ndarray, " trial interval frame y x"]) -> list[str]:
    """Give the `digest` of each of many trials, of frames as they lie in memory.

    In turn: two threads were no faster (docs/benchmarks.md).
    """
    levels = np.ascontiguousarray(frames)
    size = levels[:1].nbytes
    view = levels.reshape(-1).data
    starts = range(0, levels.nbytes, size or 1)
    return [hashlib.sha256(view[i : i + size]).hexdigest() for i in starts]


def _signal_kinds(
    protocol: Protocol, table: Table
) -> tuple[Int16[np.ndarray, " kind element"], np.ndarray]:
    """List the distinct signals of a table, and which one each interval holds.

    The picture behind it is in each.
    """
    contrasts = np.asarray(table["contrast"], np.float64)
    shown = field_gains(protocol, table) * contrasts[:, None]
    distinct, which = _distinct(shown)
    kinds = [signal_levels(protocol, contrast).ravel() for contrast in distinct]
    n_elements = int(np.prod(protocol.noise.grid))
    levels = np.array(kinds, np.int16).reshape(-1, n_elements)
    picture = picture_levels(protocol)
    if picture is not None:
        levels = levels + picture.astype(np.int16).ravel()
    return levels, which.reshape(shown.shape)


def _distinct(shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the values that occur, and which one stands where.

    People are shown one trial at a time, and to sort so few takes NumPy ten times as
    long as Python.
    """
    if shown.size > _FEW:
        return np.unique(shown, return_inverse=True)
    values = shown.ravel().tolist()
    distinct = sorted(set(values))
    return np.array(distinct), np.array([distinct.index(value) for value in values])


def _add(
    protocol: Protocol,
    source: NoiseSource,
    table: Table,
    kinds: np.ndarray,
    which: np.ndarray,
) -> np.ndarray:
    """Add the signal to noise that a foreign source made."""
    parts = []
    for interval in range(protocol.n_intervals):
        noise = as_levels(source.field(table, interval)).astype(np.int16)
        signal = kinds[which[:, interval]].reshape(noise.shape)
        parts.append((BACKGROUND + noise + signal).astype(np.uint8))
    return np.stack(parts, axis=1)


def _generate(
    backend: str,
    pixels: UInt8[np.ndarray, " 65536"],
    seed: int,
    ids: Int64[np.ndarray, " trial"],
    kinds: Int16[np.ndarray, " kind element"],
    which: np.ndarray,
) -> UInt8[np.ndarray, " trial interval element"]:
    """Make frames of `yoked-1` noise with the backend asked for."""
    n_intervals = which.shape[1]
    if backend == "numpy":
        grid = (1, 1, kinds.shape[1])
        fields = [noise_levels(pixels, grid, seed, ids, k) for k in range(n_intervals)]
        noise = np.stack(fields, axis=1).reshape(*which.shape, -1).astype(np.int16)
        return (noise + kinds[which]).astype(np.uint8)
    if backend == "torch":
        from .noise_torch import torch_levels

        return torch_levels(pixels, seed, ids, range(n_intervals), kinds, which).numpy()
    # uint8 arithmetic wraps, and a protocol never leaves the range: exact.
    signals = kinds.astype(np.uint8)
    return fast_levels(pixels, seed, ids, range(n_intervals), signals, which.ravel())
