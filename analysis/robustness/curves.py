"""Curves: accuracy by the size of an attack, and by corruption and severity."""

from dataclasses import dataclass

from ..trials.estimate import Estimate
from ..trials.result import Cells, Result, short


@dataclass(frozen=True, eq=False)
class AttackPoint(Result):
    """What is right at one eps.

    Attributes
    ----------
    eps
        Norm of the change, at most; contrast.
    accuracy
        Under the attack on the observer itself.
    fewer_steps
        The same with a quarter of the steps: an attack that is strong enough gains
        little from there on.
    transferred
        Under the attack on another observer; None without one.
    masking
        By how much the transferred attack is stronger; None without one.
    is_masked
        Whether it is so beyond chance.
    """

    eps: float
    accuracy: Estimate
    fewer_steps: Estimate
    transferred: Estimate | None = None
    masking: Estimate | None = None
    is_masked: bool | None = None


@dataclass(frozen=True, eq=False)
class AttackCurve(Result):
    """Accuracy by eps.

    Attributes
    ----------
    format
        Version of the plain form.
    observer, protocol, norm
        Names; the norm is 'linf' or 'l2'.
    signal_contrast
        Of the signal.
    n_trials, n_showings
        Trials, and how often each was shown to be scored.
    steps, noise_draws
        Of the attack; draws are 1 where the observer has no noise.
    has_noise
        Whether the observer's decisions vary.
    clean
        Accuracy without attack.
    points
        By eps.
    transfer_from
        Whose attack was transferred.
    notes
        What is to be known, a sentence each.
    """

    format: str
    observer: str
    protocol: str
    norm: str
    signal_contrast: float
    n_trials: int
    n_showings: int
    steps: int
    noise_draws: int
    has_noise: bool
    clean: Estimate
    points: tuple[AttackPoint, ...]
    transfer_from: str | None = None
    notes: tuple[str, ...] = ()

    def table(self) -> list[Cells]:
        """Give a row for the clean trials and for each eps."""
        rows: list[Cells] = [{"eps": short(0.0), "accuracy": self.clean.short()}]
        for each in self.points:
            row: Cells = {
                "eps": short(each.eps),
                "accuracy": each.accuracy.short(),
                f"{max(1, self.steps // 4)} steps": each.fewer_steps.short(),
            }
            if each.transferred is not None:
                row[f"from {self.transfer_from}"] = each.transferred.short()
                row["masked"] = "yes" if each.is_masked else "no"
            rows.append(row)
        return rows


@dataclass(frozen=True, eq=False)
class CorruptionPoint(Result):
    """What is right at one severity of one corruption."""

    corruption: str
    severity: int
    accuracy: Estimate


@dataclass(frozen=True, eq=False)
class CorruptionCurve(Result):
    """Accuracy by corruption and severity.

    Attributes
    ----------
    format
        Version of the plain form.
    observer, protocol
        Names.
    signal_contrast
        Of the signal.
    n_trials, n_showings
        Trials, and how often each was shown.
    clean
        Accuracy without corruption.
    points
        By corruption and severity.
    notes
        What is to be known, a sentence each.
    """

    format: str
    observer: str
    protocol: str
    signal_contrast: float
    n_trials: int
    n_showings: int
    clean: Estimate
    points: tuple[CorruptionPoint, ...]
    notes: tuple[str, ...] = ()

    def table(self) -> list[Cells]:
        """Give a row for the clean trials and for each corruption and severity."""
        clean: Cells = {"corruption": "none", "severity": 0}
        return [
            clean | {"accuracy": self.clean.short()},
            *(
                {
                    "corruption": each.corruption,
                    "severity": each.severity,
                    "accuracy": each.accuracy.short(),
                }
                for each in self.points
            ),
        ]
