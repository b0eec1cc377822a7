"""Responses laid out as Brain-Score's assemblies: arrays with named axes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .stimuli import Presented
from .time_bins import Bins

if TYPE_CHECKING:
    import xarray

NO_XARRAY = 'assemblies need xarray and h5netcdf: pip install "yoked[brain]"'
Axes = Mapping[str, Mapping[str, np.ndarray]]  # of each dimension its coordinates


def assembly(
    values: np.ndarray,
    axes: Axes,
    attrs: Mapping[str, Any],
    choices: Sequence[Any] | None = None,
) -> "xarray.DataArray":
    """Lay values out, the coordinates of each axis as levels of its MultiIndex.

    Parameters
    ----------
    values
        One axis for each of `axes`, in its order.
    axes
        Of each dimension its coordinates; none for a dimension without.
    attrs
        What is to be known of all.
    choices
        Names along `choice`, whose one coordinate is its index.

    Raises
    ------
    ModuleNotFoundError
        If xarray is not installed.
    """
    try:
        import xarray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_XARRAY, name=error.name) from error
    coords = {
        name: (dim, column) for dim, of in axes.items() for name, column in of.items()
    }
    made = xarray.DataArray(values, coords, list(axes), attrs=dict(attrs))
    levels = {dim: list(of) for dim, of in axes.items() if of}
    made = made.set_index(levels)
    return made if choices is None else made.assign_coords(choice=list(choices))


def of_presentations(shown: Presented) -> dict[str, np.ndarray]:
    """Give the coordinates of presentations: all columns of the stimulus set."""
    return dict(shown.columns)


def of_neuroids(
    model: str, region: str, widths: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Give the coordinates of the units of some layers, one layer after the other."""
    layers = [name for name, width in widths.items() for _ in range(width)]
    numbers = [k for width in widths.values() for k in range(width)]
    names = [f"{model}.{a}.{k}" for a, k in zip(layers, numbers, strict=True)]
    return {
        "neuroid_id": np.array(names, object),
        "neuroid_num": np.array(numbers),
        "model": np.array([model] * len(names), object),
        "layer": np.array(layers, object),
        "region": np.array([region] * len(names), object),
    }


def of_time_bins(bins: Bins) -> dict[str, np.ndarray]:
    """Give the coordinates of time bins, whole numbers where they are."""
    both = np.array(bins, float)
    if (both == both.round()).all():
        both = both.astype(np.int64)
    return {"time_bin_start": both[:, 0], "time_bin_end": both[:, 1]}


def write_assembly(made: "xarray.DataArray", path: Path) -> None:
    """Write an assembly as NetCDF in BrainIO's layout: coordinates along its axes.

    Parameters
    ----------
    path
        The file, which is written anew. Texts and numbers stay; of what is neither the
        text is written.

    Raises
    ------
    ModuleNotFoundError
        If h5netcdf is not installed.
    """
    try:
        import h5netcdf  # noqa: F401  # what xarray writes the file with
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_XARRAY, name=error.name) from error
    plain = made.reset_index([dim for dim in made.dims if dim != "choice"])
    for name, column in plain.coords.items():
        if column.dtype.kind == "O":
            texts = np.array([_text(each) for each in column.values], object)
            plain = plain.assign_coords({name: (column.dims, texts)})
    if plain.dtype.kind in "OU":
        plain = plain.copy(data=np.array(plain.values, object))
    plain.rename("data").to_netcdf(path, engine="h5netcdf")


def _text(value: object) -> str:
    """Give a text as it is; what is missing is no text."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(value)
