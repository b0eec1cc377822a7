"""A picture of contrast as a file."""

from pathlib import Path

import numpy as np
from jaxtyping import Float


def write_picture(path: Path, contrast: Float[np.ndarray, " y x"]) -> None:
    """Write contrast in [-1, 1] as a gray picture of eight bits; its folder is made."""
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    codes = np.rint((np.asarray(contrast) + 1) * 127.5).astype(np.uint8)
    Image.fromarray(codes).save(path)
