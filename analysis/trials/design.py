"""One row per trial: the response, the stimulus class, and the noise it was given to.

Everything that fits or permutes single trials starts here. A trial's response is "yes"
(1) or not (0): in yes/no and rating, the signal was reported; in 2AFC, the second
interval was chosen. The noise that speaks for "yes" is then the field itself, or the
second interval's less the first's. It is the sum of two halves: what came with the
target and what came without it, each with the sign with which it speaks for "yes".
A row counts once, however many elements its noise has: one response is one response
(the pseudo-replication of long tables makes standard errors too small by the root of
the number of elements).
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int64

from ...experiments.stimulus.sources import NoiseSource
from .estimate import CannotTell
from .responses import Responses
from .shown import NoiseBasis, Shape, as_numbers, basis_of, noise_of, unit_of

ROWS = 2048  # of the noise that are worked on at once
MAX_BYTES = 2**31  # of noise held at once; larger data are for the streamed estimates


@dataclass(frozen=True, eq=False)
class TrialDesign:
    """Responses and noise of the counted trials, in trial order.

    Attributes
    ----------
    response
        The response: signal reported (yes/no), or second interval chosen (2AFC).
    target
        Class of the trial: 1 for signal, or for the target in the second interval.
    cell
        Number of the stimulus class: target within contrast, from 0.
    contrast
        Signal contrast.
    cluster
        Row of the trial that showed this noise first: two showings have the same.
    stratum
        Number of the cell within its block: what responses may be permuted within.
    halves
        Noise in contrast, or that on a basis in SDs of its coefficients: of the target
        and of the other, signed as it speaks for "yes". In yes/no the target half is
        zero on trials without signal, and the other half on trials with it.
    shape
        (frames, rows, columns) of a field, or (coefficients,).
    is_forced_choice
        Whether each trial had noise of both kinds.
    basis
        What kernels in coefficients are drawn in; None where noise is white.
    has_target
        Whether a response can be correct; without, `target` is 0 and all fields of a
        yes/no task are in the other half.
    """

    response: Bool[np.ndarray, " trial"]
    target: Int[np.ndarray, " trial"]
    cell: Int[np.ndarray, " trial"]
    contrast: Float[np.ndarray, " trial"]
    cluster: Int[np.ndarray, " trial"]
    stratum: Int[np.ndarray, " trial"]
    halves: Float32[np.ndarray, " 2 trial element"]
    shape: Shape
    is_forced_choice: bool
    basis: NoiseBasis | None = None
    has_target: bool = True

    @classmethod
    def of(
        cls, responses: Responses, source: NoiseSource, max_bytes: int = MAX_BYTES
    ) -> "TrialDesign":
        """Regenerate the noise of every trial.

        Raises
        ------
        ValueError
            If there are no trials, more than two alternatives, or more noise than
            `max_bytes`.
        """
        if responses.n_alternatives > 2:
            rule = "two for a kernel fitted by trials"
            raise CannotTell(
                f"alternatives must be {rule}, got {responses.n_alternatives}"
            )
        if not len(responses):
            raise CannotTell("trials must be one or more, got none that counts")
        shape = noise_of(source, responses.table.iloc[:1], 0).shape[1:]
        size = 2 * 4 * len(responses) * int(np.prod(shape))
        if size > max_bytes:
            rule = f"at most {max_bytes / 2**30:.1f} GiB to be held at once"
            got = f"{size / 2**30:.1f} GiB ({len(responses)} trials)"
            raise CannotTell(f"noise must be {rule}, got {got}")
        _, cell = np.unique(responses.cell, return_inverse=True)
        return cls(
            response=responses.response == 1,
            target=responses.target,
            cell=cell,
            contrast=responses.contrast,
            cluster=responses.cluster,
            stratum=_within_blocks(responses, cell),
            halves=_halves(responses, source),
            shape=shape,
            is_forced_choice=responses.is_forced_choice,
            basis=basis_of(source),
            has_target=responses.has_target,
        )

    def comparable(self) -> "TrialDesign":
        """Return the trials of stimulus classes that showed two noise fields or more.

        A single field has nothing to be compared with: what its response owes to the
        noise, and what to the class, cannot be told apart. So a rare contrast changes
        nothing that rests on these trials.

        Raises
        ------
        CannotTell
            If every class showed a single field.
        """
        return self.of_classes(self.fields_by_cell >= 2, least=2)

    @property
    def fields_by_cell(self) -> Int[np.ndarray, " cell"]:
        """Noise fields of each stimulus class, by its number."""
        _, first = np.unique(self.cluster, return_index=True)
        return np.bincount(self.cell[first], minlength=int(self.cell.max()) + 1)

    def of_classes(
        self, chosen: Bool[np.ndarray, " cell"], least: int
    ) -> "TrialDesign":
        """Return the trials of chosen stimulus classes, cells and strata renumbered.

        Parameters
        ----------
        least
            Noise fields that a class needs, for what is said if none has them.

        Raises
        ------
        CannotTell
            If none is left.
        """
        rows = chosen[self.cell]
        if rows.all():
            return self
        if not rows.any():
            most = int(self.fields_by_cell.max())
            rule = f"{least} or more in some stimulus class (a target at a contrast)"
            raise CannotTell(f"noise fields must be {rule}, got {most} at most")
        kept = self.where(rows)
        _, cell = np.unique(kept.cell, return_inverse=True)
        _, stratum = np.unique(kept.stratum, return_inverse=True)
        return replace(kept, cell=cell, stratum=stratum)

    def __len__(self) -> int:
        return len(self.response)

    @property
    def n_alternatives(self) -> int:
        """Alternatives of the task: two."""
        return 2

    @property
    def has_halves(self) -> bool:
        """Whether there is noise of two kinds, with a kernel for each."""
        return self.is_forced_choice or self.has_target

    @property
    def sign(self) -> Float32[np.ndarray, " trial"]:
        """Sign with which the target's noise speaks for "yes"; minus it the other's."""
        first = self.is_forced_choice & (self.target == 0)
        return np.where(first, np.float32(-1), np.float32(1))

    @property
    def shown(self) -> Float32[np.ndarray, " field trial element"]:
        """The noise itself: of target and other in 2AFC, of the one field in yes/no."""
        if not self.is_forced_choice:
            return self.noise[None]
        sign = self.sign[:, None]
        return np.stack([sign * self.halves[0], -sign * self.halves[1]])

    @property
    def noise(self) -> Float32[np.ndarray, " trial element"]:
        """The noise that speaks for "yes": the sum of the halves."""
        return self.halves[0] + self.halves[1]

    def along(
        self, direction: Float[np.ndarray, " element"]
    ) -> Float[np.ndarray, " trial"]:
        """Return the noise that speaks for "yes" along a direction, in its precision.

        A few trials at a time: no copy of the noise is made.
        """
        parts = [
            self.halves[:, start : start + ROWS].sum(axis=0) @ direction
            for start in range(0, len(self), ROWS)
        ]
        return np.concatenate(parts)

    def by_field(
        self, values: Float[np.ndarray, " trial"]
    ) -> Float[np.ndarray, " field"]:
        """Add up values over the showings of each noise field, by rising cluster."""
        _, field = np.unique(self.cluster, return_inverse=True)
        return np.bincount(field, values)

    def where(self, rows: np.ndarray) -> "TrialDesign":
        """Return the chosen rows: a mask, or row numbers, which may come twice.

        Cells, strata and clusters keep their numbers.
        """
        names = ("response", "target", "cell", "contrast", "cluster", "stratum")
        parts = {name: getattr(self, name)[rows] for name in names}
        found = replace(self, halves=self.halves[:, rows], **parts)
        if "noise_keys" in vars(self):  # a digest is slow, and goes with its row
            vars(found)["noise_keys"] = self.noise_keys[rows]
        return found

    def answered(self, response: Bool[np.ndarray, " trial"]) -> "TrialDesign":
        """Return the same trials with another observer's responses."""
        found = replace(self, response=response)
        vars(found)["noise_keys"] = self.noise_keys
        return found

    @cached_property
    def noise_keys(self) -> Int64[np.ndarray, " trial"]:
        """Give a digest of each trial's noise, by which a stimulus is recognised."""
        digests = [
            hashlib.blake2b(row.tobytes(), digest_size=8).digest()
            for start in range(0, len(self), ROWS)
            for row in _in_order(self.halves[:, start : start + ROWS])
        ]
        return np.frombuffer(b"".join(digests), np.int64)

    def fields(self, rows: slice) -> list[Float32[np.ndarray, " row element"]]:
        """Give the noise of each interval of some trials, in contrast, as shown."""
        halves = self.halves[:, rows]
        if not self.is_forced_choice:
            return [halves[0] + halves[1]]
        is_first = (self.target[rows] == 0)[:, None]
        return [
            -np.where(is_first, halves[0], halves[1]),
            np.where(is_first, halves[1], halves[0]),
        ]


