"""Writers of one table in every layout that real files have."""

import numpy as np
import pandas as pd
import pytest

N_INTERVALS = 2


def text(separator=",", decimal=".", ending=".csv", encoding="utf-8", **how):
    """Return a writer of a text of that kind."""

    def write(table, noise, folder):
        path = folder / f"ann{ending}"
        content = table.to_csv(None, sep=separator, decimal=decimal, **how)
        path.write_bytes(content.encode(encoding))
        return path, {"noise": noise}

    return write


def plain(table, noise, folder):
    return text(index=False)(table, noise, folder)


def capitals(table, noise, folder):
    named = {name: name.replace("_", " ").title() for name in table}
    return plain(table.rename(columns=named), noise, folder)


def metadata(table, noise, folder):
    path, how = text(";", ",", index=False)(table, noise, folder)
    above = "Experiment;bars in noise\nrecorded, in;Lyon\n\n# trials\n"
    path.write_text(above + path.read_text(), newline="")
    return path, how


def points_for_nothing(table, noise, folder):
    return text(index=False, na_rep=".")(table, noise, folder)


def percent_signs(table, noise, folder):
    shown = [f"{100 * c:g} %" for c in table["contrast"]]
    return plain(table.assign(contrast=shown), noise, folder)


def percent(table, noise, folder):
    path, how = plain(table.assign(contrast=100 * table["contrast"]), noise, folder)
    return path, how | {"is_contrast_percent": True}


def all_percent(table, noise, folder):
    path, _ = plain(table.assign(contrast=100 * table["contrast"]), noise, folder)
    return path, {"noise": 100 * noise, "contrast_scale": 0.01}


def row_names_of_r(table, noise, folder):
    """As R's write.table does: spaces, quotes, and rows whose names have no name."""
    path, how = text(" ", quoting=2, na_rep="NA")(table, noise, folder)
    header, _, rows = path.read_text().partition("\n")
    path = path.rename(folder / "ann.txt")
    path.write_text(header.removeprefix('"" ') + "\n" + rows)
    return path, how


def wide(table, noise, folder):
    flat = noise[table["stimulus_id"]].reshape(len(table), N_INTERVALS, -1)
    more = {
        f"Noise_{k}_{e}": flat[:, k, e]
        for k in range(N_INTERVALS)
        for e in range(flat.shape[2])
    }
    table = pd.concat([table.drop(columns="stimulus_id"), pd.DataFrame(more)], axis=1)
    path, _ = text(";", ",", index=False)(table, noise, folder)
    return path, {"noise_columns": "noise_"}


def _by_interval(table, noise):
    """Return a row for each interval: chosen or not, its target or not, its noise."""
    rows = []
    for row in table.to_dict("records"):
        for k in range(N_INTERVALS):
            is_target = int(row["target"] == k)
            own = {"interval": k + 1, "target": is_target}
            own["contrast"] = row["contrast"] * is_target
            own["picked"] = int(row["response"] == k)
            field = noise[row["stimulus_id"], k].ravel().astype(float)
            rows.append({**row, **own, "field": field})
    return pd.DataFrame(rows).drop(columns=["response", "stimulus_id"])


def chosen(table, noise, folder):
    rows = _by_interval(table, noise)
    fields = pd.DataFrame(np.stack(rows.pop("field"))).add_prefix("noise_")
    rows = pd.concat([rows, fields], axis=1).sample(frac=1, random_state=1)
    path, _ = plain(rows, noise, folder)
    return path, {"noise_columns": "noise_", "columns": {"chosen": "picked"}}


def chosen_by_id(table, noise, folder):
    rows = _by_interval(table, noise)
    fields = np.stack(rows.pop("field"))
    order = np.random.default_rng(1).permutation(len(rows))
    rows["stimulus_id"] = np.argsort(order)
    path, _ = plain(rows, noise, folder)
    return path, {"noise": fields[order], "columns": {"chosen": "picked"}}


def chosen_of_pair(table, noise, folder):
    """The noise's array has both intervals of each stimulus."""
    rows = _by_interval(table, noise).drop(columns="field")
    rows["stimulus_id"] = np.repeat(table["stimulus_id"].to_numpy(), N_INTERVALS)
    path, _ = plain(rows, noise, folder)
    return path, {"noise": noise, "columns": {"chosen": "picked"}}


def features(table, noise, folder):
    """One row for each element of each interval of each trial."""
    rows = _by_interval(table, noise)
    n = len(rows["field"].iloc[0])
    long = rows.explode("field").rename(columns={"field": "pitch"})
    long["segment"] = np.tile(np.arange(1, n + 1), len(rows))
    path, _ = plain(long.sample(frac=1, random_state=2), noise, folder)
    named = {"chosen": "picked", "element": "segment"}
    return path, {"noise_values": "pitch", "columns": named}


