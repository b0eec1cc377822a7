"""How close observers come to people, at three depths: `yoked.score`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.agreement.closer import ModelDifference, closer
from ...analysis.agreement.error_consistency import KAPPA
from ...analysis.agreement.kappa import compare_kappa
from ...analysis.agreement.pairs import shared_pairs
from ...analysis.agreement.profile import NAMES, Depth, depths_between
from ...analysis.trials.attempts import Attempts
from ...analysis.trials.coarse import MOST
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.held import Held
from ...experiments.session.observer import Observer, learnt_of, optional
from ...models.asked import Asked
from ...models.registry import load
from ...models.simulate import Progress
from .card import Card, Pair, PersonScore, Score, told
from .person import Ask, Person, Played, some
from .readout import fitted_readout

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData

CIRCUITS = ("linear", "ln", "hammerstein", "energy", "max", "gain-control")
_READOUT_SEED = 20151118


def score(
    observers: Observer | Sequence[Observer],
    people: "SessionData | Sequence[SessionData]",
    *,
    seed: int = 0,
    repeatable: bool = False,
    ask: Ask | None = None,
    progress: Progress | None = None,
) -> Score:
    """Score how close observers come to people, at three depths.

    Each observer is shown each person's trials, with as much internal noise as makes it
    as consistent as the person. Agreement of responses, first-order kernels and
    second-order kernels is a share of what noise lets two equal observers have. Beside
    it stand the ideal template and six shallow circuits, of which the best is chosen on
    a fifth of the blocks and compared on the others; and a read-out of the observer's
    features that is fitted to the person, against the same read-out of pixels. Trials
    that a network has learnt are left out.

    Parameters
    ----------
    observers
        One or several, of different names.
    people
        Sessions of people, or of any observers; those of one name are one person's.
        With a double pass, or there is no order zero.
    seed
        Of the observers' noise, and of the choice of the best circuit.
    repeatable
        Whether noise that is the same at each showing matches accuracy, too, where an
        observer is better than the person.
    ask
        Shows trials to an observer; by default it simply does.
    progress
        Told a stage, how much of it is done, and how much there is.

    Returns
    -------
    Score
        `cards` has one for each observer, the closest in responses first; `table()` a
        row for each observer and person.

    Raises
    ------
    ValueError
        If there is no observer or no person, two observers have one name, or one can do
        nobody's task.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> twin = yoked.load_observer("template", efficiency=0.5)
    >>> options = {"trials": 1000, "contrast": 0.227, "internal_noise": 1.0}
    >>> person = yoked.run(protocol, twin, seed=1, **options)
    >>> found = yoked.score(yoked.load_observer("guesser"), person)
    >>> found.cards[0].headline(0).value > 0.8, found.cards[-1].observer
    (True, 'guesser')
    """
    listed = [*observers] if isinstance(observers, Sequence) else [observers]
    sessions = [*people] if isinstance(people, Sequence) else [people]
    _require_some(listed, sessions)
    ask = ask or _asking(progress)
    found: dict[str, list[PersonScore]] = {}
    hashes: dict[str, str | None] = {}
    references: list[str] = []
    missing: dict[str, str] = {}
    for number, session in enumerate(sessions):
        if progress is not None:
            progress("people", number, len(sessions))
        stage = _Stage(session, listed, seed, repeatable, ask, progress)
        for name, one in stage.scores():
            found.setdefault(name, []).append(one)
        hashes |= {each.name: optional(each, "weights_hash") for each in listed}
        references += [n for n in stage.references if n not in references]
        for name, why in stage.refused.items():
            text = f"{session.observer}: {why}"
            missing[name] = f"{missing[name]}; {text}" if name in missing else text
    cards = [Card.of(name, hashes.get(name), parts) for name, parts in found.items()]
    cards.sort(key=_rank)
    held = [Held.of(each) for each in sessions] if len(sessions) > 1 else []
    if nobody := [each.name for each in listed if each.name not in found]:
        raise ValueError("; ".join(why for of, why in missing.items() if of in nobody))
    pairs = tuple(_pair(*map(Held.of, each)) for each in shared_pairs(held))
    return Score(tuple(cards), tuple(references), pairs, missing)


def _require_some(
    observers: Sequence[Observer], people: Sequence["SessionData"]
) -> None:
    if not people:
        raise ValueError("people must be one session or more, got none")
    names = [each.name for each in observers]
    if not names:
        raise ValueError("observers must be one or more, got none")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"observers must have different names, got {twice[0]} twice")


def _asking(progress: Progress | None) -> Ask:
    def ask(session: "SessionData", observer: Observer, seed: int) -> Asked:
        return Asked.of(session, observer, seed, progress)

    return ask


def _rank(card: Card) -> float:
    """Order cards by how close responses are, in the mean over tasks."""
    shares = [each.headline(0).value for each in card.tasks]
    known = [value for value in shares if value is not None]
    return -float(np.mean(known)) if known else np.inf


@dataclass(frozen=True, eq=False)
class _Beside:
    """The references on one person's trials, or those a network has not learnt."""

    person: Person
    ideal: Played
    circuit: Played | None
    why: str | None