def _in_order(halves: np.ndarray) -> np.ndarray:
    """Put the halves of each trial side by side."""
    return halves.transpose(1, 0, 2) + np.float32(0)  # -0 is 0


def _within_blocks(responses: Responses, cell: np.ndarray) -> Int[np.ndarray, " trial"]:
    if "block" not in responses.table:
        return cell
    block = responses.table["block"].to_numpy(np.int64)
    _, stratum = np.unique((cell.max() + 1) * block + cell, return_inverse=True)
    return stratum


def _halves(
    responses: Responses, source: NoiseSource
) -> Float32[np.ndarray, " 2 trial element"]:
    """Sort noise into that of the target and the other, a few trials at a time."""
    n, unit = len(responses), unit_of(source)
    halves = np.zeros((2, n, 0), np.float32)
    for start in range(0, n, ROWS):
        rows = np.arange(start, min(start + ROWS, n))
        table, target = responses.table.iloc[rows], responses.target[rows]
        for interval in range(2 if responses.is_forced_choice else 1):
            shown = noise_of(source, table, interval).reshape(len(rows), -1)
            if not halves.size:
                halves = np.zeros((2, n, shown.shape[1]), np.float32)
            if responses.is_forced_choice:
                # The second interval's noise speaks for "yes", whatever it came with.
                sign, half = np.float32(2 * interval - 1), target != interval
            else:
                sign, half = np.float32(1), target != 1
            halves[half.astype(int), rows] = sign * as_numbers(shown, unit)
    return halves
