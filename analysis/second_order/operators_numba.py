"""The noise of each class taken off its mean and weighted, with Numba: two passes."""

import typing

import numpy as np

from ...experiments.compiled import compiled


@compiled(nogil=True)
@typing.no_type_check
def weigh_about_means(along, sign, label, count, size, factor):
    """Replace `along` (replicate, trial) by count x factor x (it less its class mean).

    Means are of the noise as shown, sign x `along`; what is returned has the sign of
    `along` again. `count` has a row for each replicate, or one of ones for all; `size`
    and `factor` are (replicate, label).
    """
    n_replicates, n_trials = along.shape
    n_labels = size.shape[1]
    mean = np.empty(n_labels, np.float64)
    for b in range(n_replicates):
        times = count[b % count.shape[0]]
        mean[:] = 0
        for i in range(n_trials):
            mean[label[b, i]] += times[i] * sign[i] * along[b, i]
        for k in range(n_labels):
            mean[k] /= max(size[b, k], 1)
        for i in range(n_trials):
            k = label[b, i]
            along[b, i] = times[i] * factor[b, k] * (along[b, i] - sign[i] * mean[k])
