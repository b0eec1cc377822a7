"""One row per trial: the answer, the stimulus class, and the noise it was given to.

Everything that fits or permutes single trials starts here. A trial's answer is "yes"
(1) or not (0): in yes/no and rating, the signal was reported; in 2AFC, the second
interval was chosen. The noise that speaks for "yes" is then the field itself, or the
second interval's less the first's. It is the sum of two halves: what came with the
target and what came without it, each with the sign with which it speaks for "yes".
A row counts once, however many elements its noise has: one response is one response
(the pseudo-replication of long tables makes standard errors too small by the root of
the number of elements).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from ...experiments.stimulus.sources import NoiseSource, as_contrast
from .responses import Choices

MAX_BYTES = 2**31  # of noise held at once; larger data are for the streamed estimates


@dataclass(frozen=True, eq=False)
class TrialDesign:
    """Answers and noise of the counted trials, in trial order.

    Attributes
    ----------
    yes
        The answer: signal reported (yes/no), or second interval chosen (2AFC).
    target
        Class of the trial: 1 for signal, or for the target in the second interval.
    cell
        Number of the stimulus class: target within contrast, from 0.
    contrast
        Signal contrast.
    cluster
        Row of the trial that showed this noise first: two showings have the same.
    stratum
        Number of the cell within its block: what answers may be permuted within.
    halves
        Noise in contrast: of the target and of the other, signed as it speaks for
        "yes". In yes/no the target half is zero on trials without signal, and the
        other half on trials with it.
    shape
        (frames, rows, columns) of a field.
    is_forced_choice
        Whether each trial had noise of both kinds.
    """

    yes: Bool[np.ndarray, " trial"]
    target: Int[np.ndarray, " trial"]
    cell: Int[np.ndarray, " trial"]
    contrast: Float[np.ndarray, " trial"]
    cluster: Int[np.ndarray, " trial"]
    stratum: Int[np.ndarray, " trial"]
    halves: Float32[np.ndarray, " 2 trial element"]
    shape: tuple[int, int, int]
    is_forced_choice: bool

    @classmethod
    def of(
        cls, choices: Choices, source: NoiseSource, max_bytes: int = MAX_BYTES
    ) -> "TrialDesign":
        """Regenerate the noise of every trial.

        Raises
        ------
        ValueError
            If there are no trials, more than two alternatives, or more noise than
            `max_bytes`.
        """
        if choices.n_alternatives > 2:
            rule = "two for a kernel fitted by trials"
            raise ValueError(
                f"alternatives must be {rule}, got {choices.n_alternatives}"
            )
        if not len(choices):
            raise ValueError("trials must be one or more, got none that counts")
        shape = source.field(choices.table.iloc[:1], 0).shape[1:]
        size = 2 * 4 * len(choices) * int(np.prod(shape))
        if size > max_bytes:
            rule = f"at most {max_bytes / 2**30:.1f} GiB to be held at once"
            got = f"{size / 2**30:.1f} GiB ({len(choices)} trials)"
            raise ValueError(f"noise must be {rule}, got {got}")
        contrast = np.searchsorted(choices.contrasts, choices.contrast)
        _, cell = np.unique(2 * contrast + choices.target, return_inverse=True)
        return cls(
            yes=choices.choice == 1,
            target=choices.target,
            cell=cell,
            contrast=choices.contrast,
            cluster=choices.cluster,
            stratum=_within_blocks(choices, cell),
            halves=_halves(choices, source),
            shape=(shape[0], shape[1], shape[2]),
            is_forced_choice=choices.is_forced_choice,
        )

    def __len__(self) -> int:
        return len(self.yes)

    @property
    def noise(self) -> Float32[np.ndarray, " trial element"]:
        """The noise that speaks for "yes": the sum of the halves."""
        return self.halves[0] + self.halves[1]

    def where(self, rows: np.ndarray) -> "TrialDesign":
        """Return the chosen rows: a mask, or row numbers, which may come twice.

        Cells, strata and clusters keep their numbers.
        """
        names = ("yes", "target", "cell", "contrast", "cluster", "stratum")
        parts = {name: getattr(self, name)[rows] for name in names}
        return replace(self, halves=self.halves[:, rows], **parts)

    def answered(self, yes: Bool[np.ndarray, " trial"]) -> "TrialDesign":
        """Return the same trials with other answers, such as permuted ones."""
        return replace(self, yes=yes)


def _within_blocks(choices: Choices, cell: np.ndarray) -> Int[np.ndarray, " trial"]:
    if "block" not in choices.table:
        return cell
    block = choices.table["block"].to_numpy(np.int64)
    _, stratum = np.unique((cell.max() + 1) * block + cell, return_inverse=True)
    return stratum


def _halves(choices: Choices, source: NoiseSource) -> np.ndarray:
    rows = np.arange(len(choices))
    fields = [
        as_contrast(source.field(choices.table, k)).reshape(len(rows), -1)
        for k in range(2 if choices.is_forced_choice else 1)
    ]
    if not choices.is_forced_choice:
        shown, has_signal = fields[0], choices.target[:, None] == 1
        return np.stack([shown * has_signal, shown * ~has_signal])
    both = np.stack(fields)
    sign = np.where(choices.target == 1, np.float32(1), np.float32(-1))[:, None]
    of_target = both[choices.target, rows]
    return np.stack([sign * of_target, -sign * both[1 - choices.target, rows]])
