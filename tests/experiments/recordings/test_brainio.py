"""NetCDF in BrainIO's layout: files that xarray writes, with and without an index."""

import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image

from yoked.experiments.recordings.population_files import load_population
from yoked.experiments.recordings.recording import RecordingError

NAMES = [f"im-{k}" for k in range(6)]
REPEATS, UNITS = 3, 4


def truth(seed=1):
    return np.random.default_rng(seed).normal(size=(REPEATS, len(NAMES), UNITS))


def assembly(made, bins=None, stimulus="stimulus_id", objects=True, order=None):
    """Return presentations of a shuffled session, as BrainIO lays them out."""
    repeat, image = np.divmod(np.arange(REPEATS * len(NAMES)), len(NAMES))
    order = (
        np.random.default_rng(2).permutation(len(repeat)) if order is None else order
    )
    repeat, image = repeat[order], image[order]
    names = np.array(NAMES)[image]
    coords = {
        stimulus: ("presentation", names),
        "repetition": ("presentation", repeat),
        "neuroid_id": ("neuroid", [f"n{k}" for k in range(UNITS)]),
        "region": ("neuroid", ["V4", "V4", "IT", "IT"]),
        "animal": ("neuroid", ["Chabo", "Tito"] * 2),
    }
    if objects:
        coords["object_name"] = ("presentation", np.array(["car", "face"])[image % 2])
    values, dims = made[repeat, image], ["presentation", "neuroid"]
    if bins is not None:
        values, dims = values[..., None] * [0.0, 1.0, 3.0, 99.0], [*dims, "time_bin"]
        coords["time_bin_start"] = ("time_bin", [0, 70, 120, 170])
        coords["time_bin_end"] = ("time_bin", [70, 120, 170, 220])
    return xr.DataArray(values, coords=coords, dims=dims)


def written(array, path, name="data"):
    array.to_dataset(name=name).to_netcdf(path, engine="h5netcdf")
    return path


def by_name(found, made):
    """Return what was written, in the order in which stimuli were read."""
    return made[:, [NAMES.index(name) for name in found.stimuli]]


def test_what_was_written_is_read_to_the_last_bit(tmp_path):
    made = truth()
    found = load_population(written(assembly(made), tmp_path / "it.nc"))
    assert np.array_equal(found.responses, by_name(found, made))
    assert found.units == ("n0", "n1", "n2", "n3")
    assert found.regions == ("V4", "V4", "IT", "IT")
    assert found.subjects == ("Chabo", "Tito", "Chabo", "Tito")
    expected = tuple(("car", "face")[NAMES.index(n) % 2] for n in found.stimuli)
    assert found.objects == expected
    assert found.name == "it"


def test_an_index_of_several_levels_comes_flat_as_brainio_writes_it(tmp_path):
    """An assembly in memory has a MultiIndex for each dimension; files have none."""
    made = truth()
    array = assembly(made).set_index(
        presentation=["stimulus_id", "repetition", "object_name"],
        neuroid=["neuroid_id", "region", "animal"],
    )
    flat = array.reset_index(list(array.indexes))
    found = load_population(written(flat, tmp_path / "it.nc"))
    assert np.array_equal(found.responses, by_name(found, made))


def test_older_files_have_other_names_and_the_dimensions_turned(tmp_path):
    made = truth()
    array = assembly(made, stimulus="image_id").transpose("neuroid", "presentation")
    array = array.rename(neuroid_id="neuroid_id_", region="region_")
    path = tmp_path / "old.nc"
    array.to_netcdf(path, engine="h5netcdf")  # a variable without a name
    found = load_population(path)
    assert np.array_equal(found.responses, by_name(found, made))
    assert found.regions[2] == "IT"


def test_time_bins_within_the_window_are_averaged(tmp_path):
    made = truth()
    path = written(assembly(made, bins=4), tmp_path / "it.nc")
    found = load_population(path)
    assert found.responses == pytest.approx(2 * by_name(found, made))  # bins 1 and 3
    assert found.notes == ("responses are means of 2 time bins within 70 to 170 ms",)
    early = load_population(path, window_ms=(70, 130))
    assert early.responses == pytest.approx(by_name(early, made))
    with pytest.raises(RecordingError, match="bins must be one or more within 80 to"):
        load_population(path, window_ms=(80, 100))


