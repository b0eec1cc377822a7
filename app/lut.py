"""Look-up tables from contrast levels to screen levels."""

LUTS = ("srgb", "identity")


def look_up_table(name: str) -> tuple[int, ...]:
    """Give the screen level of each of the 256 contrast levels.

    Parameters
    ----------
    name
        'srgb' undoes the curve of a standard screen, so that luminance is proportional
        to the contrast level; 'identity' leaves levels as they are, which is right for
        a screen that was made linear, and for tests.

    Raises
    ------
    LookupError
        If there is no table of that name.

    References
    ----------
    IEC 61966-2-1:1999, the sRGB transfer function.

    Examples
    --------
    >>> table = look_up_table("srgb")
    >>> table[0], table[128], table[255]
    (0, 188, 255)
    """
    if name == "identity":
        return tuple(range(256))
    if name == "srgb":
        return tuple(round(255 * srgb_encode(level / 255)) for level in range(256))
    raise LookupError(f"lut must be one of {', '.join(LUTS)}, got {name!r}")


def srgb_encode(luminance: float) -> float:
    """Give the sRGB signal of a linear luminance; both from 0 to 1."""
    if luminance <= 0.0031308:
        return 12.92 * luminance
    return 1.055 * luminance ** (1 / 2.4) - 0.055
