"""What each column of the exported trials means, in schema.org's words.

The same meanings as docs/trial-log.md, for people who have the data without Yoked.
"""

from typing import Any

_YES = {"minValue": 0, "maxValue": 1}
_COUNT = {"minValue": 0}
_MS = {"unitText": "milliseconds"}


def _meaning(description: str, **more: object) -> dict[str, Any]:
    return {"description": description, **more}


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
    "seed": _meaning("Seed of the noise fields and of the schedule", **_COUNT),
    "noise_source": _meaning(
        "How the noise field follows from seed and stimulus_id: yoked-1, matlab5-rand, "
        "or stored:SHA-256, an array in the log that nothing regenerates"
    ),
    "yoked_to": _meaning(
        "Session whose trials were shown again in this one; empty if it had its own"
    ),
    "excluded": _meaning("1 if the experimenter excluded the trial, else 0", **_YES),
    "trial": _meaning("Number of the trial in its session, from 0", **_COUNT),
    "block": _meaning("Number of the block in its session, from 0", **_COUNT),
    "block_kind": _meaning(
        "practice, calibration, main or catch; statistics take main trials only"
    ),
    "condition": _meaning("Name of the cell of the design"),
    "stimulus_id": _meaning("With the seed, identity of the noise field", **_COUNT),
    "pass": _meaning(
        "1, or 2 for the second showing in a double pass; imports may have more",
        minValue=1,
    ),
    "repeats": _meaning("Number of the trial that this one shows again; else empty"),
    "contrast": _meaning(
        "Contrast of the signal, (level - 128) / 127 at its peak", minValue=0
    ),
    "signal": _meaning("All other parameters of the signal, as JSON"),
    "target": _meaning(
        "Forced choice: the correct alternative, from 0. Yes/no and rating: the "
        "class, 1 = signal",
        **_COUNT,
    ),
    "response": _meaning(
        "Number of the response, from 0, in the order of the protocol's keys; empty if "
        "there was none",
        **_COUNT,
    ),
    "correct": _meaning("1 if right, 0 if wrong, empty without a response", **_YES),
    "rt_ms": _meaning("Response time from the onset of the last interval", **_MS),
    "confidence": _meaning("Confidence, where it was asked for"),
    "decision_variables": _meaning(
        "Of a model: the number behind each alternative, internal noise included, as a "
        "JSON list"
    ),
    "digest": _meaning(
        "SHA-256 of the contrast levels that were shown, (interval, frame, y, x) as "
        "bytes; empty where it was not sampled"
    ),
    "onsets_ms": _meaning(
        "Onset of each interval on the presenter's clock, as a JSON list", **_MS
    ),
    "frames_shown": _meaning("Screen refreshes during the stimulus", **_COUNT),
    "frames_dropped": _meaning("Refreshes that came late", **_COUNT),
    "valid": _meaning("1 if the trial was shown as it should be, else 0", **_YES),
    "invalid_reason": _meaning("Why the trial was not shown as it should be"),
    "received_at": _meaning("When the response was stored: ISO 8601, UTC"),
}
