"""Pictures as gray: sixteen bits are refused, what is transparent is background."""

import numpy as np
import pytest

from yoked.experiments.pictures.gray import as_gray

image = pytest.importorskip("PIL.Image")


def test_sixteen_bits_are_refused_rather_than_cut_off():
    deep = image.fromarray(np.full((4, 4), 9000, np.uint16))
    with pytest.raises(
        ValueError, match=r"x\.png must be a picture of eight bits a ch"
    ):
        as_gray(deep, "x.png")


def test_what_is_transparent_is_the_background():
    picture = image.new("RGBA", (2, 1), (255, 255, 255, 255))
    picture.putpixel((0, 0), (0, 0, 0, 0))
    assert np.asarray(as_gray(picture, "x.png")).tolist() == [[128, 255]]
    assert np.asarray(as_gray(image.new("RGB", (1, 1), (9, 9, 9)), "x")).item() == 9
