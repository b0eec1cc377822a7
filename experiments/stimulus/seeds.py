"""Seeds: where they come from, their range, and the ones no session may have."""

import hashlib
import json
import secrets
from collections.abc import Container

MAX_SEED = 2**63
# Observers learn and are calibrated on trials that no session ever shows.
RESERVED_SEEDS = range(MAX_SEED - 2**32, MAX_SEED)


def require_seed(what: str, seed: int) -> int:
    """Return `seed` if it lies in [0, 2^63).

    Raises
    ------
    ValueError
        If it does not.
    """
    if isinstance(seed, bool) or not 0 <= seed < MAX_SEED:
        raise ValueError(f"{what} must be an integer in [0, 2^63), got {seed}")
    return int(seed)


def require_session_seed(what: str, seed: int) -> int:
    """Return `seed` if a session may have it: in range and not reserved.

    Raises
    ------
    ValueError
        If it is out of range, or reserved for practice trials.
    """
    if require_seed(what, seed) in RESERVED_SEEDS:
        raise ValueError(
            f"{what} must be below 2^63 - 2^32, got {seed}; "
            "the seeds above are reserved for practice"
        )
    return int(seed)


def fresh_seed() -> int:
    """Draw a seed that no participant can guess."""
    return secrets.randbelow(RESERVED_SEEDS.start)


def derived_seed(*parts: object, taken: Container[int] = ()) -> int:
    """Derive a seed from named parts, the same for the same parts.

    Parameters
    ----------
    *parts
        Numbers, strings, lists and dictionaries that JSON can hold.
    taken
        Seeds that may not come out; the next candidate is tried instead.

    Examples
    --------
    >>> derived_seed("observer", 1) == derived_seed("observer", 1)
    True
    >>> derived_seed("observer", 1) == derived_seed("observer", 2)
    False
    """
    for attempt in range(1000):
        text = json.dumps([*parts, attempt], sort_keys=True)
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
        seed = number % RESERVED_SEEDS.start
        if seed not in taken:
            return seed
    raise RuntimeError("no free seed in a thousand tries")
