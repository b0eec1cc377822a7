"""The rows of an imported table as trials: checked, put in order, numbered from 0."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from ..store.trial import Response, TrialSpec
from .table_cells import TableColumns
from .table_coding import (
    choice_notes,
    counting_notes,
    pass_notes,
    target_notes,
    time_notes,
)
from .table_file import TrialFile
from .table_settings import TableSettings

_MANY_CONTRASTS = 50
_INVALID = "not valid in the imported table"


@dataclass(frozen=True)
class ObserverRows:
    """One observer's trials, in order.

    Attributes
    ----------
    observer
        Name of the observer.
    trials
        What was shown, and the response, trial by trial.
    block_sizes
        Trials of each block.
    contrasts
        The different contrasts, rising.
    is_contrast_relative
        Whether they are in a unit of their own, or unknown.
    notes
        What the analysis should know, a sentence each.
    """

    observer: str
    trials: tuple[tuple[TrialSpec, Response], ...]
    block_sizes: tuple[int, ...]
    contrasts: tuple[float, ...]
    is_contrast_relative: bool
    notes: tuple[str, ...]

    @property
    def n_pairs(self) -> int:
        """Trials that repeat another."""
        return sum(spec.repeats is not None for spec, _ in self.trials)

    @property
    def n_missing(self) -> int:
        """Trials without a response."""
        return sum(response.response is None for _, response in self.trials)

    @property
    def stimulus_id(self) -> Int[np.ndarray, " trial"]:
        """Row of the noise array of each trial."""
        return np.array([spec.stimulus_id for spec, _ in self.trials], np.int64)

    @property
    def target(self) -> Int[np.ndarray, " trial"]:
        """Target of each trial."""
        return np.array([spec.target for spec, _ in self.trials], np.int64)


def observer_rows(
    table: TrialFile,
    settings: TableSettings,
    fields: np.ndarray,
    signal: Mapping[str, Any],
) -> list[ObserverRows]:
    """Check a table and give each observer's trials.

    Parameters
    ----------
    table, settings
        What was read, and how it is to be read.
    fields
        The noise, (stimulus, interval, frame, row, column).
    signal
        Parameters of the signal, for the trial log.

    Returns
    -------
    list
        In the order in which the observers come in the table.

    Raises
    ------
    ValueError
        If a cell breaks its column's rule, or rows contradict each other; one sentence
        with the row, counted from 1 without the header.
    """
    columns = TableColumns(table, settings, fields)
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(columns.observer):
        rows_of.setdefault(name, []).append(row)
    return [
        _Observer(columns, name, rows).trials(signal) for name, rows in rows_of.items()
    ]


class _Observer:
    """One observer's rows of a table, in the order of their trial numbers."""

    def __init__(self, columns: TableColumns, name: str, rows: Sequence[int]) -> None:
        self.columns, self.name = columns, name
        self.rows = sorted(rows, key=lambda row: columns.trial[row])
        self.place = {columns.trial[row]: at for at, row in enumerate(self.rows)}
        if len(self.place) < len(rows):
            self._refuse_double_trial(rows)

    def trials(self, signal: Mapping[str, Any]) -> ObserverRows:
        """Give the trials, numbered from 0."""
        columns = self.columns
        contrast, notes = self._contrasts()
        different = sorted(set(contrast))
        blocks = Counter(columns.block[row] for row in self.rows)  # in their order
        number_of = {block: number for number, block in enumerate(blocks)}
        showings: Counter[int] = Counter()
        trials = []
        for at, row in enumerate(self.rows):
            first = self._first_showing(at)
            shown = at if first is None else first
            showings[shown] += 1
            spec = TrialSpec(
                trial=at,
                block=number_of[columns.block[row]],
                block_kind="main",
                condition=f"contrast-{contrast[at]:g}" if different[1:] else "main",
                stimulus_id=columns.stimulus_id[self.rows[shown]],
                pass_=showings[shown],
                repeats=first,
                contrast=contrast[at],
                target=columns.target[row],
                signal=signal,
            )
            trials.append((spec, self._response(row)))
        return ObserverRows(
            observer=self.name,
            trials=tuple(trials),
            block_sizes=tuple(blocks.values()),
            contrasts=tuple(different),
            is_contrast_relative=columns.is_relative,
            notes=(
                *notes,
                *self._notes(len(different)),
                *pass_notes(self.name, trials),
                *target_notes(columns, trials),
            ),
        )

    def _refuse_double_trial(self, rows: Sequence[int]) -> None:
        seen: set[int] = set()
        for row in rows:
            number = self.columns.trial[row]
            if number in seen:
                where = self.columns.at(row, "trial")
                rule = f"another number for each trial of {self.name}"
                raise ValueError(f"{where} must be {rule}, got {number} twice")
            seen.add(number)

    def _first_showing(self, at: int) -> int | None:
        """Find the trial that this one repeats; it must have shown the same."""
        columns, row = self.columns, self.rows[at]
        wanted = columns.repeats[row]
        if wanted is None:
            return None
        first = self.place.get(wanted)
        if first is None or first >= at:
            rule = "an earlier trial of the same observer"
        else:
            other = self.rows[first]
            if columns.repeats[other] is not None:
                rule = "the first showing, not another repeat"
            elif columns.target[row] != columns.target[other]:
                rule = "a trial of the same target"
            elif columns.contrast[row] != columns.contrast[other]:
                rule = "a trial of the same contrast"
            elif not columns.is_same_noise(row, other):
                rule = "a trial of the same noise"
            else:
                return first
        where = columns.at(row, "repeats")
        raise ValueError(f"{where} must be {rule}, got {wanted}")

    def _contrasts(self) -> tuple[list[float], list[str]]:
        """Give the contrast of each trial's condition, also where no signal was.

        The log has the condition's contrast for both classes of a yes/no task; tables
        often have 0 where there was no signal.
        """
        columns = self.columns
        given = [columns.contrast[row] for row in self.rows]
        blank = [
            at
            for at, row in enumerate(self.rows)
            if columns.target[row] == 0 and given[at] == 0
        ]
        has_signal = columns.task.has_target and not columns.task.is_forced_choice
        if not has_signal or not blank:
            return given, []
        shown: dict[str, set[float]] = {}
        for at, row in enumerate(self.rows):
            if columns.target[row] == 1:
                shown.setdefault(columns.block[row], set()).add(given[at])
        everywhere = set().union(*shown.values())
        contrast = list(given)
        for at in blank:
            in_block = shown.get(columns.block[self.rows[at]], set())
            condition = everywhere if len(everywhere) == 1 else in_block
            if len(condition) != 1:
                note = "trials without the signal have contrast 0 among several: "
                return given, [note + "there is no d' for each contrast"]
            contrast[at] = next(iter(condition))
        if contrast == given:
            return given, []
        note = "trials without the signal were given their condition's contrast, not 0"
        return contrast, [note]

    def _response(self, row: int) -> Response:
        columns = self.columns
        is_valid = columns.valid[row] != 0
        return Response(
            columns.response[row],
            rt_ms=columns.rt_ms[row],
            confidence=columns.confidence[row],
            valid=is_valid,
            invalid_reason=None if is_valid else _INVALID,
        )

    def _notes(self, n_contrasts: int) -> list[str]:
        """Say what looks wrong, or makes statistics impossible."""
        notes, n_targets = [], self.columns.task.n_targets
        if n_contrasts > _MANY_CONTRASTS and n_contrasts > len(self.rows) / 10:
            notes.append(
                f"{n_contrasts} different contrasts in {len(self.rows)} trials: group "
                "them, as statistics are taken within a contrast"
            )
        scores = [self.columns.score(row) for row in self.rows]
        known = [score for score in scores if score is not None]
        if not known:
            where = f"{self.columns.named('response')} of {self.name}"
            raise ValueError(f"{where} must be there in some trial, got none")
        chance, share = 1 / n_targets, sum(known) / len(known)
        if not self.columns.task.has_target:
            notes += choice_notes(self.columns, self.rows)
        elif share < chance - 3 * (chance * (1 - chance) / len(known)) ** 0.5:
            notes.append(
                f"only {share:.0%} of the responses are right: are target and response "
                "counted alike?"
            )
        notes += counting_notes(self.columns, self.rows)
        return notes + time_notes(self.columns, self.rows)