def test_missing_presentations_are_nan_and_uncounted_repeats_are_in_order(tmp_path):
    made = truth()
    array = assembly(made, order=np.arange(18)).isel(presentation=slice(1, None))
    found = load_population(written(array, tmp_path / "it.nc"))
    expected = by_name(found, made)
    gone = found.stimuli.index("im-0")
    assert np.isnan(found.responses[0, gone]).all()
    assert np.isnan(found.responses).sum() == UNITS
    assert np.nanmax(np.abs(found.responses - expected)) == 0
    plain = load_population(
        written(array.drop_vars("repetition"), tmp_path / "plain.nc")
    )
    assert np.isnan(plain.responses[2, gone]).all()
    assert np.array_equal(plain.responses[0, gone], made[1, 0])


def pictures(folder, kind="RGB"):
    """Write a picture of each stimulus, and return their code values."""
    folder.mkdir(exist_ok=True)
    levels = np.random.default_rng(3).integers(0, 256, (6, 5, 8), dtype=np.uint8)
    for name, each in zip(NAMES, levels, strict=True):
        Image.fromarray(each, "L").convert(kind).save(folder / f"{name}.png")
    return levels


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
@pytest.mark.parametrize("where", ["beside", "folder", "zip"])
def test_a_stimulus_set_has_pictures_and_objects(tmp_path, where):
    path = written(assembly(truth(), objects=False), tmp_path / "it.nc")
    levels = pictures(tmp_path if where == "beside" else tmp_path / "set")
    if where == "zip":
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            for name in NAMES:
                archive.write(tmp_path / "set" / f"{name}.png", f"{name}.png")
    table = pd.DataFrame({"stimulus_id": NAMES, "object_name": list("abcabc")})
    table["filename"] = [f"{name}.png" for name in NAMES]
    table.sample(frac=1, random_state=1).to_csv(tmp_path / "set.csv", index=False)
    found = load_population(path, stimuli=tmp_path / "set.csv", width_deg=8)
    order = [NAMES.index(name) for name in found.stimuli]
    assert found.pictures[:, 0] == pytest.approx(levels[order] / 127.5 - 1, abs=1e-6)
    assert found.objects == tuple("abcabc"[k] for k in order)
    assert found.deg_per_px == 1.0


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
def test_what_a_stimulus_set_lacks_is_said(tmp_path):
    path = written(assembly(truth()), tmp_path / "it.nc")
    table = tmp_path / "set.csv"
    pd.DataFrame({"stimulus_id": NAMES[1:]}).to_csv(table, index=False)
    with pytest.raises(RecordingError, match=r"none named 'im-0' \(1 missing\)"):
        load_population(path, stimuli=table)
    pd.DataFrame({"name": NAMES}).to_csv(table, index=False)
    with pytest.raises(RecordingError, match=r"set.csv must have stimulus_id, got"):
        load_population(path, stimuli=table)
    pd.DataFrame({"image_id": NAMES}).to_csv(table, index=False)
    assert load_population(path, stimuli=table).pictures is None
    pictures(tmp_path / "set")
    (tmp_path / "set" / "im-3.png").unlink()
    with pytest.raises(RecordingError, match=r"got none of 'im-3' \(1 missing\)"):
        load_population(path, stimuli=table)
    Image.new("L", (9, 9)).save(tmp_path / "set" / "im-3.png")
    with pytest.raises(RecordingError, match="of one size, got 8 x 5 and 9 x 9 px"):
        load_population(path, stimuli=table)
    broken = tmp_path / "set" / "im-3.png"
    for data in (b"text", (tmp_path / "set" / "im-2.png").read_bytes()[:40]):
        broken.write_bytes(data)
        with pytest.raises(RecordingError, match=r"im-3.png must be a picture that"):
            load_population(path, stimuli=table)
    with pytest.raises(RecordingError, match="a stimulus set must be a table"):
        load_population(path, stimuli=tmp_path / "gone.csv")


def test_other_files_and_layouts_are_refused(tmp_path):
    path = tmp_path / "it.nc"
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(RecordingError, match=r"it.nc must be a NetCDF-4 file, got"):
        load_population(path)
    array = assembly(truth())
    written(array.rename(neuroid="choice"), path)
    with pytest.raises(RecordingError, match=r"dimensions of it.nc must be pres"):
        load_population(path)
    written(array.drop_vars("stimulus_id"), path)
    with pytest.raises(RecordingError, match="must have stimulus_id or image_id, got"):
        load_population(path)


def test_without_xarray_it_says_what_to_install(tmp_path, monkeypatch):
    path = written(assembly(truth()), tmp_path / "it.nc")
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    sentence = r'NetCDF files need xarray and h5netcdf: pip install "yoked\[brain\]"'
    with pytest.raises(ModuleNotFoundError, match=sentence):
        load_population(path)
