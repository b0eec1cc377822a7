"""The likelihood of showings, with Numba: value, score and expected information.

Parameters are the thresholds' theta, then zeta = atanh r, then eta = logit of the lapse
rate. `showings.py` says what they mean, and documents every argument.

References
----------
.. [1] Genz (2004), Statistics and Computing 14, 251-260 (bivariate normal
   probabilities: Drezner & Wesolowsky's quadrature, with a series next to -+1).
"""

import math
import typing

import numpy as np

from ...experiments.compiled import compiled

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_FEW_NODES, _FEW_WEIGHTS = np.polynomial.legendre.leggauss(12)  # below |r| = .75
_ROOT_HALF, _ROOT_TAU = math.sqrt(0.5), math.sqrt(2 * math.pi)
_SMALLEST = 1e-300
LEAST_ZETA, MOST_ZETA = -1.4722194895832204, 8.0  # r from -.9 to 1 - 2e-7
LEAST_ETA, MOST_ETA = -12.0, 2.0
LEAST_LOG_BETA, MOST_LOG_BETA = -2.5, 1.8


@compiled()
@typing.no_type_check
def below(x):
    """Return Phi(x)."""
    return 0.5 * math.erfc(-x * _ROOT_HALF)


@compiled()
@typing.no_type_check
def density(x):
    """Return phi(x)."""
    return math.exp(-0.5 * x * x) / _ROOT_TAU


@compiled()
@typing.no_type_check
def both_below(a, b, r):
    """Return Phi2(a, b; r) for -1 < r < 1, to about 1e-15 [1]_."""
    h, k, product = -a, -b, a * b
    if abs(r) < 0.925:
        total, angle = 0.0, math.asin(r)
        half_squares = (h * h + k * k) / 2
        nodes, weights = _NODES, _WEIGHTS
        if abs(r) < 0.75:
            nodes, weights = _FEW_NODES, _FEW_WEIGHTS
        for i in range(len(nodes)):
            sine = math.sin(angle * (nodes[i] + 1) / 2)
            exponent = (sine * product - half_squares) / (1 - sine * sine)
            total += weights[i] * math.exp(exponent)
        return below(a) * below(b) + total * angle / (4 * math.pi)
    if r < 0:
        k, product = -k, -product
    room = (1 - r) * (1 + r)
    width, gap = math.sqrt(room), (h - k) ** 2
    c, d = (4 - product) / 8, (12 - product) / 16
    total, exponent = 0.0, -(gap / room + product) / 2
    if exponent > -100:
        series = 1 - c * (gap - room) * (1 - d * gap / 5) / 3 + c * d * room * room / 5
        total = width * math.exp(exponent) * series
    if -product < 100:
        root = math.sqrt(gap)
        tail = _ROOT_TAU * below(-root / width) * root
        series = 1 - c * gap * (1 - d * gap / 5) / 3
        total -= math.exp(-product / 2) * tail * series
    for i in range(len(_NODES)):
        x = (width / 2 * (_NODES[i] + 1)) ** 2
        exponent = -(gap / x + product) / 2
        if exponent > -100:
            root = math.sqrt(1 - x)
            exact = math.exp(-product * (1 - root) / (2 * (1 + root))) / root
            near = 1 + c * x * (1 + d * x)
            total += width / 2 * _WEIGHTS[i] * math.exp(exponent) * (exact - near)
    total = -total / (2 * math.pi)
    if r > 0:
        return max(total + below(-max(h, k)), 0.0)
    total = -total
    if k > h:
        total += below(k) - below(h)
    return max(total, 0.0)


