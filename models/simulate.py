"""The models' presenter: a model takes part in a protocol, like a person."""

import inspect
import warnings
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiments.protocols.protocol import Protocol
from ..experiments.session.observer import (
    Frames,
    Observer,
    ObserverNoise,
    Practice,
    Viewing,
    optional,
)
from ..experiments.stimulus.render import digests
from ..experiments.stimulus.seeds import derived_seed
from ..experiments.store.trial_batch import TrialColumns
from .decision import (
    BATCH,
    Decision,
    batch_of,
    calibrate,
    checked_variables,
    rehearse,
    require_criterion,
)
from .runnable import what_to_run

if TYPE_CHECKING:  # these bring the database, which a model does not need
    from ..experiments.session.results import SessionData
    from ..experiments.session.session import Session
    from ..experiments.store.sqlite import Store

# Stage ('training' or 'trials'), how many done, how many in all.
Progress = Callable[[str, int, int], None]
# Responses are stored together, since each time waits for the disk, but not for long:
# what is lost when the power fails was made in this time.
_WRITTEN_EVERY_S = 0.25
_MOST_AT_ONCE = 8192


def run(
    protocol: Protocol | None = None,
    observer: Observer | None = None,
    *,
    store: "Store | str | Path | None" = None,
    seed: int | None = None,
    internal_noise: float = 0.0,
    repeatable_noise: float = 0.0,
    criterion: float | None = None,
    trials: int | None = None,
    contrast: float | None = None,
    yoke_to: "SessionData | str | None" = None,
    observer_seed: int | None = None,
    progress: Progress | None = None,
    batch: int = BATCH,
) -> "SessionData":
    """Let a model take part: the trials, noise and log that a person gets.

    The observer is prepared, learns if it can, is calibrated on reserved trials
    (`models.decision`), and responses. Trials are stored in batches: after an interrupt
    those that have a response stay, and the session stays unfinished.

    Parameters
    ----------
    protocol
        What to run; None in a yoked session, which takes its source's.
    observer
        Anything with `name`, `prepare` and `decide`.
    store
        The trial log: an open one, or the path of its file, which is made if there is
        none. By default the session is kept in memory only.
    seed
        Of stimuli and schedule; by default one that cannot be guessed. A yoked session
        has its source's, and here only the observer's noise depends on it.
    internal_noise
        gamma, internal / external SD ratio per interval at the decision variable.
    repeatable_noise
        SD, in the unit of gamma, of noise that is the same at each showing of a
        stimulus: it costs accuracy and no agreement (`yoked.match_noise` finds both).
    criterion
        Bias in yes/no and rating, in SDs of the decision variable; unbiased by default.
    trials, contrast
        Main trials, and one contrast for all of them, in place of the protocol's.
    yoke_to
        A finished session, as `load_session` or `run` gave it, whose trials are shown
        again; or the id of one in `store`.
    observer_seed
        Of the observer's own noise, to repeat a session exactly in another log. By
        default derived from `seed` and observer, and that of no other session in
        `store`; so it is where a session is started again with half the batch.
    progress
        Called with the stage ('training' or 'trials'), how many are done and how many
        there are.
    batch
        Most trials at once; the results do not depend on it. An observer with a
        `batch` of its own gets multiples of that, one at least.

    Returns
    -------
    SessionData
        As `load_session` gives it.

    Raises
    ------
    ValueError
        If options contradict each other, or the observer's decision variables are not
        finite or of the wrong shape.
    LookupError
        If there is no session to be yoked to.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> from yoked.models.observers.template import Template
    >>> protocol = load_protocol("bar-in-noise")
    >>> session = run(protocol, Template(), seed=1, trials=200, contrast=0.227)
    >>> len(session.counted), session.status
    (200, 'finished')
    """
    from ..experiments.session.results import session_data
    from ..experiments.session.session import SeedTaken
    from ..experiments.store.sqlite import open_store

    if batch < 1:
        raise ValueError(f"batch must be 1 or more, got {batch}")
    if observer is None:
        raise ValueError("observer must be given, got None")
    if store is None:
        return _run_in_memory(
            protocol,
            observer,
            yoke_to,
            seed=seed,
            internal_noise=internal_noise,
            repeatable_noise=repeatable_noise,
            criterion=criterion,
            trials=trials,
            contrast=contrast,
            observer_seed=observer_seed,
            progress=progress,
            batch=batch,
        )
    yoke_to = yoke_to if yoke_to is None or isinstance(yoke_to, str) else yoke_to.id
    with ExitStack() as stack:
        if isinstance(store, str | Path):
            store = open_store(store)
            stack.callback(store.close)
        protocol, seed, source = what_to_run(
            store, protocol, seed, yoke_to, trials, contrast
        )
        require_criterion(criterion, protocol.task)
        practice = Practice(protocol, source)
        teach(observer, practice, progress)
        noises = internal_noise, repeatable_noise
        parameters = parameters_of(observer, *noises, criterion)
        while True:
            own = observer_seed
            if own is None:
                own = _own_seed(store, seed, observer, parameters, yoke_to)
            rehearse(observer, practice, own)
            decision = calibrate(
                observer,
                practice,
                own,
                internal_noise,
                criterion,
                repeatable_noise=repeatable_noise,
            )
            try:
                session = _start(
                    store, protocol, observer, parameters, seed, own, yoke_to
                )
            except SeedTaken:  # by another process, since it was derived
                if observer_seed is not None:
                    raise
                continue
            store.add_event(session.id, "decision", _described(decision))
            try:
                shown = _respond_to_all(session, observer, decision, batch, progress)
            except MemoryError as error:
                _start_smaller(store, session, observer, error)
                observer_seed = None  # that one is the unfinished session's
                continue
            session.finish()
            return session_data(store, session.id, shown)


