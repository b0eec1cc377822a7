"""Corruptions of ImageNet-C [1]_, of the frames of trials.

References
----------
.. [1] Hendrycks & Dietterich (2019), Proc. ICLR; as functions by Michaelis et al.
   (2019), arXiv:1907.07484.
"""

import contextlib
import io
import math
from collections.abc import Iterator
from types import ModuleType

import numpy as np
from jaxtyping import UInt8

from ...experiments.protocols.checks import suggestion
from ...experiments.stimulus.seeds import derived_seed

CORRUPTIONS = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
)
SEVERITIES = (1, 2, 3, 4, 5)
LEAST_PX = 32  # that the package takes
NO_PACKAGE = 'corruptions need imagecorruptions-imaug: pip install "yoked[attacks]"'
_GREEN = 1
_OWN_SEED = ("glass_blur", "impulse_noise")  # these do not draw from NumPy's global


def require_corruption(name: str) -> str:
    """Return a corruption's name if there is one.

    Raises
    ------
    LookupError
        If there is none; the nearest name is suggested.

    Examples
    --------
    >>> require_corruption("fog")
    'fog'
    """
    if name not in CORRUPTIONS:
        near = suggestion(name, CORRUPTIONS)
        listed = "" if near else f"; there are {', '.join(CORRUPTIONS)}"
        raise LookupError(f"no corruption named {name!r}{near}{listed}")
    return name


def corrupted(
    frames: UInt8[np.ndarray, " trial alternative frame y x"],
    corruption: str,
    severity: int,
    seed: int = 0,
) -> UInt8[np.ndarray, " trial alternative frame y x"]:
    """Corrupt every frame of every trial.

    Parameters
    ----------
    frames
        Code values.
    corruption
        One of `CORRUPTIONS`.
    severity
        1 to 5. What is random is the same at every severity.
    seed
        Another one gives other randomness; each frame has its own.

    Returns
    -------
    uint8 array
        Of the same shape. Frames are gray: of what the corruption makes of a gray
        picture the green channel is taken, one channel alone so that noise keeps its
        SD. A frame of fewer than 32 px on a side is enlarged by a whole factor first,
        and blocks are averaged again.

    Raises
    ------
    LookupError
        If there is no such corruption.
    ValueError
        If the severity is another.
    ModuleNotFoundError
        If the package is not installed.

    Examples
    --------
    >>> frames = np.full((1, 1, 1, 40, 40), 128, np.uint8)
    >>> bool(corrupted(frames, "gaussian_noise", 1).std() > 10)
    True
    """
    require_corruption(corruption)
    if severity not in SEVERITIES:
        raise ValueError(f"severity must be 1 to 5, got {severity}")
    package = _package()
    found = np.empty_like(frames)
    with _own_randomness():
        for at in np.ndindex(*frames.shape[:3]):
            np.random.seed(derived_seed("corrupt", seed, *at) % 2**32)
            found[at] = _one(package, frames[at], corruption, severity)
    return found


def _one(
    package: ModuleType, frame: np.ndarray, corruption: str, severity: int
) -> np.ndarray:
    """Corrupt one frame, enlarged where it is too small."""
    factor = math.ceil(LEAST_PX / min(frame.shape))
    large = frame.repeat(factor, 0).repeat(factor, 1)
    options = {}
    if corruption in _OWN_SEED:
        options["seed"] = int(np.random.randint(2**31))
    made = package.corrupt(
        large, severity=severity, corruption_name=corruption, **options
    )[..., _GREEN]
    rows, columns = frame.shape
    blocks = made.reshape(rows, factor, columns, factor).mean((1, 3))
    return np.rint(blocks).astype(np.uint8)


@contextlib.contextmanager
def _own_randomness() -> Iterator[None]:
    """Leave NumPy's global generator, and standard output, as they were."""
    state = np.random.get_state()
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it excuses
            yield
    finally:
        np.random.set_state(state)


def _package() -> ModuleType:
    try:
        import imagecorruptions
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_PACKAGE, name="imagecorruptions") from error
    return imagecorruptions
