"""Order two, how it is combined: covariance kernels, eigenvalues, cascades."""
