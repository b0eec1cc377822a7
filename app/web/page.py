"""A folder with a page that runs a protocol's trials by itself, without our server.

The page makes the frames (`static/plugin-noise-trial`) and scores the responses; the
server takes no part in that. `page_sessions.py` reads what it saved.
"""

import json
import shutil
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ...experiments.protocols.keys import require_keys
from ...experiments.protocols.picture import picture_levels
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.texts import in_language
from ...experiments.session.runnable import require_own_noise
from ...experiments.session.schedule import PlannedSchedule
from ..hosting.static_files import STATIC
from ..lut import look_up_table
from .needs import needs
from .page_stimulus import shown_at, stimulus_parameters
from .phrases import phrases_in
from .server import require_vendor
from .texts import pages

FORMAT = "yoked-task-1"
TASK_FILE = "task.json"
_SAID = (
    "task.continue",
    "break.heading",
    "feedback.correct",
    "feedback.wrong",
    "feedback.missed",
)
_PARTS = ("page", "plugin-noise-trial", "vendor")


def page_protocol(protocol: Protocol) -> Protocol:
    """Give the variant that a page runs: nothing in it depends on the responses.

    Calibration falls away, and the contrast stays where the protocol has it: a page has
    no QUEST+ and no other procedure.

    Examples
    --------
    >>> import yoked
    >>> made = page_protocol(yoked.load_protocol("bar-in-noise"))
    >>> [block.kind for block in made.blocks], made.contrast.keep_correct
    (['practice', 'main'], (0.0, 1.0))
    """
    blocks = tuple(block for block in protocol.blocks if block.kind != "calibration")
    contrast = replace(protocol.contrast, keep_correct=(0.0, 1.0), main="constant")
    return replace(protocol, blocks=blocks, contrast=contrast)


@dataclass(frozen=True, eq=False)
class _Rows:
    """What a plan says of its trials, whatever its seed."""

    kind: list[str]
    contrast: list[float]
    condition: list[str]

    @classmethod
    def of(cls, protocol: Protocol) -> "_Rows":
        """Take a plan of the protocol."""
        plan = PlannedSchedule(protocol, seed=0, always_valid=True)
        columns = plan.columns(plan.n_planned)
        names = ("block_kind", "contrast", "condition")
        return cls(*([*map(_plain, columns[name])] for name in names))

    def contrast_of(self, kind: str) -> float:
        """Give the contrast of a kind of trials that has one; 0 without such trials."""
        found = zip(self.kind, self.contrast, strict=True)
        return next((contrast for one, contrast in found if one == kind), 0.0)

    def main(self, values: tuple[float, ...]) -> list[dict[str, Any]]:
        """Give contrast and condition of the main trials, in the protocol's order."""
        every = zip(self.kind, self.contrast, self.condition, strict=True)
        named = {at: name for kind, at, name in every if kind == "main"}
        # A plan of few trials may have no room for all.
        used = [value for value in values if value in named]
        return [{"contrast": value, "condition": named[value]} for value in used]


def task_parameters(
    protocol: Protocol, lut: str = "srgb", language: str = "en"
) -> dict[str, Any]:
    """Give all that a page needs to run a protocol: what `task.json` has.

    Parameters
    ----------
    protocol
        As `page_protocol` gives it.
    lut
        'srgb' or 'identity'; see `look_up_table`.
    language
        Of the instructions and of the page's own words.

    Raises
    ------
    ValueError
        If the noise is not of the contract `yoked-1`, or the protocol asks for what a
        page has not.
    ProtocolError
        If a key is none of a keyboard's.
    """
    require_own_noise(protocol)
    _require_in_page(protocol)
    require_keys(protocol)
    screen, rows = needs(protocol), _Rows.of(protocol)
    shown = {*protocol.contrast.values, *protocol.contrast.grid, *rows.contrast}
    return {
        "format": FORMAT,
        "software": f"yoked {version('yoked')}",
        "protocol": protocol.to_dict(),
        "protocol_hash": protocol.hash,
        "name": protocol.name,
        "title": protocol.title,
        "task_kind": protocol.task.kind,
        "n_responses": protocol.n_responses,
        "choices": screen.pop("keys"),
        **screen,
        "lut_name": lut,
        "lut": look_up_table(lut),
        "background": protocol.display.background,
        "instructions": pages(in_language(protocol.texts.instructions, language)),
        **_spoken(language),
        "stimulus": stimulus_parameters(protocol),
        "contrasts": [shown_at(protocol, value) for value in sorted(shown)],
        "design": _design(protocol, rows),
    }


def _spoken(language: str) -> dict[str, Any]:
    """Give the few texts that `static/page` says."""
    spoken = phrases_in(language).of("task", "break", "feedback")
    texts = {name: spoken["texts"][name] for name in _SAID}
    return {**spoken, "texts": texts}


def _require_in_page(protocol: Protocol) -> None:
    """Refuse what a page would leave out without a word."""
    timing, is_white = protocol.timing, protocol.noise.basis is None
    asked = {
        "a picture": is_white and picture_levels(protocol) is not None,
        "[[conditions]]": bool(protocol.conditions),
        "variants of the signal": bool(protocol.signal.variants),
        "[places]": protocol.places.count > 0,
        "task identify": protocol.task.identifies,
        "touch": protocol.task.touch,
        "[viewing]": bool(protocol.viewing.measure),
        "[breaks]": protocol.breaks.at_least_s > 0,
        "[confidence]": protocol.confidence.is_asked,
        "tones": protocol.feedback.by != "text",
        "jitter": bool(timing.fixation_jitter_ms or timing.gap_jitter_ms),
    }
    found = [what for what, is_there in asked.items() if is_there]
    if found:
        rule = "without what a page of its own has not; our server runs it"
        got = f"{protocol.name} with {', '.join(found)}"
        raise ValueError(f"the protocol must be {rule}, got {got}")


def _design(protocol: Protocol, rows: _Rows) -> dict[str, Any]:
    blocks = [block for block in protocol.blocks for _ in range(block.n_blocks)]
    return {
        "n_targets": protocol.task.n_targets,
        "blocks": [
            {"kind": b.kind, "n_trials": b.n_trials, "feedback": b.feedback}
            for b in blocks
        ],
        "main": rows.main(protocol.contrast.values),
        "practice": rows.contrast_of("practice"),
        "catch": {
            "n_per_block": protocol.catch.n_per_block,
            "contrast": protocol.catch.contrast,
        },
        "double_pass": vars(protocol.double_pass),
    }


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def write_page(
    protocol: Protocol, folder: Path, lut: str = "srgb", language: str = "en"
) -> None:
    """Write a folder that runs a protocol in any browser, from any web server.

    Parameters
    ----------
    protocol
        As `page_protocol` gives it.
    folder
        New, or empty.
    lut, language
        As for `task_parameters`.

    Raises
    ------
    ValueError
        If the folder has anything in it, or as `task_parameters` does.
    """
    require_vendor()
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"the folder must be new or empty, got {folder}")
    parameters = task_parameters(protocol, lut, language)
    for part in _PARTS:
        to = folder if part == "page" else folder / part
        shutil.copytree(STATIC / part, to, dirs_exist_ok=True)
    text = json.dumps(parameters, ensure_ascii=False)
    (folder / TASK_FILE).write_text(text, encoding="utf-8")
