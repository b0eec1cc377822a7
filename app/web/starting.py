"""How a session of the web task begins: a person's, or a model's that comes as one."""

import secrets

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.session import Session
from ...experiments.session.sittings import Due
from ...experiments.store.rows import ObserverInfo
from ...experiments.store.trial_log import Store
from ..lut import look_up_table
from ..studies.arms import Arm
from ..studies.description import Study
from ..studies.links import ModelOfLink


def observer_of(model: ModelOfLink | None) -> ObserverInfo:
    """Give who responds: somebody by a code that nobody has, or the model of a link."""
    if model is None:
        return ObserverInfo("person", f"participant-{secrets.token_hex(4)}")
    return ObserverInfo("model", model.name, dict(model.parameters), model.weights_hash)


def started(
    store: Store,
    study: Study,
    arm: Arm,
    protocol: Protocol,
    observer: ObserverInfo,
    sitting: Due | None,
    model: ModelOfLink | None = None,
) -> Session:
    """Begin a session of an arm; part of a transaction.

    A model sees the levels themselves: for it no screen is corrected.
    """
    planned = None
    if arm.plan is not None and sitting is not None:
        planned = sitting.planned(arm.plan)
    lut = study.lut if model is None else "identity"
    display = {"lut_name": lut, "lut": look_up_table(lut)}
    if arm.keys:
        display["keys"] = arm.keys
    return Session.start(
        store,
        protocol,
        observer,
        "web",
        observer_seed=None if model is None else model.observer_seed,
        display=display,
        sitting=planned,
    )
