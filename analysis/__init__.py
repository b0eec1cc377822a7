"""What the answers mean: sensitivity, kernels, internal noise, agreement."""