@compiled()
@typing.no_type_check
def place(base, power, log_contrast, theta, m, jacobian):
    """Fill thresholds and their Jacobian: base b + power a exp(beta log c)."""
    n_base, n_power = base.shape[1], power.shape[1]
    beta = math.exp(theta[n_base + n_power]) if n_power else 1.0
    for i in range(len(m)):
        value = 0.0
        for j in range(n_base):
            value += base[i, j] * theta[j]
            jacobian[i, j] = base[i, j]
        if n_power:
            scale, signal = math.exp(beta * log_contrast[i]), 0.0
            for j in range(n_power):
                jacobian[i, n_base + j] = power[i, j] * scale
                signal += power[i, j] * scale * theta[n_base + j]
            jacobian[i, n_base + n_power] = signal * log_contrast[i] * beta
            value += signal
        m[i] = value


@compiled()
@typing.no_type_check
def _fill_pair(a, b, r, lapse, chances, slopes):
    """Chances of (yes, yes), (yes, no), (no, yes), (no, no); slopes by a, b, r, lapse.

    On a lapse the response is a guess, as likely "yes" as not.
    """
    pa, pb, both = below(a), below(b), both_below(a, b, r)
    root = math.sqrt((1 - r) * (1 + r))
    fa, fb = density(a), density(b)
    by_a, by_b = fa * below((b - r * a) / root), fb * below((a - r * b) / root)
    exponent = -(a * a - 2 * r * a * b + b * b) / (2 * root * root)
    by_r = math.exp(exponent) / (2 * math.pi * root)
    kept = 1 - lapse
    for kind in range(4):
        yes_a, yes_b = kind < 2, kind % 2 == 0
        one, other = pa if yes_a else 1 - pa, pb if yes_b else 1 - pb
        if kind == 0:
            p, da, db = both, by_a, by_b
        elif kind == 1:
            p, da, db = pa - both, fa - by_a, -by_b
        elif kind == 2:
            p, da, db = pb - both, -by_a, fb - by_b
        else:
            p, da, db = 1 - pa - pb + both, by_a - fa, by_b - fb
        mixed = kept * lapse / 2
        chances[kind] = kept * kept * max(p, 0.0) + mixed * (one + other)
        chances[kind] += lapse * lapse / 4
        slopes[kind, 0] = kept * kept * da + mixed * (fa if yes_a else -fa)
        slopes[kind, 1] = kept * kept * db + mixed * (fb if yes_b else -fb)
        slopes[kind, 2] = kept * kept * (by_r if yes_a == yes_b else -by_r)
        slopes[kind, 3] = -2 * kept * p + (1 - 2 * lapse) / 2 * (one + other)
        slopes[kind, 3] += lapse / 2


