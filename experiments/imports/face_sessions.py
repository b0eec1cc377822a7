"""Reverse correlation with faces as sessions: which of two pictures looks more X.

Original and inverted are the two alternatives, 0 and 1, and no answer is correct. The
coefficients of the noise go into the trial log as they were, with the base picture.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..protocols.checks import ProtocolError
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
from ..protocols.signal import plain_signal
from ..stimulus.stored_coefficients import StoredCoefficients
from ..store.rows import ObserverInfo
from ..store.sqlite import Store, open_store
from ..store.trial import Response, TrialSpec
from .face_choices import Choices, FaceSettings, read_choices
from .face_stimuli import FaceStimuli
from .same_trials import Imported, require_new
from .sessions import write_trials
from .table_file import TrialFile

_SIGNAL = Signal("unknown")
_MANY = 0.95  # of the responses: then the noise has little to do with them


@dataclass(frozen=True)
class FaceSession:
    """One observer of an imported experiment, as it was written.

    Attributes
    ----------
    session
        Its id.
    observer, condition
        Who, and what was asked, where the table says so.
    protocol
        Name of the protocol.
    n_trials, n_pairs, n_missing
        Trials; those that show a stimulus again; those without a response.
    chose_original
        Share of the responses.
    notes
        What the analysis should know, a sentence each.
    """

    session: str
    observer: str
    condition: str
    protocol: str
    n_trials: int
    n_pairs: int
    n_missing: int
    chose_original: float
    notes: tuple[str, ...]


def import_faces(
    stimuli: FaceStimuli,
    responses: str | Path,
    db_path: str | Path,
    settings: FaceSettings,
) -> list[FaceSession]:
    """Write the observers of an experiment into a database, as finished sessions.

    Parameters
    ----------
    stimuli
        What `rcicr_file.read_rcicr` or `rcpyci_file.read_rcpyci` has read.
    responses
        A table with a row for each trial, as docs/importing.md describes.
    db_path
        The trial log; made if there is none.
    settings
        What the table does not say.

    Returns
    -------
    list
        One session for each observer and condition, in the order of the table.

    Raises
    ------
    FileNotFoundError
        If the table is missing.
    ValueError
        If it is not as it must be, or its trials are in the database already; one
        sentence. Nothing is written then.
    """
    table, found = read_choices(responses, settings, len(stimuli.parameters))
    noise = stimuli.noise()
    store = open_store(db_path)
    try:
        with store.transaction():
            sha256 = store.add_noise(stimuli.coefficients())
            return [
                _written(store, each, stimuli, table, settings, noise, sha256)
                for each in found
            ]
    except ProtocolError as error:
        raise ValueError(str(error)) from error
    finally:
        store.close()


def _written(
    store: Store,
    choices: Choices,
    stimuli: FaceStimuli,
    table: TrialFile,
    settings: FaceSettings,
    noise: Noise,
    sha256: str,
) -> FaceSession:
    trials = _trials(choices)
    given = Counter(response.response for _, response in trials)
    n = given[0] + given[1]
    if not n:
        where = f"responses of {choices.observer} in {table.name}"
        raise ValueError(f"{where} must be there in some trial, got none")
    protocol = _protocol(choices, stimuli, settings, noise, trials)
    shown = StoredCoefficients(protocol, store.noise(sha256))
    is_named = (
        settings.observer is not None or choices.observer != Path(table.name).stem
    )
    new = Imported.of(choices.observer, is_named, shown, 2, trials)
    (same,) = require_new(store, [new], f"{StoredCoefficients.name}:{sha256}")
    notes = (*_notes(given[0] / n), *same)
    event = {
        "file": table.name,
        "sha256": table.sha256,
        "stimuli": stimuli.file,
        "stimuli_sha256": stimuli.sha256,
        **stimuli.details,
        "columns": dict(settings.columns),
        "notes": list(notes),
    }
    observer = ObserverInfo("person", choices.observer)
    session = write_trials(store, protocol, observer, trials, event, sha256)
    return FaceSession(
        session=session,
        observer=choices.observer,
        condition=choices.condition,
        protocol=protocol.name,
        n_trials=len(trials),
        n_pairs=sum(spec.repeats is not None for spec, _ in trials),
        n_missing=given[None],
        chose_original=given[0] / n,
        notes=notes,
    )


def _trials(choices: Choices) -> list[tuple[TrialSpec, Response]]:
    """Number the trials; a stimulus that comes again repeats its first showing."""
    first: dict[int, int] = {}
    showings: Counter[int] = Counter()
    trials = []
    for number, choice in enumerate(choices.trials):
        showings[choice.stimulus_id] += 1
        shown = first.setdefault(choice.stimulus_id, number)
        spec = TrialSpec(
            trial=number,
            block=0,
            block_kind="main",
            condition=choices.condition or "main",
            stimulus_id=choice.stimulus_id,
            pass_=showings[choice.stimulus_id],
            repeats=None if shown == number else shown,
            contrast=0.0,
            target=0,
            signal=plain_signal(_SIGNAL),
        )
        trials.append((spec, Response(choice.response, rt_ms=choice.rt_ms)))
    return trials


def _protocol(
    choices: Choices,
    stimuli: FaceStimuli,
    settings: FaceSettings,
    noise: Noise,
    trials: list[tuple[TrialSpec, Response]],
) -> Protocol:
    """Describe what one observer was shown, and asked."""
    name = settings.name or Path(stimuli.file).stem
    asked = f"Imported: {name}"
    return Protocol(
        name=name,
        title=f"{asked}, {choices.condition}" if choices.condition else asked,
        task=Task("2afc", ("original", "inverted"), has_target=False),
        display=Display(float(settings.deg_per_element)),
        noise=noise,
        signal=_SIGNAL,
        contrast=Contrast((0.0,), keep_correct=(0.0, 1.0)),
        blocks=(Block("main", len(trials)),),
        timing=Timing(response_ms=0.0),
        double_pass=DoublePass(
            sum(spec.repeats is not None for spec, _ in trials), min_gap=1
        ),
    )


def _notes(chose_original: float) -> list[str]:
    if max(chose_original, 1 - chose_original) < _MANY:
        return []
    which = "original" if chose_original >= _MANY else "inverted"
    share = max(chose_original, 1 - chose_original)
    return [
        f"{share:.0%} of the responses are {which}: are they coded as they should be?"
    ]
