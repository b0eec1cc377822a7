"""What a model is to run, settled and checked before anything is written."""

from typing import TYPE_CHECKING

from ..experiments.protocols.protocol import Protocol
from ..experiments.stimulus.seeds import fresh_seed, require_session_seed
from .decision import require_criterion

if TYPE_CHECKING:  # brings the database, which a model does not need
    from ..experiments.store.sqlite import Store


def what_to_run(
    store: "Store",
    protocol: Protocol | None,
    seed: int | None,
    yoke_to: str | None,
    trials: int | None,
    contrast: float | None,
) -> tuple[Protocol, int, str]:
    """Settle the protocol, the seed and the noise source; refuse what cannot be run."""
    from ..experiments.session.runnable import require_source

    if yoke_to is not None:
        if trials is not None or contrast is not None:
            rule = "left to the source in a yoked session"
            got = trials if trials is not None else contrast
            raise ValueError(f"trials and contrast must be {rule}, got {got}")
        row = store.session(yoke_to)
        own = protocol or store.protocol(row.protocol_hash)
        require_source(store, yoke_to, own)
        return (
            own,
            row.seed if seed is None else seed,
            row.noise_source,
        )
    if protocol is None:
        raise ValueError("protocol must be given unless yoke_to is, got None")
    protocol = protocol.with_options(trials=trials, contrast=contrast)
    seed = fresh_seed() if seed is None else seed
    require_runnable(protocol, seed)
    return protocol, seed, protocol.noise.generator


def require_runnable(
    protocol: Protocol, seed: int | None, criterion: float | None = None
) -> None:
    """Raise ValueError for what can be refused before a trial log is made."""
    from ..experiments.session.procedures import require_procedures
    from ..experiments.session.runnable import require_own_noise

    require_own_noise(protocol)
    require_procedures(protocol)
    if seed is not None:
        require_session_seed("seed", seed)
    require_criterion(criterion, protocol.task)