class _Stage:
    """One person, with the references and the observers that are scored."""

    def __init__(
        self,
        session: "SessionData",
        observers: Sequence[Observer],
        seed: int,
        repeatable: bool,
        ask: Ask,
        progress: Progress | None,
    ) -> None:
        self._session, self._observers = session, observers
        self._seed, self._repeatable = seed, repeatable
        self._ask, self._progress = ask, progress
        self.references: list[str] = []
        self.refused: dict[str, str] = {}
        self._asked: dict[tuple[str, int], Asked] = {}

    def scores(self) -> list[tuple[str, PersonScore]]:
        """Score the observers, the ideal template, and the best circuit."""
        whole = Person(self._session, None, self._seed, self._repeatable)
        beside = self._references(whole)
        own = {each.name for each in self._observers}
        shown = [beside.ideal, *([beside.circuit] if beside.circuit else [])]
        found = []
        for each in shown:
            if each.name not in own:
                self.references.append(each.name)
                found.append((each.name, self._scored(beside, each, None)))
        for observer in self._observers:
            try:
                here = self._left_to(observer, beside)
                played = here.person.play(observer, self._once)
            except ValueError as reason:  # it cannot do this task
                self.refused[observer.name] = str(reason)
                continue
            found.append((observer.name, self._scored(here, played, observer)))
        return found

    def _left_to(self, observer: Observer, beside: _Beside) -> _Beside:
        """Leave out what a network has learnt of this person."""
        learnt = learnt_of(observer, self._session.id, self._session.yoked_to)
        if not learnt:
            return beside
        left_out = np.asarray(learnt, np.int64)
        person = Person(self._session, left_out, self._seed, self._repeatable)
        return self._references(person)

    def _references(self, person: Person) -> _Beside:
        """Let the ideal template and the circuits do the trials; choose a circuit."""
        has_variants = len(self._session.protocol.variants) > 1
        ideal = person.play(load("ideal" if has_variants else "template"), self._once)
        circuits, refused = [], []
        for name in CIRCUITS:
            try:
                circuits.append(person.play(load(name), self._once))
            except ValueError as reason:
                refused.append(f"{name}: {reason}")
        try:
            return _Beside(person, ideal, person.best(circuits), None)
        except ValueError as reason:
            why = "; ".join([str(reason), *refused])
            return _Beside(person, ideal, None, why)

    def _once(self, session: "SessionData", observer: Observer, seed: int) -> Asked:
        """Ask a reference once, also where trials are left out later."""
        if observer in self._observers:
            return self._ask(session, observer, seed)
        key = observer.name, seed
        if key not in self._asked:
            self._asked[key] = self._ask(self._session, observer, seed)
        return self._asked[key].on(session)

    def _scored(
        self, beside: _Beside, played: Played, observer: Observer | None
    ) -> PersonScore:
        person, attempt = beside.person, Attempts(NAMES)
        missing = {} if played.why is None else {"match": played.why}
        held = person.beside(played)[0]
        depths = depths_between(person.held, held, attempt, 0, None, MOST)
        depths = tuple(_told(each, person.held, held) for each in depths)
        to_ideal: tuple[ModelDifference, ...] | None = ()
        to_circuit: tuple[ModelDifference, ...] | None = ()
        if beside.ideal.name != played.name:
            to_ideal = attempt("ideal", lambda: _closer(person, played, beside.ideal))
        circuit = beside.circuit
        if circuit is None:
            missing["circuit"] = beside.why or "no circuit"
        elif circuit.name != played.name:
            rows = person.split.training
            to_circuit = attempt(
                "circuit", lambda: _closer(person, played, circuit, rows)
            )
        readout = None
        if observer is not None:
            readout = attempt(
                "readout",
                lambda: fitted_readout(
                    person.session, observer, _READOUT_SEED, self._progress
                ),
            )
        kappa = attempt("kappa", lambda: compare_kappa(person.held, held).kappa)
        return PersonScore(
            person=self._session.observer,
            protocol=self._session.protocol.name,
            session=self._session.id,
            n_trials=len(person.session.counted),
            n_left_out=person.n_left_out,
            match=played.match,
            depths=depths,
            kappa=kappa or Estimate.missing(KAPPA, attempt.missing.get("kappa", "")),
            ideal=beside.ideal.name,
            circuit=None if circuit is None else circuit.name,
            to_ideal=to_ideal or (),
            to_circuit=to_circuit or (),
            readout=readout,
            missing=missing | attempt.missing,
            faults=attempt.faults,
        )


def _closer(
    person: Person, one: Played, other: Played, rows: np.ndarray | None = None
) -> tuple[ModelDifference, ...]:
    """Compare how close two models come to a person, the first less the second."""
    if rows is None:
        return closer(person.held, person.beside(one, other)).differences
    parts = (some(each, rows) for each in (person.session, one.session, other.session))
    ours, *theirs = Held.all_of(*parts)
    return closer(ours, theirs).differences


def _told(depth: Depth, ours: Held, theirs: Held) -> Depth:
    return replace(depth, share=told(depth.share, ours.observer, theirs.observer))


def _pair(one: Held, other: Held) -> Pair:
    """Compare two people who saw the same trials."""
    ours, theirs = Held.all_of(one, other)
    depths = depths_between(ours, theirs, Attempts(NAMES), 0, None, MOST)
    return Pair(
        one.protocol.name,
        one.observer,
        other.observer,
        tuple(_told(each, ours, theirs) for each in depths),
    )
