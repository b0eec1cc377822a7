"""Pictures on a screen of other degrees: Brain-Score's own numbers of gray pixels."""

import numpy as np
import pytest

import yoked

from .made import written

Image = pytest.importorskip("PIL.Image")

# brain-score/vision asserts, of a picture of some sets, gray (128) pixels over values
# (pixels times channels), seen by models of 14 and of 6 degrees.
PUBLISHED = {
    "FreemanZiemba2013public": (4, 0.314561, 0.23113),
    "Cadena2017": (2, 0.32655, 0.29641),
}
WITHIN = 1e-4  # as asserted there


def amount_gray(stimuli, name="picture-0"):
    """Return Brain-Score's fraction: gray pixels over values."""
    with Image.open(stimuli.get_stimulus(name)) as opened:
        picture = np.array(opened)
    return float((picture == 128).all(axis=-1).sum() / picture.size)


@pytest.mark.parametrize("data_set", PUBLISHED)
def test_the_published_amounts_of_gray_come_out(data_set, tmp_path):
    """One unknown, the picture's own gray pixels, and two published numbers."""
    source, at_14, at_6 = PUBLISHED[data_set]
    frame = 1 - (source / 6) ** 2
    own = (3 * at_6 - frame) / (1 - frame)  # of the picture's pixels
    assert 0 <= own < 1
    picture = np.full((320, 320), 90, np.uint8)
    picture.ravel()[: round(own * picture.size)] = 128
    table = written(tmp_path, picture[None])
    seen = {t: yoked.place_on_screen(table, t, source) for t in (14, 6)}
    assert amount_gray(seen[6]) == pytest.approx(at_6, abs=WITHIN)
    assert amount_gray(seen[14]) == pytest.approx(at_14, abs=WITHIN)


@pytest.mark.parametrize("published", [0.25071, 0.251345, 0.22486, 0.225023, 0.225021])
def test_the_frame_is_the_least_gray_of_what_is_published(published, tmp_path):
    """Five pictures of 8 degrees before 14: the frame's share, and some of theirs."""
    picture = np.full((1, 256, 256), 90, np.uint8)
    placed = yoked.place_on_screen(written(tmp_path, picture), 14, 8)
    least = amount_gray(placed)
    assert least == pytest.approx((1 - (8 / 14) ** 2) / 3)
    assert least <= published <= least + (8 / 14) ** 2 / 3


def test_sizes_are_those_published_for_a_picture_of_1855_px(tmp_path):
    """The sizes of its test, and where gray must be when 8 degrees become 10."""
    table = written(tmp_path, np.zeros((1, 1855, 1855), np.uint8))
    for source, target, size in ((10, 8, 1484), (10, 12, 2226)):
        placed = yoked.place_on_screen(table, target, source)
        with Image.open(placed.get_stimulus("picture-0")) as picture:
            assert picture.size == (size, size)
    with Image.open(yoked.place_on_screen(table, 10, 8).get_stimulus("picture-0")) as p:
        for place in ((48, 48), (224 - 48, 224 - 48), (48, 224 - 48), (224 - 48, 48)):
            assert p.getpixel(place) == (128, 128, 128)


def test_the_picture_stands_in_the_middle(tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (1, 12, 12)).astype(np.uint8)
    table = written(tmp_path, picture)
    with Image.open(
        yoked.place_on_screen(table, 8, 4).get_stimulus("picture-0")
    ) as big:
        np.testing.assert_array_equal(np.array(big)[6:18, 6:18, 1], picture[0])
    small = yoked.place_on_screen(table, 2, 4)
    with Image.open(small.get_stimulus("picture-0")) as middle:
        np.testing.assert_array_equal(np.array(middle), picture[0, 3:9, 3:9])


def test_the_same_degrees_leave_the_files_alone(tmp_path):
    table = written(tmp_path).assign(degrees=8)
    placed = yoked.place_on_screen(table, 8)
    assert [str(placed.get_stimulus(n)) for n in table["stimulus_id"]] == list(
        table["path"]
    )


def test_the_table_says_what_it_is_now(tmp_path):
    table = written(tmp_path, object_name=list("aabbcc"))
    placed = yoked.place_on_screen(table, 14, 8, tmp_path / "placed")
    assert placed["object_name"].tolist() == list("aabbcc")
    assert set(placed["degrees"]) == {14}
    assert placed["stimulus_path"].str.startswith(str(tmp_path / "placed")).all()
    assert placed.identifier == "stimuli--target14"
    assert placed[2:4].get_stimulus("picture-3").is_file()


@pytest.mark.parametrize(
    ("columns", "degrees", "sentence"),
    [
        ({}, (8, None), "given once, .* got neither"),
        ({"degrees": 8}, (8, 8), "given once, .* got both"),
        ({}, (8, 0), "degrees must be above 0, got 0"),
        ({}, (-1, 8), "degrees must be above 0, got -1"),
    ],
)
def test_degrees_are_given_once(columns, degrees, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        yoked.place_on_screen(written(tmp_path, **columns), *degrees)


def test_pictures_of_sixteen_bits_are_refused(tmp_path):
    table = written(tmp_path, np.zeros((1, 8, 8), np.uint16))
    with pytest.raises(ValueError, match="a picture of eight bits a channel, got mode"):
        yoked.place_on_screen(table, 8, 4)
