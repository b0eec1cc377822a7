"""Observers that need no training: templates, guessers, circuits with known kernels."""