@compiled()
@typing.no_type_check
def evaluate(
    m,
    jacobian,
    yes,
    first,
    second,
    pair_weight,
    single,
    weight,
    r,
    lapse,
    score,
    information,
):
    """Fill score and expected information by (theta, r, lapse); return the value."""
    k = jacobian.shape[1]
    score[:] = 0
    information[:] = 0
    chances, slopes = np.empty(4), np.empty((4, 4))
    u, w = np.empty(4), np.empty((4, 4))
    total = 0.0
    for i in range(len(first)):
        if pair_weight[i] == 0:
            continue
        x, y = first[i], second[i]
        _fill_pair(m[x], m[y], r, lapse, chances, slopes)
        seen = (0 if yes[x] else 2) + (0 if yes[y] else 1)
        total += pair_weight[i] * math.log(max(chances[seen], _SMALLEST))
        for s in range(4):
            u[s] = pair_weight[i] * slopes[seen, s] / max(chances[seen], 1e-14)
            for t in range(s + 1):
                w[s, t] = 0
                for o in range(4):
                    w[s, t] += slopes[o, s] * slopes[o, t] / max(chances[o], 1e-14)
                w[s, t] *= pair_weight[i]
                w[t, s] = w[s, t]
        for p in range(k):
            jx, jy = jacobian[x, p], jacobian[y, p]
            if jx == 0 and jy == 0:
                continue
            score[p] += u[0] * jx + u[1] * jy
            gx, gy = w[0, 0] * jx + w[1, 0] * jy, w[0, 1] * jx + w[1, 1] * jy
            for q in range(p + 1):
                information[p, q] += gx * jacobian[x, q] + gy * jacobian[y, q]
            information[k, p] += w[2, 0] * jx + w[2, 1] * jy
            information[k + 1, p] += w[3, 0] * jx + w[3, 1] * jy
        score[k] += u[2]
        score[k + 1] += u[3]
        information[k, k] += w[2, 2]
        information[k + 1, k] += w[3, 2]
        information[k + 1, k + 1] += w[3, 3]
    for i in range(len(single)):
        if weight[i] == 0:
            continue
        x = single[i]
        a, kept = m[x], 1 - lapse
        p, slope = kept * below(a) + lapse / 2, kept * density(a)
        by_lapse = 0.5 - below(a)
        chance = max(p if yes[x] else kept * below(-a) + lapse / 2, 1e-300)
        total += weight[i] * math.log(chance)
        sign = weight[i] * (1.0 if yes[x] else -1.0) / max(chance, 1e-14)
        inverse = weight[i] / max(p * (1 - p), 1e-14)
        for s in range(k):
            jx = jacobian[x, s]
            if jx == 0:
                continue
            score[s] += sign * slope * jx
            for t in range(s + 1):
                information[s, t] += inverse * slope * slope * jx * jacobian[x, t]
            information[k + 1, s] += inverse * slope * by_lapse * jx
        score[k + 1] += sign * by_lapse
        information[k + 1, k + 1] += inverse * by_lapse * by_lapse
    for s in range(k + 2):
        for t in range(s):
            information[t, s] = information[s, t]
    return total


@compiled()
@typing.no_type_check
def objective(
    base,
    power,
    log_contrast,
    yes,
    first,
    second,
    pair_weight,
    single,
    weight,
    precision,
    catch,
    prior,
    at,
    frees_eta,
    m,
    jacobian,
    score,
    information,
):
    """Fill score and expected information by (theta, zeta, eta); return the value.

    `at` is (theta, zeta, eta), with eta -inf for no lapses. `catch` is (errors,
    trials); `prior` (a, b) adds a log lapse + b log(1 - lapse); neither says anything
    where the lapse rate is not free.
    """
    k = len(at) - 2
    place(base, power, log_contrast, at[:k], m, jacobian)
    r, lapse = math.tanh(at[k]), 1 / (1 + math.exp(-at[k + 1]))
    total = evaluate(
        m,
        jacobian,
        yes,
        first,
        second,
        pair_weight,
        single,
        weight,
        r,
        lapse,
        score,
        information,
    )
    by_zeta, by_eta = (1 - r) * (1 + r), lapse * (1 - lapse)
    score[k] *= by_zeta
    score[k + 1] *= by_eta
    information[k, :] *= by_zeta
    information[:, k] *= by_zeta
    information[k + 1, :] *= by_eta
    information[:, k + 1] *= by_eta
    for j in range(k):
        score[j] -= precision[j] * at[j]
        information[j, j] += precision[j]
        total -= precision[j] * at[j] * at[j] / 2
    if not frees_eta:
        return total
    wrong = lapse / 2
    if catch[1] > 0:
        total += catch[0] * math.log(wrong) + (catch[1] - catch[0]) * math.log1p(-wrong)
        gain = catch[0] / wrong - (catch[1] - catch[0]) / (1 - wrong)
        score[k + 1] += gain * by_eta / 2
        of_catch = catch[1] / (wrong * (1 - wrong)) / 4
        information[k + 1, k + 1] += of_catch * by_eta * by_eta
    total += prior[0] * math.log(lapse) + prior[1] * math.log1p(-lapse)
    score[k + 1] += prior[0] * (1 - lapse) - prior[1] * lapse
    information[k + 1, k + 1] += (prior[0] + prior[1]) * by_eta
    return total
