"""Columns of a text table (CSV), as the plain format of recordings has them."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..protocols.checks import suggestion
from .recording import RecordingError


def read_columns(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read the texts of a table's columns, which are these and no others.

    Raises
    ------
    RecordingError
        If the file is not there, is no CSV table in UTF-8, or has other columns.
    """
    import pandas as pd

    options: dict[str, Any] = {"dtype": str, "keep_default_na": False}
    options |= {"encoding": "utf-8-sig", "index_col": False, "skipinitialspace": True}
    try:
        with warnings.catch_warnings():  # pandas cuts rows that are too long, and warns
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, **options)
    except FileNotFoundError:
        raise RecordingError(f"{path.name} must be a file, got none") from None
    except (ValueError, OSError, pd.errors.ParserWarning) as error:
        got = str(error).strip()
        raise RecordingError(f"{path.name} must be a CSV table, got {got}") from error
    found = [str(name).strip() for name in table.columns]
    for name in found:
        if name not in names:
            rule = f"one of {', '.join(names)}"
            near = suggestion(name, names)
            raise RecordingError(
                f"a column of {path.name} must be {rule}, got {name!r}{near}"
            )
    for name in names:
        if name not in found:
            rule, got = f"have a column {name}", ", ".join(found)
            raise RecordingError(f"{path.name} must {rule}, got {got}")
    # To objects: pandas' own texts would be compared far more slowly.
    return {n: table.iloc[:, found.index(n)].to_numpy(dtype=object) for n in names}


def numbers(path: Path, name: str, texts: np.ndarray) -> Float[np.ndarray, " row"]:
    """Give a column as finite numbers.

    Raises
    ------
    RecordingError
        If a cell is none; its row is said, the first below the header being 1.
    """
    import pandas as pd

    series = pd.Series(texts, dtype=object)
    values = np.asarray(pd.to_numeric(series, errors="coerce"), dtype=np.float64)
    _refuse_any(path, name, "a finite number", texts, ~np.isfinite(values))
    return values


def whole_numbers(path: Path, name: str, texts: np.ndarray) -> Int[np.ndarray, " row"]:
    """Give a column as whole numbers from 0; errors as in `numbers`."""
    values = numbers(path, name, texts)
    wrong = (values < 0) | (values != np.floor(values)) | (values > 2**31)
    _refuse_any(path, name, "a whole number from 0", texts, wrong)
    return values.astype(np.int64)


def places(
    path: Path, name: str, texts: np.ndarray, known: Sequence[str]
) -> Int[np.ndarray, " row"]:
    """Give where each cell of a column is among the known ones.

    Raises
    ------
    RecordingError
        If one is not among them.
    """
    place = {text: at for at, text in enumerate(known)}
    found = np.array(
        [place.get(str(text).strip(), -1) for text in texts], dtype=np.int64
    )
    rule = f"one of {', '.join(known)}"
    _refuse_any(path, name, rule, texts, found < 0, known)
    return found


def _refuse_any(
    path: Path,
    name: str,
    rule: str,
    texts: np.ndarray,
    wrong: np.ndarray,
    known: Sequence[str] = (),
) -> None:
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        where, near = f"{name} in row {at + 1} of {path.name}", ""
        if known:
            near = suggestion(str(texts[at]), known)
        raise RecordingError(f"{where} must be {rule}, got {texts[at]!r}{near}")
