"""Rules that the parts of a protocol must keep together, and sizes of its variants."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .basis_rules import check_basis
from .checks import Faults, ProtocolError
from .contrast import QUEST_PLUS
from .parts import FULL_CONTRAST, Block, DoublePass, Parts, Signal
from .patterns import Drawn
from .picture import picture_levels
from .signal import signal_levels, signal_template
from .template import template_of


def check_together(protocol: Parts) -> None:
    """Raise ProtocolError with one sentence for every rule broken between parts."""
    faults = Faults()
    _check_headroom(protocol, faults)
    _check_signal_on_grid(protocol, faults)
    _check_source(protocol, faults)
    rule = "true unless the noise is stored and the task is not identify"
    task, is_stored = protocol.task, protocol.noise.source == "stored"
    fits = task.has_target or (is_stored and not task.identifies)
    faults.unless(fits, "task.has_target", rule, task.has_target)
    sd, rule = protocol.noise.sd, "in (0, 1]; it may be 0 in a condition"
    faults.unless(sd > 0 or protocol.condition != "", "noise.sd", rule, sd)
    _check_blocks(protocol, faults)
    _check_confidence(protocol, faults)
    _check_responses(protocol, faults)
    _check_identify(protocol, faults)
    faults.raise_any()
    _check_images(protocol, faults)
    faults.raise_any()
    check_basis(protocol, faults)
    faults.raise_any()
    _check_visible(protocol, faults)
    faults.raise_any()


def check_variants(protocol: Parts, of_signal: Callable[[Signal], object]) -> None:
    """Raise ProtocolError for every rule that a variant or a pattern breaks.

    Parameters
    ----------
    protocol
        With its variants, or patterns to be identified, if any.
    of_signal
        Gives the protocol with another signal, or raises ProtocolError.
    """
    faults, signal = Faults(), protocol.signal
    every = signal.drawn_from
    if len(every) == 1:
        return
    if signal.variants:
        source, rule = protocol.noise.source, "yoked-1 with variants of the signal"
        faults.unless(source == "yoked-1", "noise.source", rule, source)
        rule = "left out with variants of the signal"
        faults.unless(protocol.noise.basis is None, "noise.basis", rule, "one")
        faults.raise_any()
    for number, each in enumerate(every):
        try:
            of_signal(each)
        except ProtocolError as error:
            name = "variants" if signal.variants else "patterns"
            where = f"signal.{name}[{number}]: "
            faults.found += [where + fault for fault in error.faults]
    faults.raise_any()


def _check_headroom(protocol: Parts, faults: Faults) -> None:
    """Nothing may ever be clipped: noise and signal together fit in 127 levels.

    Stored noise was shown elsewhere: it is checked when it is to be shown again. Noise
    on a basis has rules of its own, `basis_rules.py`.
    """
    if protocol.noise.source == "stored" or protocol.noise.basis is not None:
        return
    if _is_elementwise(protocol):
        return  # of `_check_images`
    gain = max(abs(gain) for gain in protocol.signal.gains)
    for key, sd, contrast in _shown(protocol):
        noise, signal = (
            protocol.noise.max_level(sd),
            round(FULL_CONTRAST * gain * contrast),
        )
        if noise + signal > FULL_CONTRAST:
            room = FULL_CONTRAST - noise
            faults.found.append(
                f"{key} must be at most {room / FULL_CONTRAST:.3f} ({room} levels "
                f"beside noise of up to {noise}), got {contrast:g} ({signal} levels)"
            )


def _shown(protocol: Parts) -> list[tuple[str, float, float]]:
    """Give the key, SD and highest contrast of each kind of trial."""
    catch = protocol.catch
    shown = [("contrast", protocol.noise.sd, protocol.contrast.highest_shown)]
    if catch.n_per_block:
        shown.append(("catch.contrast", catch.sd, catch.contrast))
    return shown


def _is_elementwise(protocol: Parts) -> bool:
    """Whether the room for the signal differs from element to element."""
    has_picture = protocol.noise.picture_sha256 or protocol.signal.pedestal
    return bool(has_picture) or protocol.signal.contrast_rule != "peak"


def _check_images(protocol: Parts, faults: Faults) -> None:
    """What is drawn or read from files exists, differs, and has room in white noise."""
    noise, signal = protocol.noise, protocol.signal
    try:
        picture = picture_levels(protocol) if noise.basis is None else None
        if signal.kind == "patterns":
            faults.unless(_differ(protocol), "signal.patterns", *_EQUAL)
        if noise.basis is not None or not _is_elementwise(protocol):
            if signal.sha256 and noise.basis is None:
                signal_template(protocol)
            return
    except ProtocolError as error:
        faults.found += error.faults
        return
    behind = np.zeros(noise.grid) if picture is None else picture
    for key, sd, contrast in _shown(protocol):
        levels = [
            behind + signal_levels(protocol, gain * contrast) for gain in signal.gains
        ]
        beside = np.abs(levels).max(axis=0)
        worst = np.unravel_index(int(beside.argmax()), beside.shape)
        reach = noise.max_level(sd)
        if beside[worst] + reach > FULL_CONTRAST:
            faults.found.append(
                f"{key} must be such that signal and picture are at most "
                f"{FULL_CONTRAST - reach} levels beside noise of up to {reach}, got "
                f"{int(beside[worst])} at element {[int(i) for i in worst]}"
            )


def _differ(protocol: Parts) -> bool:
    """Whether no two patterns are equal."""
    signal, noise = protocol.signal, protocol.noise
    if not signal.is_of_many:
        return bool(template_of(signal, noise).any())
    every = [template_of(each, noise).tobytes() for each in signal.on_one_scale]
    return len(set(every)) == len(every)


_EQUAL = "patterns that differ", "equal ones"


def _check_responses(protocol: Parts, faults: Faults) -> None:
    """Note what a response means, where it is not said of each of them."""
    n = len(protocol.task.keys)
    for language, words in protocol.texts.responses.items():
        fits = isinstance(words, list | tuple) and len(words) == n
        fits = fits and all(isinstance(word, str) and word.strip() for word in words)
        rule = f"a list of {n} texts, one a key"
        faults.unless(fits, f"texts.responses.{language}", rule, words)


def _check_signal_on_grid(protocol: Parts, faults: Faults) -> None:
    names = ("frames", "rows", "columns")
    sizes: dict[str, int] = dict(zip(names, protocol.noise.grid, strict=True))
    if protocol.signal.kind == "array":
        n, n_values = math.prod(protocol.noise.grid), len(protocol.signal.values)
        rule = f"one for each of the grid's {n} elements"
        fits = n_values == n or bool(protocol.signal.sha256)
        faults.unless(fits, "signal.values", rule, n_values)
    _check_ranges(protocol.signal, "signal", sizes, faults)
    for i, pattern in enumerate(protocol.signal.patterns):
        _check_ranges(pattern, f"signal.patterns[{i}]", sizes, faults)
    if sizes["frames"] > 1:
        frame_ms = protocol.timing.frame_ms
        faults.unless(
            frame_ms > 0, "timing.frame_ms", "more than 0 in a movie", frame_ms
        )


def _check_confidence(protocol: Parts, faults: Faults) -> None:
    """A key has one meaning: a press that comes twice is no rating."""
    keys, task = protocol.confidence.keys, protocol.task
    rule = "other keys than the task's"
    shared = set(keys) & set(task.keys)
    faults.unless(not shared, "confidence.keys", rule, list(keys))
    fits = not keys or task.kind != "rating"
    faults.unless(fits, "confidence.keys", "none where a rating is asked", list(keys))


def _check_identify(protocol: Parts, faults: Faults) -> None:
    """Three patterns or more have a response each."""
    task, signal, n = protocol.task, protocol.signal, len(protocol.signal.patterns)
    if not task.identifies:
        rule = "identify with three patterns or more"
        faults.unless(not signal.is_of_many, "task.kind", rule, task.kind)
        return
    rule, kind = "patterns with task identify", signal.kind
    if not faults.unless(kind == "patterns", "signal.kind", rule, kind):
        return
    rule = "three or more with task identify; a yes_no task tells two apart"
    if faults.unless(signal.is_of_many, "signal.patterns", rule, n):
        rule = f"{n}, one for each pattern"
        faults.unless(len(task.keys) == n, "task.keys", rule, len(task.keys))
    source, rule = protocol.noise.source, "yoked-1 with task identify"
    faults.unless(source == "yoked-1", "noise.source", rule, source)


def _check_ranges(
    drawn: Drawn, key: str, sizes: dict[str, int], faults: Faults
) -> None:
    every = tuple(sizes)
    whole = dict.fromkeys(("array", "coefficients", "patterns", "unknown"), ())
    for name in {"bar": every, **whole}.get(drawn.kind, every[:1]):
        value, size = list(getattr(drawn, name)), sizes[name]
        rule = f"within the grid's {size} {name}, counted from 0"
        faults.unless(value[1] < size, f"{key}.{name}", rule, value)


def _check_source(protocol: Parts, faults: Faults) -> None:
    """Noise that is regenerated from published seeds is what it was, or it is wrong."""
    if protocol.noise.source != "yoked-1":
        rule = f"left out with noise {protocol.noise.source}"
        plain = not protocol.noise.picture_sha256 or protocol.noise.basis is not None
        faults.unless(plain, "noise.picture_sha256", rule, "one")
        signal = protocol.signal
        for name in ("pedestal", "contrast_rule"):
            value, default = getattr(signal, name), type(signal).__dict__[name]
            faults.unless(value == default, f"signal.{name}", rule, value)
    if protocol.noise.source == "stored":
        n_catch = protocol.catch.n_per_block
        rule = "0 with stored noise"
        faults.unless(n_catch == 0, "catch.n_per_block", rule, n_catch)
        return
    kind, unit = protocol.signal.kind, protocol.contrast.unit
    faults.unless(
        kind != "unknown", "signal.kind", "known unless the noise is stored", kind
    )
    rule = "contrast unless the noise is stored"
    faults.unless(unit == "contrast", "contrast.unit", rule, unit)
    if protocol.noise.source not in _OF_MATLAB:
        return
    noise, key = protocol.noise, f"of {protocol.noise.source}"
    sd, size = _OF_MATLAB[noise.source]
    for name, only in (("kind", "gaussian"), ("sd", sd), ("truncate_sd", 2.0)):
        value = getattr(noise, name)
        faults.unless(value == only, f"noise.{name}", f"{only} {key}", value)
    grid = list(noise.grid)
    faults.unless(grid == size, "noise.grid", f"{size} {key}", grid)
    kind = protocol.task.kind
    faults.unless(kind == "2afc", "task.kind", f"2afc with noise {key}", kind)
    n_catch = protocol.catch.n_per_block
    rule = f"0 with noise {key}"
    faults.unless(n_catch == 0, "catch.n_per_block", rule, n_catch)


# SD and grid of noise that is made again from published seeds.
_OF_MATLAB = {"matlab5-rand": (0.25, [1, 31, 31]), "matlab5-randn": (0.2, [1, 38, 38])}


def _check_visible(protocol: Parts, faults: Faults) -> None:
    """The signal must reach a level where its contrast is highest, unless that is 0."""
    if protocol.signal.kind == "unknown" or protocol.contrast.unit == "relative":
        return
    highest = protocol.contrast.highest_shown
    gains = max(protocol.signal.gains, key=abs)
    shown = bool(signal_levels(protocol, gains * highest).any())
    rule = "high enough for one level of signal, or 0"
    faults.unless(shown or highest == 0, "contrast", rule, highest)


def _check_blocks(protocol: Parts, faults: Faults) -> None:
    kinds = [block.kind for block in protocol.blocks]
    faults.unless("main" in kinds, "blocks", "a list with a main block", kinds)
    if "calibration" in kinds:
        n = protocol.contrast.n_steps
        faults.unless(n > 0, "contrast.n_steps", "given with a calibration block", n)
        values = list(protocol.contrast.values)
        rule = "one contrast with a calibration block"
        faults.unless(len(values) == 1, "contrast.values", rule, values)
    _check_procedure(protocol, "calibration" in kinds, faults)
    if protocol.noise.source in ("stored", "matlab5-randn"):  # pairs are what they were
        return
    pairs, gap = protocol.double_pass.n_pairs, protocol.double_pass.min_gap
    most = max(0, (protocol.n_main_trials - gap) // 2)
    rule = f"at most {most}, half of the main trials less min_gap"
    faults.unless(pairs <= most, "double_pass.n_pairs", rule, pairs)


def _check_procedure(protocol: Parts, calibrates: bool, faults: Faults) -> None:
    """QUEST+ thinks that chance is one half; a staircase has no opinion."""
    contrast, n = protocol.contrast, protocol.task.n_targets
    if not (calibrates or contrast.is_adaptive):
        return
    if protocol.noise.source == "stored":
        return
    if contrast.procedure == QUEST_PLUS:
        blocks = "a calibration block" if calibrates else "an adaptive main block"
        rule = f"two with {blocks} of QUEST+"
        faults.unless(n == 2, "the number of alternatives", rule, n)


def main_blocks(protocol: Parts, trials: int) -> tuple[Block, ...]:
    """Cut `trials` main trials into blocks like the protocol's first main block.

    Where conditions have blocks of their own, each has as many, of nearly equal length.
    """
    if trials < 1:
        raise ProtocolError([f"trials must be 1 or more, got {trials}"])
    other = tuple(block for block in protocol.blocks if block.kind != "main")
    model = next(block for block in protocol.blocks if block.kind == "main")
    if protocol.design.order == "blocked":
        n_conditions = len(protocol.conditions)
        n_blocks = n_conditions * max(1, trials // (n_conditions * model.n_trials))
        each, longer = divmod(trials, n_blocks)
        parts = ((each + 1, longer), (each, n_blocks - longer))
        return other + tuple(
            replace(model, n_trials=length, n_blocks=n) for length, n in parts if n
        )
    whole, rest = divmod(trials, model.n_trials)
    blocks = (replace(model, n_blocks=whole),) if whole else ()
    return (
        other + blocks + ((replace(model, n_trials=rest, n_blocks=1),) if rest else ())
    )


def pairs_for(protocol: Parts, trials: int) -> DoublePass:
    """Scale the double pass to another number of main trials."""
    plan = protocol.double_pass
    share = plan.n_pairs * trials // protocol.n_main_trials
    n = max(1, len(protocol.conditions))
    most = n * max(0, (trials // n - plan.min_gap) // 2)
    return replace(plan, n_pairs=min(share, most))
