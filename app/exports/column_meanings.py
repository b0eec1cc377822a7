"""What each column of the exported trials means, in schema.org's words.

The same meanings as docs/trial-log.md, for people who have the data without Yoked.
"""

from typing import Any

from ...experiments.store.trial_columns import FLAG, TRIAL, Column

_YES = {"minValue": 0, "maxValue": 1}


def _meaning(description: str, **more: object) -> dict[str, Any]:
    return {"description": description, **more}


def _of_trial(column: Column) -> dict[str, Any]:
    if column.kind is FLAG:
        return _meaning(column.meaning, **_YES)
    limits = {"minValue": column.low, "unitText": column.unit}
    known = {word: value for word, value in limits.items() if value is not None}
    return _meaning(column.meaning, **known)


COLUMN_MEANINGS = {
    "session": _meaning("Identity of the session: its date and a few letters"),
    "observer": _meaning("Code of the participant, or name of the model"),
    "observer_kind": _meaning("Who responded: person or model"),
    "presenter": _meaning(
        "What showed the trials: web (browser), lab (PsychoPy), model (in process), "
        "import (data that were published elsewhere)"
    ),
    "protocol": _meaning("Name of the protocol; materials/ has it in full"),
    "protocol_hash": _meaning("SHA-256 of the protocol's canonical JSON"),
    "seed": _meaning(
        "Seed of the noise fields and of the schedule: 'seed:' and an integer of up to "
        "19 digits, of which a number in R or a spreadsheet would lose the last"
    ),
    "noise_source": _meaning(
        "How the noise field follows from seed and stimulus_id: yoked-1, "
        "yoked-1-basis (coefficients of the protocol's images), matlab5-rand, "
        "matlab5-randn, or stored:SHA-256, an array in the log that nothing regenerates"
    ),
    "yoked_to": _meaning(
        "Session whose trials were shown again in this one; empty if it had its own"
    ),
    "excluded": _meaning("1 if the experimenter excluded the trial, else 0", **_YES),
    **{column.name: _of_trial(column) for column in TRIAL},
}
# Of the trials of a study, before those of the trial itself.
STUDY_MEANINGS = {
    "arm": _meaning("Arm of the study that the session was in"),
    "sitting": _meaning("Which sitting of its observer it was, from 1", minValue=1),
    "pilot": _meaning("1 if it was a pilot run, which counts for nothing", **_YES),
}
