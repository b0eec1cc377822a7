"""How much noise makes a model agree with itself as a person does, on her own trials.

`models.matching` has what is solved; here the person's double pass goes in, with its
interval, and what comes out is a result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from ..analysis.double_pass.internal_noise import NO_PAIRS, agreement
from ..analysis.trials.estimate import CannotTell, Estimate
from ..analysis.trials.proportion import proportion
from ..analysis.trials.responses import Responses, design_effect, responses
from ..analysis.trials.result import Cells, Result, short
from ..experiments.session.observer import Observer
from ..models.asked import ask_twice
from ..models.matching import (
    CannotMatch,
    DoublePass,
    Noise,
    both_noises_for,
    internal_noise_for,
)

if TYPE_CHECKING:  # these bring the database, and all that runs a model
    from ..experiments.session.results import SessionData
    from ..models.simulate import Progress

FORMAT = "yoked-match/1"  # of the plain form, which docs/json.md describes
MATCHED = "gamma-matched-agreement/1"
DRAWN = "noise-drawn-agreement/1"
DECISION = "decision"
OWN_NOISE = "noise of the model's own makes it agree less often than the person"
Pairs = Int[np.ndarray, " pair"]
MOST_PAIRS = 4096  # that a model is asked; more tell nothing of noise that is not known
MOST_DRAWN = 1024  # where each is drawn four times at every SD that is tried


@dataclass(frozen=True, eq=False)
class MatchedNoise(Result):
    """Noise of a model whose expected agreement with itself is a person's.

    Attributes
    ----------
    session, person
        Whose double pass it was matched to.
    observer
        The model.
    protocol
        What both do.
    internal_noise
        gamma, for `yoked.run(..., internal_noise=match.gamma)`; elsewhere than at the
        decision the `sd` of `yoked.noisy`, in its unit. The interval is that of the
        person's agreement, carried through.
    repeatable_noise
        For `yoked.run(..., repeatable_noise=...)`, in the same unit; 0 unless asked
        for, and where it cannot help.
    agreement
        The person's with herself.
    expected_agreement, noiseless_agreement
        The model's, with this noise and without any.
    proportion_correct
        The person's, in the trials of the double pass.
    expected_proportion_correct, noiseless_proportion_correct
        The model's, in the same trials.
    n_pairs
        Pairs that the model was asked: all of them, or some that are spread evenly.
    note
        What is to be known besides, such as why no repeatable noise can help.
    noise_at
        Where the internal noise is, as `yoked.noisy` takes it.
    expected_agreement_se
        Monte Carlo standard error of `expected_agreement`; None at the decision, where
        it follows from a formula.
    """

    format: str
    session: str
    person: str
    observer: str
    protocol: str
    internal_noise: Estimate
    repeatable_noise: float
    agreement: Estimate
    expected_agreement: float
    noiseless_agreement: float
    proportion_correct: Estimate
    expected_proportion_correct: float
    noiseless_proportion_correct: float
    n_pairs: int
    note: str | None = None
    noise_at: str = DECISION
    expected_agreement_se: float | None = None

    @property
    def gamma(self) -> float:
        """Internal noise, as `yoked.run` takes it, or `yoked.noisy` elsewhere."""
        assert self.internal_noise.value is not None
        return self.internal_noise.value

    @property
    def sentence(self) -> str:
        """Say what is matched, and what is not."""
        is_correct = self.expected_proportion_correct
        person = self.proportion_correct.value
        noise, drawn = f"internal noise {self.gamma:.3f}", ""
        if self.expected_agreement_se is not None:
            noise = f"noise of SD {self.gamma:.3g} at {self.noise_at}"
            drawn = f", Monte Carlo SE {self.expected_agreement_se:.3f},"
        said = (
            f"{self.observer} with {noise} is expected to "
            f"agree with itself on {self.expected_agreement:.3f}{drawn} of the pairs "
            f"({self.person}: {self.agreement.value:.3f}) and to be correct on "
            f"{is_correct:.3f} of their trials ({self.person}: {person:.3f})"
        )
        if self.repeatable_noise:
            return f"{said}: its repeatable noise is {self.repeatable_noise:.3f}."
        return f"{said}: one knob cannot match both." + (
            f" Note: {self.note}." if self.note else ""
        )

    def table(self) -> list[Cells]:
        """Give a row for each of accuracy, agreement and both kinds of noise."""
        rows = (
            (
                "agreement with itself",
                self.agreement,
                self.expected_agreement,
                self.noiseless_agreement,
            ),
            (
                "proportion correct",
                self.proportion_correct,
                self.expected_proportion_correct,
                self.noiseless_proportion_correct,
            ),
            (
                "internal noise (gamma)"
                if self.noise_at == DECISION
                else f"noise at {self.noise_at} (SD)",
                None,
                self.internal_noise,
                0.0,
            ),
            ("repeatable noise", None, self.repeatable_noise, 0.0),
        )
        names = ("quantity", "person", "model", "without noise")
        return [dict(zip(names, map(short, row), strict=True)) for row in rows]


def match_noise(
    session: "SessionData",
    observer: Observer,
    repeatable: bool = False,
    criterion: float | None = None,
    progress: "Progress | None" = None,
    noise_at: str = DECISION,
) -> MatchedNoise:
    """Find the noise with which a model agrees with itself as a person did.

    A deterministic model gives one response to a stimulus always, a person does not;
    compared as they are, they differ by that alone. The model sees the person's double
    pass, and from its decision variables its expected agreement follows at any internal
    noise in closed form. That one number cannot match accuracy, too: the difference is
    part of the result.

    Parameters
    ----------
    session
        Of a person, with a double pass.
    observer
        Any model; it is prepared and learns as in `yoked.run`, which then finds it so.
    repeatable
        Whether there is also noise that is the same at each showing of a stimulus, so
        that agreement and accuracy both match. Only a model that is correct too often
        can be matched so; for another `note` says that it cannot.
    criterion
        Of the model, as in `yoked.run`.
    progress
        As in `yoked.run`.
    noise_at
        Where the noise is: 'decision', or a place in a network as `yoked.noisy` takes
        it. There its effect has no formula: up to 1,024 pairs are drawn four times at
        each SD that is tried, and `expected_agreement_se` says how sure the result is.

    Raises
    ------
    CannotTell
        If there is no pair, the interval of the person's agreement reaches down to what
        noise alone gives, or noise of the model's own makes it agree less often.
    ValueError
        If the task is neither yes/no nor a choice between two, repeatable noise is to
        be elsewhere than at the decision, or the observer has no such place.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> twin = yoked.load_observer("template", efficiency=0.5)
    >>> person = yoked.run(protocol, twin, seed=1, internal_noise=1.0)
    >>> template = yoked.load_observer("template")
    >>> match = yoked.match_noise(person, template)
    >>> abs(match.expected_agreement - match.agreement.value) < 1e-6
    True
    >>> again = {"yoke_to": person, "internal_noise": match.gamma}
    >>> model = yoked.run(observer=template, **again)
    """
    counted = responses(session)
    own = own_agreement(counted)
    if noise_at != DECISION:
        if repeatable:
            rule = f"{DECISION} with repeatable noise"
            raise ValueError(f"noise_at must be {rule}, got {noise_at!r}")
        return _matched_inside(
            counted, own, session, observer, noise_at, criterion, progress
        )
    first, second = pairs_of(counted)
    shown = (counted.table.iloc[first], counted.table.iloc[second])
    pairs = ask_twice(session, observer, *shown, criterion, progress)
    return matched_on(counted, own, pairs, session, observer.name, repeatable)


def own_agreement(counted: Responses) -> Estimate:
    """Give how often a person agrees with herself, which noise is matched to.

    Raises
    ------
    CannotTell
        If there is no pair of showings, or no correct response.
    """
    counted.require_target()
    own = agreement(counted)
    if own.value is None or own.low is None or own.high is None:
        raise CannotTell(own.note or NO_PAIRS)
    return own


def pairs_of(counted: Responses, most: int = MOST_PAIRS) -> tuple[Pairs, Pairs]:
    """Give the trials of both showings that a model is asked, spread evenly."""
    second = counted.second_rows
    some = np.linspace(0, len(second) - 1, min(len(second), most)).astype(int)
    return counted.first[second[some]], second[some]


def matched_on(
    counted: Responses,
    own: Estimate,
    pairs: DoublePass,
    session: "SessionData",
    observer: str,
    repeatable: bool = False,
) -> MatchedNoise:
    """Match noise on decision variables that are known; as `match_noise` otherwise.

    Parameters
    ----------
    counted, own
        The person's responses, and her agreement with herself.
    pairs
        What the model makes of the double pass.
    observer
        The model's name.
    """
    right = _of_pairs_correct(counted)
    assert right.value is not None
    assert own.value is not None
    assert own.low is not None
    assert own.high is not None
    _require_agreeing(pairs.agreement(0.0), own.low)
    _require_within_reach(lambda low: internal_noise_for(pairs, low), own.low)
    noise, note = _matched(pairs, own.value, right.value, repeatable)
    ends = [
        _matched(pairs, end, right.value, repeatable)[0].internal
        for end in (own.high, own.low)
    ]
    gamma = noise.internal
    low, high = min(gamma, *ends), max(gamma, *ends)
    return MatchedNoise(
        format=FORMAT,
        session=session.id,
        person=session.observer,
        observer=observer,
        protocol=session.protocol.name,
        internal_noise=Estimate(gamma, None, low, high, own.n, MATCHED),
        repeatable_noise=noise.repeatable,
        agreement=own,
        expected_agreement=pairs.agreement(noise.all, noise.repeatable_share),
        noiseless_agreement=pairs.agreement(0.0),
        proportion_correct=right,
        expected_proportion_correct=pairs.correct(noise.all),
        noiseless_proportion_correct=pairs.correct(0.0),
        n_pairs=len(pairs.target),
        note=note,
    )


def _matched_inside(
    counted: Responses,
    own: Estimate,
    session: "SessionData",
    observer: Observer,
    noise_at: str,
    criterion: float | None,
    progress: "Progress | None",
) -> MatchedNoise:
    """Match noise inside a network, by drawing it; as `match_noise` otherwise."""
    from ..models.drawn import DrawnPass
    from ..models.networks.noisy import noisy

    assert own.value is not None
    assert own.low is not None
    assert own.high is not None
    model = noisy(observer, at=noise_at, sd=0.0)
    first, second = pairs_of(counted, MOST_DRAWN)
    shown = (counted.table.iloc[first], counted.table.iloc[second])
    pairs = DrawnPass(session, model, *shown, criterion, progress)
    none = pairs.at(0.0)
    _require_agreeing(none.agreement, own.low)
    _require_within_reach(pairs.sd_for, own.low)
    sd, *ends = (pairs.sd_for(value) for value in (own.value, own.high, own.low))
    found = pairs.at(sd)
    if not own.low <= found.agreement <= own.high:
        rule = f"agree with itself on {own.low:.3f} to {own.high:.3f} at some SD"
        got = f"{found.agreement:.3f} at the nearest, {sd:.3g}"
        raise CannotTell(f"the model must {rule}, as the person does, got {got}")
    is_its_own = sd == 0 and none.agreement < own.value
    return MatchedNoise(
        format=FORMAT,
        session=session.id,
        person=session.observer,
        observer=observer.name,
        protocol=session.protocol.name,
        internal_noise=Estimate(sd, None, min(sd, *ends), max(sd, *ends), own.n, DRAWN),
        repeatable_noise=0.0,
        agreement=own,
        expected_agreement=found.agreement,
        noiseless_agreement=none.agreement,
        proportion_correct=_of_pairs_correct(counted),
        expected_proportion_correct=found.correct,
        noiseless_proportion_correct=none.correct,
        n_pairs=len(first),
        note=OWN_NOISE if is_its_own else None,
        noise_at=noise_at,
        expected_agreement_se=found.se,
    )


def _of_pairs_correct(counted: Responses) -> Estimate:
    """Estimate proportion correct in the trials of the double pass."""
    second = counted.second_rows
    rows = np.concatenate([counted.first[second], second])
    correct = counted.correct[rows].astype(np.float64)
    effect = design_effect(correct, counted.target[rows], counted.cluster[rows])
    return proportion(int(correct.sum()), len(rows), design_effect=effect)


def _require_agreeing(most: float, low: float) -> None:
    """Raise CannotTell where agreement is beyond what a model with noise can have."""
    if most < low:
        rule = "agree with itself as often as the person to be matched"
        raise CannotTell(f"the model must {rule}, got {most:.3f} without added noise")


def _require_within_reach(find: Callable[[float], object], low: float) -> None:
    """Raise CannotTell where no noise gives an agreement as low as the interval's."""
    try:
        find(low)
    except CannotMatch as reason:
        text = f"the person's interval, from {low:.3f}, reaches that low"
        raise CannotTell(f"{reason}; {text}") from reason


def _matched(
    pairs: DoublePass, agreement: float, correct: float, repeatable: bool
) -> tuple[Noise, str | None]:
    """Match agreement, and with repeatable noise accuracy; or say why not accuracy."""
    if repeatable:
        try:
            return both_noises_for(pairs, agreement, correct), None
        except CannotMatch as reason:
            return internal_noise_for(pairs, agreement), str(reason)
    noise = internal_noise_for(pairs, agreement)
    if noise.internal or pairs.agreement(0.0) == agreement:
        return noise, None
    return noise, OWN_NOISE
