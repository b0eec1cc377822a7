"""What is declared where a learned retina stands before a network.

A recording has elements where an image has degrees, units where it has contrast, and
steps of its own, so three scales are declared, and kept in the trial log:

- space: the mean centre is as large as that of M cells at `eccentricity_deg`;
- contrast: `contrast_of_sd` is as far from the background as one SD of the recorded
  stimulus was from its mean;
- time: a frame is held for a whole number of steps, its duration within 2 %.
"""

import math
from dataclasses import dataclass

LESIONS = ("surround", "rectification", "gain-control", "noise-correlations", "noise")
LONGEST_STEP_MS = 10.0
TOLERANCE = 0.02  # of a frame's duration


@dataclass(frozen=True)
class LearnedConfig:
    """How a learned retina stands before a network.

    Attributes
    ----------
    eccentricity_deg
        Where the mosaic is declared to be: sets its scale, unless `element_deg` does.
    element_deg
        Degrees that an element of the recording's stimulus spans.
    spacing_deg
        Distance of neighbours of one channel; density is 1 / spacing^2.
    contrast_of_sd
        Contrast that stands for one SD of the recorded stimulus.
    tail_ms
        How long the background is seen after the last frame: about a latency.
    learnable
        Whether fields, courses and biases go on learning; they are fixed otherwise.
    lesions
        Parts taken away, of `LESIONS`: there is no surround; rates follow the drive
        linearly; contrast does not change the gain; noise is independent between cells,
        or there is none.

    Raises
    ------
    ValueError
        If a scale is not more than 0, or there is no such lesion.

    Examples
    --------
    >>> LearnedConfig(eccentricity_deg=10.0, lesions=("surround",)).contrast_of_sd
    0.1
    """

    eccentricity_deg: float = 5.0
    element_deg: float | None = None
    spacing_deg: float | None = None
    contrast_of_sd: float = 0.1
    tail_ms: float = 150.0
    learnable: bool = False
    lesions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("element_deg", "spacing_deg", "contrast_of_sd"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be more than 0, got {value}")
        if not 0 <= self.tail_ms < math.inf:
            raise ValueError(f"tail_ms must be 0 or more, got {self.tail_ms}")
        self.require_lesions(LESIONS)

    def require_lesions(self, possible: tuple[str, ...]) -> None:
        """Refuse a lesion of what is not there.

        Raises
        ------
        ValueError
            If one is none of the possible ones.
        """
        for lesion in self.lesions:
            if lesion not in possible:
                rule = f"some of {', '.join(possible)}"
                raise ValueError(
                    f"lesions of this front must be {rule}, got {lesion!r}"
                )


def whole_steps(frame_ms: float, recorded_ms: float) -> tuple[int, int]:
    """Give recorded steps in a step of the front, and its steps in a frame.

    The longest step of at most 10 ms of which a frame has a whole number, within 2 %.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> whole_steps(100.0, 5 / 3), whole_steps(33.333, 5 / 3)
    ((6, 10), (5, 4))
    """
    for per_step in range(max(1, int(LONGEST_STEP_MS / recorded_ms + 1e-6)), 0, -1):
        held = round(frame_ms / (per_step * recorded_ms))
        if held and abs(held * per_step * recorded_ms / frame_ms - 1) <= TOLERANCE:
            return per_step, held
    rule = f"a whole number of steps of the front, {recorded_ms:.4g} ms, within 2 %"
    raise ValueError(f"a frame must last {rule}, got {frame_ms:g} ms")