def _run_in_memory(
    protocol: Protocol | None,
    observer: Observer,
    yoke_to: "SessionData | str | None",
    **options: Any,
) -> "SessionData":
    """Run without a trial log; a session to be yoked to comes along."""
    from ..experiments.session.copied import copy_session
    from ..experiments.store.sqlite import open_store

    if isinstance(yoke_to, str):
        raise ValueError(
            f"yoke_to must be a session, or come with a store, got {yoke_to!r} alone"
        )
    with closing(open_store(":memory:")) as store:
        if yoke_to is None:
            return run(protocol, observer, store=store, **options)
        copy_session(yoke_to, store)
        made = run(protocol, observer, store=store, yoke_to=yoke_to.id, **options)
    first = yoke_to.yoked_to or yoke_to.id  # whose trials they were
    # The same noise, which can be read when this log is closed.
    return replace(made, row=replace(made.row, yoked_to=first), noise=yoke_to.noise)


def teach(
    observer: Observer, practice: Practice, progress: Progress | None = None
) -> None:
    """Prepare an observer for a protocol's viewing, and let it learn if it can.

    Parameters
    ----------
    observer
        Its `learn`, if it has one, is called every time; one that knows the stimuli
        returns at once. Where it takes `progress`, it is given one.
    practice
        The task to come.
    progress
        As in `run`; the stage is 'training'.
    """
    observer.prepare(Viewing.of(practice.protocol))
    learn = optional(observer, "learn")
    if learn is None:
        return
    if progress is None or "progress" not in inspect.signature(learn).parameters:
        learn(practice)
        return
    learn(practice, progress=lambda done, n: progress("training", done, n))


def respond(
    trials: TrialColumns,
    session: "Session",
    observer: Observer,
    decision: Decision,
) -> TrialColumns:
    """Show trials to an observer, and give them with its responses."""
    assert session.observer_seed is not None
    frames = session.frames(trials, optional(observer, "device"))
    noise = ObserverNoise(session.observer_seed, np.asarray(trials["trial"]))
    task = session.protocol.task
    variables = checked_variables(observer, frames, noise, task)
    ids = np.asarray(trials["stimulus_id"], np.int64)
    responses, noisy = decision.respond(variables, noise, ids)
    return trials.responded(
        response=responses, decision_variables=noisy, digest=digests(_fetched(frames))
    )


