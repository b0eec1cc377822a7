"""Two observers or many: responses, kappa, latent agreement, kernels, depth, groups."""
