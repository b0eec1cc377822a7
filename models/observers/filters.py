"""Filters made of a signal: blurred, in quadrature, at other places."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

Template = Float64[np.ndarray, " frame row column"]
Templates = Float64[np.ndarray, " template frame row column"]


def blurred(template: Template, sd: float) -> Template:
    """Blur every frame by a gaussian of this SD in elements; the field is a ring.

    Examples
    --------
    >>> blurred(np.eye(5)[None, 2:3], 1.0).round(1).tolist()
    [[[0.1, 0.2, 0.4, 0.2, 0.1]]]
    """
    if sd == 0:
        return template
    for axis in (1, 2):
        n = template.shape[axis]
        if n == 1:
            continue
        step = np.arange(n)
        near = np.minimum(step, n - step)
        weights = np.exp(-0.5 * (near / sd) ** 2)
        weights /= weights.sum()
        template = sum(
            (weights[k] * np.roll(template, k, axis) for k in range(n)),
            np.zeros_like(template),
        )
    return template


def quadrature_pair(template: Template) -> Templates | None:
    """Give the template without its mean, and the same with phases turned by 90 deg.

    Phases are along the spatial frequency at which the template has most power, or, if
    it varies in time alone, along that of its frames; what is constant along it is left
    out. The two have length 1 and are orthogonal.

    Returns
    -------
    ndarray
        Even and odd filter; None if the template does not vary.

    Examples
    --------
    >>> pair = quadrature_pair(np.eye(7)[None, 3:4])
    >>> products = np.tensordot(pair, pair, ([1, 2, 3], [1, 2, 3]))
    >>> bool(np.allclose(products, np.eye(2)))
    True
    """
    if (pair := _in_quadrature(template)) is not None:
        return pair
    in_time = _in_quadrature(template.swapaxes(0, 1))
    return None if in_time is None else in_time.swapaxes(1, 2)


def _in_quadrature(template: Template) -> Templates | None:
    """Give the pair along rows and columns."""
    spectrum = np.fft.fft2(template)
    power = (np.abs(spectrum) ** 2).sum(0)
    power[0, 0] = 0
    if power.max() <= 1e-12 * np.square(template).sum() * power.size:
        return None
    row, column = (np.fft.fftfreq(n) for n in power.shape)
    peak = np.unravel_index(int(power.argmax()), power.shape)
    along = np.add.outer(row * row[peak[0]], column * column[peak[1]])
    # Half a turn away from a frequency at Nyquist lies the frequency itself: left out.
    for axis, n in enumerate(power.shape):
        if n % 2 == 0:
            np.moveaxis(along, axis, 0)[n // 2] = 0
    analytic = np.fft.ifft2(spectrum * (along > 1e-12))
    pair = np.stack([analytic.real, analytic.imag])
    size = np.sqrt(np.square(pair).sum((1, 2, 3), keepdims=True))
    return pair / size if size.min() > 0 else None


def shifted(
    template: Template, rows: Sequence[int], columns: Sequence[int]
) -> Templates:
    """Give the template at other places: rolled by each of these steps.

    Examples
    --------
    >>> shifted(np.eye(3)[None, 1:2], [0], [0, 1]).astype(int).tolist()
    [[[[0, 1, 0]]], [[[0, 0, 1]]]]
    """
    return np.stack(
        [np.roll(template, (row, column), (1, 2)) for row in rows for column in columns]
    )


def distances(template: Template) -> Template:
    """Give how far every element is from the middle of the template's energy.

    Within a frame, in elements; frames are all at the same places.

    Examples
    --------
    >>> distances(np.eye(4)[None, 1:2]).tolist()
    [[[1.0, 0.0, 1.0, 2.0]]]
    """
    energy = np.square(template).sum(0)
    energy = energy / energy.sum()
    y, x = np.indices(energy.shape)
    away = np.hypot(y - (energy * y).sum(), x - (energy * x).sum())
    return np.broadcast_to(away, template.shape).astype(np.float64)
