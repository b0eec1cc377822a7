"""What can be shown: the trials of another session again, or noise of its own."""

from ..protocols.parts import FULL_CONTRAST
from ..protocols.protocol import Protocol
from ..stimulus.sources import GeneratedNoise, StoredNoise
from ..store.rows import SessionRow
from ..store.trial_log import Store


def require_source(store: Store, session_id: str, protocol: Protocol) -> SessionRow:
    """Give the session to be yoked to, if its trials can be shown again.

    Raises
    ------
    LookupError
        If there is no such session.
    ValueError
        If it is unfinished, or the protocol would show other stimuli.
    """
    source = store.session(session_id)
    if source.status != "finished":
        rule = "finished before another is yoked to it"
        raise ValueError(f"session {session_id} must be {rule}, got {source.status}")
    own = store.protocol(source.protocol_hash)
    if source.stimulus_hash != protocol.stimulus_hash or own.catch != protocol.catch:
        rule = f"that of session {session_id}'s stimuli ({source.protocol_name})"
        raise ValueError(f"the protocol must be {rule}, got {protocol.name}")
    if protocol.noise.source == StoredNoise.name:
        sha256 = source.noise_source.partition(":")[2]
        require_showable(own, StoredNoise(store.noise(sha256)))
    return source


def require_showable(protocol: Protocol, stored: StoredNoise) -> None:
    """Raise ValueError if imported trials cannot be shown again with their signal."""
    rule = f"known for trials of {protocol.name} to be shown again"
    if protocol.signal.kind == "unknown":
        raise ValueError(f"the signal must be {rule}, got a protocol without it")
    if protocol.contrast.unit == "relative":
        got = "one in a unit of its own"
        raise ValueError(f"the signal's contrast must be {rule}, got {got}")
    gain = max(abs(gain) for gain in protocol.signal.gains)
    signal = round(FULL_CONTRAST * gain * protocol.contrast.highest_shown)
    noise = stored.largest_level()
    if signal + noise > FULL_CONTRAST:
        rule = f"at most {FULL_CONTRAST} levels to be shown again"
        got = f"{signal} + {noise}; such trials were clipped"
        raise ValueError(f"signal and noise must be {rule}, got {got}")


def require_own_noise(protocol: Protocol) -> None:
    """Raise ValueError if the protocol's noise cannot be made for a new session."""
    name = protocol.noise.source
    if name != GeneratedNoise.name:
        rule = f"{GeneratedNoise.name} for a session of its own"
        hint = f"import a session of {protocol.name}, and yoke to it"
        raise ValueError(f"noise.source must be {rule}, got {name}; {hint}")
