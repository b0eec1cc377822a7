"""Where the eye is: pixels per degree of visual angle, and the scale that follows."""

import math
from dataclasses import dataclass

from ..protocols.parts import Display


def px_per_degree(width_cm: float, width_px: int, distance_cm: float) -> float:
    """Give the pixels that span one degree in the middle of a flat screen.

    A length s at distance d spans 2 atan(s / 2d).

    Parameters
    ----------
    width_cm, width_px
        Width of the visible picture, in cm and in px.
    distance_cm
        From the eye to the middle of the screen.

    Raises
    ------
    ValueError
        If a length is not positive.

    Examples
    --------
    >>> round(px_per_degree(width_cm=53.0, width_px=1920, distance_cm=57.0), 2)
    36.04
    """
    lengths = {"width_cm": width_cm, "width_px": width_px, "distance_cm": distance_cm}
    for name, length in lengths.items():
        if not 0 < length < math.inf:
            raise ValueError(f"{name} must be more than 0, got {length}")
    return 2 * distance_cm * math.tan(math.radians(0.5)) * width_px / width_cm


@dataclass(frozen=True)
class Scale:
    """A whole-number scale, and how large it makes the stimulus.

    Attributes
    ----------
    scale
        Screen px for each px of a frame.
    deg_per_element
        Degrees across a grid element at this scale.
    error
        Relative error of that size: .05 is 5 % larger than the protocol asks for.
    """

    scale: int
    deg_per_element: float
    error: float


def nearest_scale(display: Display, pixels_per_degree: float) -> Scale:
    """Choose the whole-number scale that makes elements nearest to their size.

    Nearest in ratio: twice too large is as bad as twice too small. Elements stay on
    whole pixels, so their size can be off by up to 41 %, which a distance that fits
    avoids (`fitting_distance_cm`).

    Parameters
    ----------
    display
        Says degrees and px of an element.
    pixels_per_degree
        Of the screen, as the observer sits.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> nearest_scale(load_protocol("bar-in-noise").display, 38.0)
    Scale(scale=2, deg_per_element=0.2105..., error=0.0526...)
    """
    wanted = display.deg_per_element * pixels_per_degree / display.element_px[1]
    below = max(1, math.floor(wanted))
    scale = min((below, below + 1), key=lambda s: abs(math.log(s / wanted)))
    shown = scale * display.element_px[1] / pixels_per_degree
    return Scale(scale, shown, shown / display.deg_per_element - 1)


def fitting_distance_cm(
    display: Display, scale: int, width_cm: float, width_px: int
) -> float:
    """Give the viewing distance at which a scale makes elements exactly their size.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> display = load_protocol("bar-in-noise").display
    >>> round(fitting_distance_cm(display, 2, width_cm=53.0, width_px=1920), 1)
    63.3
    """
    wanted = scale * display.element_px[1] / display.deg_per_element  # px per degree
    return distance_for(wanted, width_cm, width_px)


def distance_for(pixels_per_degree: float, width_cm: float, width_px: int) -> float:
    """Give the distance in cm at which a screen has so many pixels per degree."""
    return pixels_per_degree / px_per_degree(width_cm, width_px, distance_cm=1.0)
