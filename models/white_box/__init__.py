"""Kernels of a network from its gradients: what black-box kernels estimate."""
