"""Importance maps that a table of pictures names."""

import numpy as np
import pytest
from PIL import Image

from yoked.experiments.imports.picture_folder import read_pictures


@pytest.fixture
def table(tmp_path):
    for k in range(3):
        Image.new("L", (8, 8), 100 + k).save(tmp_path / f"{k}.png")
    half = np.zeros((8, 8), np.uint8)
    half[:, :4] = 255
    Image.fromarray(half).save(tmp_path / "map.png")
    path = tmp_path / "pictures.csv"
    rows = ["0.png,a,map.png", "1.png,b,", "2.png,b,map.png"]
    rows = ["file,category,importance", *rows]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_maps_are_in_0_to_1_and_0_where_there_is_none(table):
    found = read_pictures(table)
    maps = found.importance(8)
    assert maps.shape == (3, 8, 8)
    assert (maps[0, :, :4] == 1).all()
    assert (maps[0, :, 4:] == 0).all()
    assert not maps[1].any()
    np.testing.assert_array_equal(maps[0], maps[2])
    assert found.categories == ("a", "b", "b")


def test_a_table_or_folder_without_maps_has_none(table):
    path = table.with_name("plain.csv")
    path.write_text("file,category\n0.png,a\n1.png,b", encoding="utf-8")
    assert not read_pictures(path).importance(8).any()
    for kind in ("a", "b"):
        (table.parent / "folders" / kind).mkdir(parents=True)
        Image.new("L", (8, 8), 9).save(table.parent / "folders" / kind / "x.png")
    assert not read_pictures(table.parent / "folders").importance(8).any()


def test_a_map_that_is_not_there_is_named(table):
    table.write_text("file,category,importance\n0.png,a,gone.png", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"pictures\.csv names 'gone.png'"):
        read_pictures(table)
