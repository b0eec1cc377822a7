"""The human data of Thomas & Knoblauch (2005): a Gabor in time, in temporal noise.

One observer, 3,584 yes/no trials of 32 luminance samples in 640 ms. The signal had an
envelope of SD 160 ms over 4 SD, and two cycles of a sine; its strength is not in the
file, and a contrast is declared for it (`DECLARED_CONTRAST`). The samples of noise are
uniform in [-.3, .3). Every noise field was shown twice, 448 trials apart and with the
same target: a double pass.

References
----------
.. [1] Thomas & Knoblauch (2005), Frequency and phase contributions to the detection of
   temporal luminance modulation. J. Opt. Soc. Am. A 22, 2257-2261. Data: Gabor.rda of
   the R package MPDiR (CRAN, GPL-2), which its users download themselves.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..protocols.parts import (
    Block,
    Contrast,
    Display,
    DoublePass,
    Noise,
    Signal,
    Task,
    Timing,
)
from ..protocols.protocol import Protocol
from ..protocols.signal import signal_parameters
from ..stimulus.sources import StoredNoise
from ..store.rows import ObserverInfo
from ..store.sqlite import open_store
from ..store.text import utf8_text
from ..store.trial import Response, TrialSpec
from .same_trials import Imported, require_new
from .sessions import write_trials

SHA256 = "0c1af0c587640d5b32f6aa2b4a7eaabc89b0012ea4446b54ed024a7e84275c4e"
OBSERVER = "thomas-knoblauch2005-observer1"
N_SAMPLES, FRAME_MS = 32, 20.0
TRIALS_A_BLOCK = 224
_DURATION_S, _SIGMA_S, _CYCLES = 0.64, 0.16, 2
_NOMINAL_SD = 0.3 / np.sqrt(3)
# Of the signal's peak, which nobody published: where a template that knows the signal,
# with the observer's internal noise, has the observer's d'. d' = c |s| / (SD sqrt(1 +
# gamma^2)) with d' .961, gamma .910 and |s| 3.012 gives .0747. It was this or more, if
# the observer wasted any of it.
DECLARED_CONTRAST = 0.075
# What the file calls a trial's outcome: (target, response).
_OUTCOMES = {"H": (1, 1), "M": (1, 0), "FA": (0, 1), "CR": (0, 0)}


@dataclass(frozen=True, eq=False)
class GaborData:
    """The file's trials in order.

    Attributes
    ----------
    sha256
        What is in the file.
    is_pinned
        Whether it is byte for byte the published one.
    target, response
        1 for the signal, and for "yes".
    noise
        In contrast.
    """

    sha256: str
    is_pinned: bool
    target: Int[np.ndarray, " trial"]
    response: Int[np.ndarray, " trial"]
    noise: Float[np.ndarray, " trial sample"]


def read_gabor(path: str | Path, allow_unpublished: bool = False) -> GaborData:
    """Read Gabor.rda.

    Parameters
    ----------
    path
        The file, as CRAN has it in MPDiR's folder `data`.
    allow_unpublished
        Whether a file may be read that is not byte for byte the published one. Its
        structure is checked all the same.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If the package rdata is not installed.
    ValueError
        If the file was altered, or is not of this kind; one sentence.
    """
    path = Path(path)
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != SHA256 and not allow_unpublished:
        rule = f"the published Gabor.rda, SHA-256 {SHA256}"
        raise ValueError(f"{path.name} must be {rule}, got {sha256}")
    outcome, noise = _samples(path.name, content)
    known = np.array([_OUTCOMES.get(name, (-1, -1)) for name in outcome])
    if known.min(initial=0) < 0:
        wrong = int(np.flatnonzero(known[:, 0] < 0)[0])
        rule = "H, M, FA or CR"
        where = f"resp of trial {wrong + 1} in {path.name}"
        raise ValueError(f"{where} must be {rule}, got {outcome[wrong]!r}")
    return GaborData(sha256, sha256 == SHA256, known[:, 0], known[:, 1], noise)


def _samples(
    name: str, content: bytes
) -> tuple[list[str], Float[np.ndarray, " trial sample"]]:
    """Give the outcome and the noise of every trial; the file has a row a sample."""
    table = _table(name, content)
    missing = [c for c in ("resp", "time", "N") if c not in table]
    if missing:
        raise ValueError(f"{name} must have a column {missing[0]}, got none")
    n_trials, rest = divmod(len(table), N_SAMPLES)
    samples = np.arange(1, N_SAMPLES + 1).astype(str)
    times = np.asarray(table["time"].astype(str)).reshape(-1)
    if rest or not n_trials or (times != np.tile(samples, n_trials)).any():
        rule = f"{N_SAMPLES} rows a trial, times 1 to {N_SAMPLES} in order"
        raise ValueError(f"{name} must have {rule}, got {len(table)} rows")
    outcome = np.asarray(table["resp"].astype(str)).reshape(-1, N_SAMPLES)
    noise = table["N"].to_numpy(np.float64).reshape(-1, N_SAMPLES)
    if (outcome != outcome[:, :1]).any():
        wrong = int(np.flatnonzero((outcome != outcome[:, :1]).any(axis=1))[0])
        raise ValueError(f"trial {wrong + 1} in {name} must have one resp, got several")
    return outcome[:, 0].tolist(), noise


def _table(name: str, content: bytes) -> Any:
    try:
        import rdata
    except ModuleNotFoundError as error:
        message = 'R data files need rdata: pip install "yoked[data]"'
        raise ModuleNotFoundError(message, name="rdata") from error
    try:
        objects = rdata.conversion.convert(rdata.parser.parse_data(content))
    except Exception as error:  # whatever a file that is no R data makes rdata raise
        raise ValueError(f"{name} must be an R data file, got {error}") from error
    if "Gabor" not in objects:
        found = ", ".join(objects) or "none"
        raise ValueError(f"{name} must hold the data frame Gabor, got {found}")
    return objects["Gabor"]


def gabor_signal() -> Float[np.ndarray, " sample"]:
    """Give the signal in time: a sine of two cycles under a Gaussian, peak near 1.

    The samples are at 20, 40, ... 640 ms. This is the phase with which the class means
    of the file correlate by .9005 (signal present) and -.0577 (absent).

    Examples
    --------
    >>> gabor_signal()[[3, 15, 19]].round(3).tolist()
    [0.325, -0.0, 0.882]
    """
    time = np.arange(1, N_SAMPLES + 1) * FRAME_MS / 1000
    envelope = np.exp(-0.5 * ((time - _DURATION_S / 2) / _SIGMA_S) ** 2)
    return envelope * np.sin(2 * np.pi * _CYCLES * time / _DURATION_S)


def _repeats(data: GaborData) -> list[int | None]:
    """Find the trial whose noise and target each trial shows again.

    The file does not name the second showings; 32 samples that are all equal do.
    """
    first: dict[tuple[bytes, int], int] = {}
    found = []
    for trial, noise in enumerate(data.noise):
        shown = first.setdefault((noise.tobytes(), int(data.target[trial])), trial)
        found.append(None if shown == trial else shown)
    return found


def _protocol(data: GaborData, n_pairs: int) -> Protocol:
    """Describe what was shown: one sample of luminance a frame, nothing in space."""
    signal = gabor_signal()
    values = np.round(signal / np.abs(signal).max(), 9)
    whole, rest = divmod(len(data.target), TRIALS_A_BLOCK)
    blocks = (Block("main", TRIALS_A_BLOCK, whole),) if whole else ()
    return Protocol(
        name="gabor-in-time",
        title="Was there a flicker?",
        task=Task("yes_no", ("no", "yes")),
        # A Gaussian patch of SD 2.5 degrees on the screen, which never changed.
        display=Display(deg_per_element=2.5),
        noise=Noise(
            "uniform", float(f"{_NOMINAL_SD:.4g}"), (N_SAMPLES, 1, 1), "stored"
        ),
        signal=Signal("array", values=tuple(values.tolist())),
        contrast=Contrast(
            (DECLARED_CONTRAST,), keep_correct=(0.0, 1.0), unit="declared"
        ),
        blocks=(*blocks, Block("main", rest)) if rest else blocks,
        timing=Timing(interval_ms=1000 * _DURATION_S, frame_ms=FRAME_MS),
        double_pass=DoublePass(n_pairs, min_gap=1),
    )


def import_gabor(
    path: str | Path, db_path: str | Path, allow_unpublished: bool = False
) -> str:
    """Write the observer of Gabor.rda into a database, as a finished session.

    Contrast is .075 in every trial, and declared: the signal's strength was not
    published with the data. So models can be yoked to the session.

    Arguments, result and errors are those of `murray2015.import_murray2015`, and:

    Raises
    ------
    ModuleNotFoundError
        If the package rdata is not installed.
    ValueError
        Also if the file was imported before.
    """
    data = read_gabor(path, allow_unpublished)
    repeats = _repeats(data)
    protocol = _protocol(data, sum(first is not None for first in repeats))
    shown = [trial for trial, first in enumerate(repeats) if first is None]
    trials = _trials(data, protocol, repeats, shown)
    source = {
        "file": utf8_text(Path(path).name),
        "sha256": data.sha256,
        "published": data.is_pinned,
    }
    name = OBSERVER if data.is_pinned else f"{OBSERVER}-altered"
    store = open_store(db_path)
    try:
        with store.transaction():
            sha256 = store.add_noise(data.noise[shown][:, None, :, None, None])
            noise = StoredNoise(store.noise(sha256))
            new = Imported.of(name, False, noise, 1, trials)
            (notes,) = require_new(store, [new], f"{StoredNoise.name}:{sha256}")
            observer = ObserverInfo("person", name, source)
            event = {**source, "notes": list(notes)}
            return write_trials(store, protocol, observer, trials, event, sha256)
    finally:
        store.close()


def _trials(
    data: GaborData, protocol: Protocol, repeats: list[int | None], shown: list[int]
) -> list[tuple[TrialSpec, Response]]:
    stimulus_id = {trial: number for number, trial in enumerate(shown)}
    signal = signal_parameters(protocol)
    trials = []
    for trial, first in enumerate(repeats):
        spec = TrialSpec(
            trial=trial,
            block=trial // TRIALS_A_BLOCK,
            block_kind="main",
            condition="main",
            stimulus_id=stimulus_id[trial if first is None else first],
            pass_=1 if first is None else 2,
            repeats=first,
            contrast=DECLARED_CONTRAST,
            target=int(data.target[trial]),
            signal=signal,
        )
        trials.append((spec, Response(int(data.response[trial]))))
    return trials
