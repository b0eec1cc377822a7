"""The likelihood of showings when the decision variable has any law, with Numba.

Parameters are the thresholds' theta, then log gamma. `law.py` says what they mean.
"""

import math
import typing

import numpy as np

from ...experiments.compiled import compiled
from .showings_numba import below, density, place

_SMALLEST = 1e-300


@compiled()
@typing.no_type_check
def _fill_rates(m, points, gamma, rates):
    """P("yes") of each row at each point of the law."""
    scale = math.sqrt(1 + gamma * gamma) / gamma
    for i in range(len(m)):
        for q in range(len(points)):
            rates[i, q] = below(m[i] * scale + points[q] / gamma)


@compiled()
@typing.no_type_check
def law_value(
    m, yes, first, second, pair_weight, single, weight, points, mass, gamma, rates
):
    """Return the log likelihood; `rates` is room for (row, point)."""
    _fill_rates(m, points, gamma, rates)
    total = 0.0
    for i in range(len(first)):
        if pair_weight[i] == 0:
            continue
        x, y, chance = first[i], second[i], 0.0
        for q in range(len(points)):
            one = rates[x, q] if yes[x] else 1 - rates[x, q]
            chance += mass[q] * one * (rates[y, q] if yes[y] else 1 - rates[y, q])
        total += pair_weight[i] * math.log(max(chance, _SMALLEST))
    for i in range(len(single)):
        if weight[i] == 0:
            continue
        x, chance = single[i], 0.0
        for q in range(len(points)):
            chance += mass[q] * (rates[x, q] if yes[x] else 1 - rates[x, q])
        total += weight[i] * math.log(max(chance, _SMALLEST))
    return total


@compiled()
@typing.no_type_check
def law_scores(
    m,
    jacobian,
    yes,
    first,
    second,
    pair_weight,
    single,
    weight,
    points,
    mass,
    gamma,
    pair_score,
    single_score,
    information,
):
    """Fill each pair's and single's score, and the expected information.

    By (theta, log gamma). `pair_score` and `single_score` are of one showing, not
    multiplied by how often it counts; the information is.
    """
    n, k, n_points = len(m), jacobian.shape[1], len(points)
    scale = math.sqrt(1 + gamma * gamma) / gamma
    rates, by_m = np.empty((n, n_points)), np.empty((n, n_points))
    by_gamma = np.empty((n, n_points))
    for i in range(n):
        for q in range(n_points):
            at = m[i] * scale + points[q] / gamma
            slope = density(at)
            rates[i, q], by_m[i, q] = below(at), slope * scale
            by_gamma[i, q] = -slope * (
                m[i] / (gamma * gamma * scale) + points[q] / gamma
            )
    information[:] = 0
    pair_score[:] = 0
    single_score[:] = 0
    slopes, chances, own = np.empty((4, 3)), np.empty(4), np.empty((4, k + 1))
    for i in range(len(first)):
        if pair_weight[i] == 0:
            continue
        x, y = first[i], second[i]
        chances[:] = 0
        slopes[:] = 0
        for q in range(n_points):
            for kind in range(4):
                one, other = rates[x, q], rates[y, q]
                a, b = by_m[x, q], by_m[y, q]
                ga, gb = by_gamma[x, q], by_gamma[y, q]
                if kind > 1:
                    one, a, ga = 1 - one, -a, -ga
                if kind % 2 == 1:
                    other, b, gb = 1 - other, -b, -gb
                chances[kind] += mass[q] * one * other
                slopes[kind, 0] += mass[q] * a * other
                slopes[kind, 1] += mass[q] * one * b
                slopes[kind, 2] += mass[q] * (ga * other + one * gb)
        seen = (0 if yes[x] else 2) + (0 if yes[y] else 1)
        for kind in range(4):
            for s in range(k):
                own[kind, s] = (
                    slopes[kind, 0] * jacobian[x, s] + slopes[kind, 1] * jacobian[y, s]
                )
            own[kind, k] = slopes[kind, 2]
            inverse = pair_weight[i] / max(chances[kind], 1e-14)
            for s in range(k + 1):
                for t in range(s + 1):
                    information[s, t] += inverse * own[kind, s] * own[kind, t]
        for s in range(k + 1):
            pair_score[i, s] = own[seen, s] / max(chances[seen], 1e-14)
    for i in range(len(single)):
        if weight[i] == 0:
            continue
        x, p, slope, moved = single[i], 0.0, 0.0, 0.0
        for q in range(n_points):
            p += mass[q] * rates[x, q]
            slope += mass[q] * by_m[x, q]
            moved += mass[q] * by_gamma[x, q]
        sign = 1.0 if yes[x] else -1.0
        chance = max(p if yes[x] else 1 - p, 1e-14)
        inverse = weight[i] / max(p * (1 - p), 1e-14)
        for s in range(k):
            own[0, s] = slope * jacobian[x, s]
        own[0, k] = moved
        for s in range(k + 1):
            single_score[i, s] = sign * own[0, s] / chance
            for t in range(s + 1):
                information[s, t] += inverse * own[0, s] * own[0, t]
    for s in range(k + 1):
        for t in range(s):
            information[t, s] = information[s, t]


