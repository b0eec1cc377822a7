"""One person whom models are compared with, and the models that did her trials."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from ...analysis.agreement.order_zero import OrderZero
from ...analysis.trials.estimate import CannotTell
from ...analysis.trials.held import Held
from ...experiments.session.observer import Observer
from ...experiments.session.results import without_trials
from ...experiments.stimulus.seeds import derived_seed
from ...models.asked import Asked
from ...models.matching import Noise
from ...models.recipes.split import Split, split_by_blocks
from ..matched_noise import MatchedNoise, matched_on, own_agreement, pairs_of

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData

# Shows an observer a session's trials, or reads what it made of them before.
Ask = Callable[["SessionData", Observer, int], Asked]


@dataclass(frozen=True, eq=False)
class Played:
    """A model that did a person's trials, with her noise.

    Attributes
    ----------
    name
        Of the model.
    session
        Its responses.
    match
        How its noise was matched; None where `why` says why it was not.
    """

    name: str
    session: "SessionData"
    match: MatchedNoise | None
    why: str | None


class Person:
    """A person's trials, all of them or those that a network did not learn.

    Parameters
    ----------
    session
        The person's.
    learnt
        Numbers of trials that are left out.
    seed
        Of the models' noise, and of the split by which the best circuit is chosen.
    repeatable
        Whether models get repeatable noise, too, so that accuracy matches.

    Attributes
    ----------
    session
        What is left of it.
    n_left_out
        Trials that a network has learnt.
    """

    def __init__(
        self,
        session: "SessionData",
        learnt: Int64[np.ndarray, " trial"] | None = None,
        seed: int = 0,
        repeatable: bool = False,
    ) -> None:
        whole = len(session.counted)
        self.session = session if learnt is None else without_trials(session, learnt)
        self.n_left_out = whole - len(self.session.counted)
        if not len(self.session.counted):
            rule = "one or more that the network has not learnt"
            raise CannotTell(f"trials of {session.observer} must be {rule}, got none")
        self.held = Held.all_of(self.session)[0]
        self.seed = seed
        self._repeatable = repeatable

    def play(self, observer: Observer, ask: Ask) -> Played:
        """Let a model do the trials, with as much noise as makes it as consistent."""
        of, taken = self.session.seed, {self.session.seed}
        own = derived_seed("score", of, observer.name, self.seed, taken=taken)
        asked = ask(self.session, observer, own)
        match, why, noise = None, None, Noise(0.0)
        try:
            counted = self.held.responses
            agreed = own_agreement(counted)
            pairs = asked.double_pass(*pairs_of(counted))
            match = matched_on(
                counted, agreed, pairs, self.session, observer.name, self._repeatable
            )
            noise = Noise(match.gamma, match.repeatable_noise)
        except ValueError as reason:
            why = f"without noise of its own: {reason}"
        return Played(observer.name, asked.responded(noise), match, why)

    def beside(self, *played: Played) -> list[Held]:
        """Hold models' sessions, with the noise that is common to all once."""
        return Held.all_of(self.held, *(each.session for each in played))[1:]

    @cached_property
    def split(self) -> Split:
        """The trials by which the best circuit is chosen, and those it is compared on.

        `held_out` are for the choice: a fifth, by blocks.
        """
        return split_by_blocks(self.session.counted.reset_index(drop=True), self.seed)

    def best(self, played: list[Played]) -> Played:
        """Choose whose responses go most with the person's, on the trials for that.

        Raises
        ------
        CannotTell
            If none of them varies there.
        """
        rows = self.split.held_out
        ours = some(self.session, rows)
        values = []
        for each in played:
            one, other = Held.all_of(ours, some(each.session, rows))
            try:
                values.append(OrderZero.of(one.responses, other.responses).across.r)
            except (CannotTell, ValueError):
                values.append(-np.inf)
        if not played or max(values) == -np.inf:
            raise CannotTell("circuits must be one or more that vary, got none")
        return played[int(np.argmax(values))]


def some(session: "SessionData", rows: Int64[np.ndarray, " row"]) -> "SessionData":
    """Keep some of the trials that count, by their places among them."""
    kept = session.counted["trial"].to_numpy(np.int64)[rows]
    every = session.trials["trial"].to_numpy(np.int64)
    return without_trials(session, every[~np.isin(every, kept)])
