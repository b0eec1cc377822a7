"""Simulation of coupled cells, compiled: step by step, spike by spike."""

import typing

import numpy as np

from ...experiments.compiled import compiled

_TURNS = 30


@typing.no_type_check
@compiled(nogil=True)
def fire(drive, couplings, refractory, chance, is_bernoulli, spikes, chances):
    """Let cells fire: `spikes`, which holds zeros, gets ones.

    `chances` gets the sum over repeats of how likely each spike was.
    """
    n_repeats, n_steps, n_cells = spikes.shape
    n_lags = couplings.shape[2]
    for repeat in range(n_repeats):
        coming = np.zeros((n_lags, n_cells))  # a ring: what spikes add to steps to come
        rested = np.full(n_cells, n_steps)  # steps since the last spike
        for t in range(n_steps):
            now = t % n_lags
            for i in range(n_cells):
                rested[i] += 1
                if rested[i] > refractory[i]:
                    u = np.exp(min(drive[t, i] + coming[now, i], 20.0))
                    p = 1.0 - np.exp(-u) if is_bernoulli else u
                    chances[t, i] += min(p, 1.0)
                    if chance[repeat, t, i] < p:
                        spikes[repeat, t, i] = 1
                        rested[i] = 0
            coming[now] = 0.0
            for j in range(n_cells):
                if spikes[repeat, t, j]:
                    for lag in range(n_lags):
                        for i in range(n_cells):
                            coming[(now + 1 + lag) % n_lags, i] += couplings[i, j, lag]


@typing.no_type_check
@compiled(nogil=True)
def can_fire(spikes, refractory):
    """Give 1 for each step in which a cell could fire, given its own spikes."""
    n_repeats, n_steps, n_cells = spikes.shape
    free = np.ones(spikes.shape, np.uint8)
    for repeat in range(n_repeats):
        for i in range(n_cells):
            rested = n_steps
            for t in range(n_steps):
                rested += 1
                if rested <= refractory[i]:
                    free[repeat, t, i] = 0
                if spikes[repeat, t, i]:
                    rested = 0
    return free


@typing.no_type_check
@compiled(nogil=True)
def scale_to(wanted, factor, is_bernoulli):
    """Give the u at which repeats with these factors fire with a mean chance.

    The chance is concave in u, so each turn comes nearer from below.
    """
    u = wanted / max(factor.mean(), 1e-3)  # all refractory: no u is high enough
    for _ in range(_TURNS):
        got = 0.0
        for each in factor:
            got += 1.0 - np.exp(-u * each) if is_bernoulli else min(u * each, 1.0)
        got /= len(factor)
        if got >= wanted * (1 - 1e-6) or got == 0.0:
            break
        u *= wanted / got
    return u


@typing.no_type_check
@compiled(nogil=True)
def fire_at_rate(log_rate, couplings, refractory, chance, is_bernoulli, drive):
    """Fill in the drive at which spikes come as often as cells of a rate alone fire."""
    n_repeats, n_steps, n_cells = chance.shape
    factor = np.zeros(n_repeats)  # what earlier spikes make of u; 0 in their wake
    n_lags = couplings.shape[2]
    coming = np.zeros((n_repeats, n_lags, n_cells))
    rested = np.full((n_repeats, n_cells), n_steps)
    fired = np.zeros(n_cells, np.uint8)
    for t in range(n_steps):
        now = t % n_lags
        for i in range(n_cells):
            for repeat in range(n_repeats):
                rested[repeat, i] += 1
                factor[repeat] = 0.0
                if rested[repeat, i] > refractory[i]:
                    factor[repeat] = np.exp(min(coming[repeat, now, i], 20.0))
            u = np.exp(min(log_rate[t, i], 20.0))
            wanted = 1.0 - np.exp(-u) if is_bernoulli else min(u, 1.0)
            drive[t, i] = np.log(scale_to(wanted, factor, is_bernoulli))
        for repeat in range(n_repeats):
            for i in range(n_cells):
                fired[i] = 0
                if rested[repeat, i] > refractory[i]:
                    u = np.exp(min(drive[t, i] + coming[repeat, now, i], 20.0))
                    p = 1.0 - np.exp(-u) if is_bernoulli else u
                    if chance[repeat, t, i] < p:
                        fired[i] = 1
                        rested[repeat, i] = 0
            for i in range(n_cells):
                coming[repeat, now, i] = 0.0
            for j in range(n_cells):
                if fired[j]:
                    for lag in range(n_lags):
                        for i in range(n_cells):
                            at = (now + 1 + lag) % n_lags
                            coming[repeat, at, i] += couplings[i, j, lag]