@compiled()
@typing.no_type_check
def law_climb(
    base,
    power,
    log_contrast,
    yes,
    first,
    second,
    pair_weight,
    single,
    weight,
    points,
    mass,
    start,
    information,
):
    """Climb to the maximum by Fisher scoring, each step halved until it rises.

    `start` is (theta, log gamma); theta becomes the maximum, gamma is held.
    `information` is filled. Returns the log likelihood.
    """
    n, k = len(yes), len(start) - 1
    m, jacobian = np.empty(n), np.empty((n, k))
    rates, moved = np.empty((n, len(points))), np.empty(k + 1)
    pair_score = np.empty((len(first), k + 1))
    single_score = np.empty((len(single), k + 1))
    place(base, power, log_contrast, start[:k], m, jacobian)
    gamma = math.exp(start[k])  # which is held
    now = law_value(
        m, yes, first, second, pair_weight, single, weight, points, mass, gamma, rates
    )
    for _ in range(60):
        law_scores(
            m,
            jacobian,
            yes,
            first,
            second,
            pair_weight,
            single,
            weight,
            points,
            mass,
            gamma,
            pair_score,
            single_score,
            information,
        )
        score = np.zeros(k)
        for s in range(k):
            for i in range(len(first)):
                score[s] += pair_weight[i] * pair_score[i, s]
            for i in range(len(single)):
                score[s] += weight[i] * single_score[i, s]
        system = information[:k, :k].copy()
        for s in range(k):
            system[s, s] += 1e-9 * system[s, s] + 1e-10
        step = np.linalg.solve(system, score)
        longest = np.abs(step).max()
        if longest > 1:
            step *= 1 / longest
        size, rose, after = 1.0, False, now
        for _ in range(30):
            moved[:] = start
            for s in range(k):
                moved[s] += size * step[s]
            if power.shape[1]:
                moved[k - 1] = min(max(moved[k - 1], -2.5), 1.8)
            place(base, power, log_contrast, moved[:k], m, jacobian)
            after = law_value(
                m,
                yes,
                first,
                second,
                pair_weight,
                single,
                weight,
                points,
                mass,
                gamma,
                rates,
            )
            if after >= now - 1e-11:
                rose = True
                break
            size /= 2
        if not rose:
            place(base, power, log_contrast, start[:k], m, jacobian)
            break
        gained = after - now
        start[:] = moved
        now = max(now, after)
        if gained < 1e-8:
            break
    law_scores(
        m,
        jacobian,
        yes,
        first,
        second,
        pair_weight,
        single,
        weight,
        points,
        mass,
        gamma,
        pair_score,
        single_score,
        information,
    )
    return now
