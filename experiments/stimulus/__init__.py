"""From seed and protocol to pixels: Philox, noise levels and sources, frames, digests.

The contract `yoked-1`, the same on NumPy, Numba and torch; published noise beside it.
"""
