"""Coordinate descent on a quadratic form with L1, compiled: many short sweeps."""

import typing

import numpy as np

from ...experiments.compiled import compiled

SWEEPS = 2000


@typing.no_type_check
@compiled()
def minimise_quadratic(hessian, gradient, l1, w):
    """Minimise g'(z - w) + (z - w)' H (z - w) / 2 + sum l1 |z| over z.

    Ends when no coordinate moves by more than 1e-5 of its own curvature's unit.
    """
    z = w.copy()
    moved = np.zeros(len(w))  # H (z - w)
    for _ in range(SWEEPS):
        largest = 0.0
        for j in range(len(w)):
            h = hessian[j, j]
            if h <= 0.0:
                continue
            free = z[j] - (gradient[j] + moved[j]) / h
            new = np.sign(free) * max(abs(free) - l1[j] / h, 0.0)
            step = new - z[j]
            if step != 0.0:
                for k in range(len(w)):
                    moved[k] += hessian[j, k] * step  # symmetric, and so contiguous
                z[j] = new
                largest = max(largest, abs(step) * np.sqrt(h))
        if largest < 1e-5:
            break
    return z
