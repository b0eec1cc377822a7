"""A picture's file as gray code values of eight bits."""

from typing import Any

_EIGHT_BITS = ("1", "L", "P", "RGB", "CMYK", "YCbCr", "LA", "PA", "RGBA", "La", "RGBa")
_MIDDLE = 128  # what a transparent pixel becomes: the background


def as_gray(opened: Any, name: str) -> Any:
    """Give an opened picture of Pillow's in gray, mode L.

    Raises
    ------
    ValueError
        If it has more than eight bits a channel, which gray would cut off.
    """
    require_eight_bits(opened, name)
    if "A" not in opened.mode.upper() and "transparency" not in opened.info:
        return opened.convert("L")
    whole = opened.convert("RGBA")
    ground = whole.copy()
    ground.paste((_MIDDLE, _MIDDLE, _MIDDLE, 255), (0, 0, *whole.size))
    ground.alpha_composite(whole)
    return ground.convert("L")


def require_eight_bits(opened: Any, name: str) -> None:
    """Refuse a picture that eight bits a channel would cut off."""
    if opened.mode not in _EIGHT_BITS:
        rule = "a picture of eight bits a channel"
        raise ValueError(f"{name} must be {rule}, got mode {opened.mode}")