def _fetched(frames: Frames) -> np.ndarray:
    """Give frames as an array, wherever they are."""
    return frames if isinstance(frames, np.ndarray) else frames.cpu().numpy()


def _respond_to_all(
    session: "Session",
    observer: Observer,
    decision: Decision,
    batch: int,
    progress: Progress | None,
) -> list[TrialColumns]:
    """Respond to trial after trial; what has a response stays, whatever happens."""
    recorded: list[TrialColumns] = []
    batch = batch_of(observer, batch)
    while (due := session.next_columns(_MOST_AT_ONCE)).n:
        given: list[TrialColumns] = []
        until = monotonic() + _WRITTEN_EVERY_S
        try:
            for first in range(0, due.n, batch):
                part = due.part(first, first + batch)
                given.append(respond(part, session, observer, decision))
                if progress is not None:
                    n_done = session.n_recorded + first + part.n
                    progress("trials", n_done, session.n_planned)
                if monotonic() > until:
                    break
        finally:
            if given:
                recorded.append(session.record_columns(TrialColumns.joined(given)))
    return recorded


def parameters_of(
    observer: Observer,
    internal_noise: float,
    repeatable_noise: float,
    criterion: float | None,
) -> dict[str, Any]:
    """Give what the log keeps of the observer and of how it decides."""
    own = dict(optional(observer, "parameters"))
    own["internal_noise"] = float(internal_noise)
    if repeatable_noise:
        own["repeatable_noise"] = float(repeatable_noise)
    return own if criterion is None else {**own, "criterion": float(criterion)}


def _own_seed(
    store: "Store",
    seed: int,
    observer: Observer,
    parameters: dict[str, Any],
    yoke_to: str | None,
) -> int:
    """Derive the observer's seed: never the stimulus's, nor any other session's."""
    taken = {seed} | {row.seed for row in store.sessions()} | store.observer_seeds()
    return derived_seed(
        "observer", seed, observer.name, parameters, yoke_to, taken=taken
    )


def _start(
    store: "Store",
    protocol: Protocol,
    observer: Observer,
    parameters: dict[str, Any],
    seed: int,
    observer_seed: int,
    yoke_to: str | None,
) -> "Session":
    from ..experiments.session.session import Session
    from ..experiments.store.rows import ObserverInfo

    weights_hash = optional(observer, "weights_hash")
    device = {"type": str(optional(observer, "device") or "cpu")}
    info = ObserverInfo("model", observer.name, parameters, weights_hash)
    return Session.start(
        store,
        protocol,
        info,
        "model",
        seed=seed,
        observer_seed=observer_seed,
        yoked_to=yoke_to,
        device=optional(observer, "hardware") or device,
    )


def _start_smaller(
    store: "Store", session: "Session", observer: Observer, error: MemoryError
) -> None:
    """Leave a session for which memory did not suffice; raise if nothing is smaller."""
    batch = optional(observer, "batch")
    detail = {"batch": batch, "error": str(error), "after_trials": session.n_recorded}
    store.add_event(session.id, "out of memory", detail)
    halve = optional(observer, "halve")
    if halve is None or not halve():
        raise error
    warnings.warn(
        f"session {session.id} must have memory for batches of {batch} trials, got too "
        f"little; it stays unfinished, and a new one starts with half the batch",
        stacklevel=3,
    )


def _described(decision: Decision) -> dict[str, Any]:
    """Give what the calibration found, for the log."""
    again = decision.repeatable_sd
    return {
        "external_sd": decision.external_sd,
        "internal_sd": decision.internal_sd,
        **({"repeatable_sd": again} if again else {}),
        "criteria": list(decision.criteria),
    }
