"""Constants of Philox4x32-10, and the key of a seed, for all forms of the generator.

The readable form is `noise.philox4x32`; the fast ones are in `noise_numba` and
`noise_torch`. Plain integers, which Numba takes as constants. Source: Random123, see
`noise.py`.
"""

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
N_ROUNDS = 10
WORD = 0xFFFFFFFF


def key_of(seed: int) -> tuple[int, int]:
    """Give the two 32-bit words of a seed, low one first.

    Examples
    --------
    >>> key_of(2**32 + 7)
    (7, 1)
    """
    return seed & WORD, seed >> 32