def features_apart(table, noise, folder):
    """The noise is a table of its own: stimulus, interval, segment, value."""
    index = np.indices(noise.reshape(len(noise), N_INTERVALS, -1).shape)
    columns = dict(zip(("Stimulus", "Interval", "Segment"), index, strict=True))
    long = pd.DataFrame({name: each.ravel() for name, each in columns.items()})
    long["Value"] = noise.ravel().astype(float)
    long.to_csv(folder / "noise.csv", index=False, sep=";", decimal=",")
    path, _ = plain(table, noise, folder)
    return path, {"noise": folder / "noise.csv"}


def side_by_side(table, noise, folder):
    path, _ = plain(table, noise, folder)
    field = np.concatenate([noise[:, k] for k in range(N_INTERVALS)], axis=-1)
    return path, {"noise": field[:, 0], "is_side_by_side": True}


def excel(table, noise, folder):
    pytest.importorskip("openpyxl")
    path = folder / "ann.xlsx"
    with pd.ExcelWriter(path) as book:
        table.to_excel(book, startrow=3, sheet_name="trials")
    return path, {"noise": noise}


def excel_with_sheets(table, noise, folder):
    pytest.importorskip("openpyxl")
    path = folder / "ann.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"about": ["bars"]}).to_excel(book, sheet_name="notes")
        table.to_excel(book, sheet_name="trials", index=False)
    return path, {"noise": noise, "part": "trials"}


def parquet(table, noise, folder):
    pytest.importorskip("pyarrow")
    path = folder / "ann.parquet"
    table.to_parquet(path)
    return path, {"noise": noise}


def _of_r(table):
    rdata = pytest.importorskip("rdata")
    frame = table.rename(columns=lambda name: name.replace("_", "."))
    repeats = frame["repeats"].astype(float).to_numpy()
    frame = frame.astype({c: float for c in ("contrast",)}).assign(repeats=repeats)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return rdata, frame


def rda(table, noise, folder):
    rdata, frame = _of_r(table)
    path = folder / "ann.rda"
    rdata.write_rda(path, {"trials": frame, "noise": noise.astype(float)})
    return path, {"noise": path}


def rds(table, noise, folder):
    rdata, frame = _of_r(table)
    path = folder / "ann.rds"
    rdata.write_rds(path, frame)
    return path, {"noise": noise}


def _for_matlab(table):
    return {name: table[name].astype(float).to_numpy()[:, None] for name in table}


def matlab_struct(table, noise, folder):
    from scipy.io import savemat

    path = folder / "ann.mat"
    savemat(path, {"trials": _for_matlab(table), "noise": noise.astype(float)})
    return path, {"noise": path}


def matlab_vectors(table, noise, folder):
    from scipy.io import savemat

    path = folder / "ann.mat"
    held = {"fs": 60.0, "noise": noise.astype(float)}
    savemat(path, {**_for_matlab(table), **held})
    return path, {"noise": path}


def matlab_rows(table, noise, folder):
    """A struct array: one struct for each trial."""
    from scipy.io import savemat

    path = folder / "ann.mat"
    numbers = table.astype(float)
    rows = np.array([tuple(r) for r in numbers.to_numpy()], [(c, "O") for c in table])
    savemat(path, {"trials": rows})
    return path, {"noise": noise}


def matlab_73(table, noise, folder):
    """As MATLAB's `save -v7.3`: HDF5 behind 512 bytes, axes the other way round."""
    h5py = pytest.importorskip("h5py")
    path = folder / "ann.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("trials")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        for name, column in _for_matlab(table).items():
            group.create_dataset(name, data=column.T)
        file.create_dataset("noise", data=noise.astype(float).T)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512))
    return path, {"noise": path}


LAYOUTS = {
    "tabs": text("\t", ending=".tsv", index=False),
    "semicolons and decimal commas": text(";", ",", index=False),
    "bars between cells": text("|", ending=".txt", index=False),
    "spaces between cells": text(" ", ending=".dat", index=False, na_rep="NA"),
    "an index without a name": text(),
    "UTF-16": text("\t", ending=".txt", encoding="utf-16", index=False),
    "a byte order mark": text(encoding="utf-8-sig", index=False),
    "Windows' line ends": text(lineterminator="\r\n", index=False),
    "all quoted": text(index=False, quoting=1),
    "capitals and spaces": capitals,
    "metadata above the header": metadata,
    "a point for nothing": points_for_nothing,
    "percent signs": percent_signs,
    "percent": percent,
    "percent in the noise too": all_percent,
    "R's write.table": row_names_of_r,
    "noise in columns": wide,
    "chosen or not": chosen,
    "chosen, fields by id": chosen_by_id,
    "chosen, fields in pairs": chosen_of_pair,
    "a row for each feature": features,
    "features in a file of their own": features_apart,
    "side by side": side_by_side,
    "Excel": excel,
    "a sheet of Excel": excel_with_sheets,
    "Parquet": parquet,
    "an .rda": rda,
    "an .rds": rds,
    "a MATLAB struct": matlab_struct,
    "MATLAB vectors": matlab_vectors,
    "a MATLAB struct array": matlab_rows,
    "MATLAB 7.3": matlab_73,
}
