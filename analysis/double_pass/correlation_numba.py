"""The correlation of normal variables behind pairs of responses, thresholds held.

Showing a[i] of one observer and b[i] of the other (or the same) make pair i. Numba;
`correlation.py` documents the arguments.
"""

import math
import typing

import numpy as np

from ...experiments.compiled import compiled
from .showings_numba import below, both_below, density

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
MOST = 6.5  # atanh r from which r is 1: 1 - 5e-6
_FLOOR = 1e-14


@compiled()
@typing.no_type_check
def _both_below(a, b, r, pa, pb):
    """Return Phi2(a, b; r): for |r| < .75 with fewer nodes, to 1e-9."""
    if abs(r) >= 0.75:
        return both_below(a, b, r)
    total, angle = 0.0, math.asin(r)
    half_squares = (a * a + b * b) / 2
    for i in range(len(_NODES)):
        sine = math.sin(angle * (_NODES[i] + 1) / 2)
        exponent = (sine * a * b - half_squares) / (1 - sine * sine)
        total += _WEIGHTS[i] * math.exp(exponent)
    return pa * pb + total * angle / (4 * math.pi)


@compiled()
@typing.no_type_check
def evaluate(m_a, yes_a, m_b, yes_b, a, b, weight, r, each, found):
    """Fill found with the log likelihood, its score by r and the information about r.

    Where `each` has rows, row i gets the score of pair i, and its expected information
    about r and the threshold of a[i], of b[i].
    """
    found[:] = 0
    root = math.sqrt((1 - r) * (1 + r))
    last_x, last_y = np.nan, np.nan
    p, inverse, by_r = np.zeros(4), np.zeros(4), 0.0
    crossed_x, crossed_y, total = 0.0, 0.0, 0.0
    for i in range(len(a)):
        if weight[i] == 0:
            continue
        x, y = m_a[a[i]], m_b[b[i]]
        if x != last_x or y != last_y:  # the combinations of one stimulus are alike
            last_x, last_y = x, y
            px, py = below(x), below(y)
            both = _both_below(x, y, r, px, py)
            p[0], p[1], p[2], p[3] = both, px - both, py - both, 1 - px - py + both
            total = 0.0
            for kind in range(4):
                p[kind] = max(p[kind], _FLOOR)
                inverse[kind] = 1 / p[kind]
                total += inverse[kind]
            by_r = math.exp(-(x * x - 2 * r * x * y + y * y) / (2 * root * root))
            by_r /= 2 * math.pi * root
            if len(each):
                fx, fy = density(x), density(y)
                by_x = fx * below((y - r * x) / root)
                by_y = fy * below((x - r * y) / root)
                crossed_x = by_r * (
                    by_x * (inverse[0] + inverse[2])
                    - (fx - by_x) * (inverse[1] + inverse[3])
                )
                crossed_y = by_r * (
                    by_y * (inverse[0] + inverse[1])
                    - (fy - by_y) * (inverse[2] + inverse[3])
                )
        kind = (0 if yes_a[a[i]] else 2) + (0 if yes_b[b[i]] else 1)
        slope = by_r * inverse[kind] * (1.0 if kind == 0 or kind == 3 else -1.0)
        found[0] += weight[i] * math.log(p[kind])
        found[1] += weight[i] * slope
        found[2] += weight[i] * by_r * by_r * total
        if len(each):
            each[i, 0], each[i, 1] = weight[i] * slope, weight[i] * crossed_x
            each[i, 2] = weight[i] * crossed_y


@compiled()
@typing.no_type_check
def ascend(m_a, yes_a, m_b, yes_b, a, b, weight, zeta):
    """Return atanh r of the highest likelihood, by Fisher scoring from zeta."""
    each, found, moved = np.empty((0, 3)), np.empty(3), np.empty(3)
    zeta = min(max(zeta, -MOST), MOST)
    evaluate(m_a, yes_a, m_b, yes_b, a, b, weight, math.tanh(zeta), each, found)
    for _ in range(60):
        r = math.tanh(zeta)
        slope = (1 - r) * (1 + r)
        step = found[1] * slope / max(found[2] * slope * slope, 1e-10)
        step = min(max(step, -1.0), 1.0)
        rose = False
        for _ in range(30):
            at = min(max(zeta + step, -MOST), MOST)
            evaluate(m_a, yes_a, m_b, yes_b, a, b, weight, math.tanh(at), each, moved)
            if moved[0] >= found[0] - 1e-11:
                rose = True
                break
            step /= 2
        if not rose:
            break
        size = abs(at - zeta)
        zeta = at
        found[:] = moved
        if size < 1e-5:
            break
    return zeta
