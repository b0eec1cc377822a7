"""Six circuits are shadowed: kappa as a share of what their own noise leaves."""

import numpy as np
import pytest

import yoked
from tests.models.observers.played import CONTRASTS, GAMMA
from yoked.models.recipes.figures import likeness


def shadow_of(circuit, **training):
    """Train a shadow, as docs/training.md says."""
    return {
        "network": {"name": "element-mlp"},
        "goal": {
            "kind": "shadow",
            "protocol": "bar-in-noise",
            "observer": circuit,
            "internal_noise": GAMMA,
            "contrasts": [CONTRASTS[circuit]],
        },
        "training": {"steps": 800, "batch": 512, "rate": 1e-2, **training},
    }


def by_task(**training):
    return {
        "network": {"name": "element-mlp"},
        "goal": {"kind": "task", "protocol": "bar-in-noise"},
        "training": {"steps": 800, "batch": 512, "rate": 1e-2, **training},
    }


def test_a_complex_cell_is_shadowed_in_seconds():
    made = yoked.train(shadow_of("energy", steps=150, batch=256, checkpoint_every=75))
    found = made.held_out
    assert found.observer.kappa > 0.95 * found.ceiling.kappa
    assert found.always_right.kappa == 0


def responses(session):
    return session.counted.sort_values("trial")["response"].to_numpy(np.int64)


@pytest.fixture(scope="module")
def task_trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("task") / "task.safetensors"
    yoked.train(by_task(), path)
    return path


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("circuit", CONTRASTS)
def test_a_circuit_is_shadowed_on_a_session_of_new_trials(
    tmp_path, protocol, task_trained, circuit
):
    """The table of docs/training.md: `pytest -m slow -rP` prints its rows."""
    path = tmp_path / "shadow.safetensors"
    yoked.train(shadow_of(circuit), path)
    options = {"seed": 900, "trials": 8000, "contrast": CONTRASTS[circuit]}
    observer = yoked.load_observer(circuit)
    noisy = yoked.run(protocol, observer, internal_noise=GAMMA, **options)
    table = noisy.counted.sort_values("trial")
    targets, contrast = (
        table[each].to_numpy(kind)
        for each, kind in (("target", np.int64), ("contrast", np.float64))
    )

    def like(choices):
        return likeness(choices, responses(noisy), targets, contrast)

    ceiling, shadow, task = (
        like(responses(yoked.run(None, each, yoke_to=noisy)))
        for each in (
            observer,
            yoked.load_observer(str(path)),
            yoked.load_observer(str(task_trained)),
        )
    )
    right = like(targets)
    share = shadow.kappa / ceiling.kappa
    print(
        f"| `{circuit}` | {CONTRASTS[circuit]:.3f} | {ceiling.kappa:.3f} | "
        f"{shadow.agreement:.3f}, {share:.3f} | "
        f"{task.agreement:.3f}, {task.kappa / ceiling.kappa:.3f} | "
        f"{right.agreement:.3f}, {right.kappa / ceiling.kappa:.3f} |"
    )
    assert share >= 0.95
    assert task.kappa < shadow.kappa
    assert right.kappa == pytest.approx(0, abs=1e-12)
