"""Observers who guess now and then: internal noise, d', and the linear share."""

from contextlib import suppress

import numpy as np

from yoked.analysis.double_pass.lapses import fit_lapses
from yoked.analysis.kernels.lapse_share import share_without_lapses
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.estimate import CannotTell

from .showings import Shown, shown
from .study import Column, Found, Interval, Outside, Parameters, Table

ELEMENTS = 13
CELLS = (
    *(
        {"task": task, "lapses": rate, "catch": 100}
        for task in ("2afc", "yes_no")
        for rate in (0.0, 0.05, 0.1)
    ),
    *({"task": "2afc", "lapses": rate, "catch": 60} for rate in (0.0, 0.05, 0.1)),
    *({"task": "2afc", "lapses": rate, "catch": 20} for rate in (0.0, 0.1)),
    *({"task": "2afc", "lapses": 0.1, "catch": 60, "gamma": g} for g in (0.5, 2.0)),
    *(
        {"task": "2afc", "lapses": rate, "catch": 0, "contrasts": 28}
        for rate in (0.0, 0.1)
    ),
    *({"task": "2afc", "lapses": rate, "catch": 0} for rate in (0.0, 0.1)),
)


def session(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Give what a session of a lapsing observer says of it."""
    made = shown(cell, rng)
    found = fit_lapses(made.responses, made.n_errors, cell["catch"])
    at_face = found.if_none.internal_noise.gamma
    said: dict[str, Found] = {"gamma at face value": Interval.of(at_face, made.gamma)}
    if found.without is not None:
        noise = found.without.internal_noise
        said["gamma"] = Interval.of(noise.gamma, made.gamma)
        said["dprime"] = Interval.of(found.without.dprime, made.dprime)
        said["rate"] = Interval.of(found.rate, cell["lapses"])
    else:
        both = [one.internal_noise.r for one in (found.if_none, found.if_tenth)]
        lows, highs = ([getattr(r, end) for r in both] for end in ("low", "high"))
        said["range"] = bool(min(lows) <= made.r <= max(highs))
    if cell["catch"] == 100:
        trials = design(made, rng)
        with suppress(CannotTell):  # white noise that does not look it
            share = share_without_lapses(trials, made.n_errors, 100)
            said["share"] = Interval.of(share, made.r)
            said["share at face value"] = share_without_lapses(trials, 0, 10**6).value
    return said


def design(made: Shown, rng: np.random.Generator) -> TrialDesign:
    """Give the trials white noise whose projection on a template is what was used."""
    responses = made.responses
    template = np.exp(-(((np.arange(ELEMENTS) - 6) / 1.5) ** 2) / 2)
    template /= np.linalg.norm(template)
    noise = rng.normal(size=(len(responses), ELEMENTS))
    noise += np.outer(made.decision - noise @ template, template)
    noise = noise[responses.cluster].astype(np.float32)
    halves = np.stack([noise, np.zeros_like(noise)])
    _, cell = np.unique(responses.cell, return_inverse=True)
    return TrialDesign(
        response=responses.response == 1,
        target=responses.target,
        cell=cell,
        contrast=responses.contrast,
        cluster=responses.cluster,
        stratum=cell,
        halves=halves,
        shape=(1, 1, ELEMENTS),
        is_forced_choice=False,
    )


LAPSES = Table(
    name="lapses",
    title="Lapses",
    text=(
        "On a share of showings the observer guesses; 200 pairs in 600 trials, d' "
        "1.35, gamma 1 unless said, errors on catch trials drawn alike. Gamma and d' "
        "of attentive showings are conditional on the course of the criterion, as all "
        "that is printed with lapses. The linear share is of 13 elements, over the "
        "truth, as gamma and d' are. Without catch trials and at one contrast there is "
        "a range for no lapses to 10 %: per cent of sessions in which that of r holds "
        "the truth. At gamma 2 the upper end is open as a rule."
    ),
    cells=CELLS,
    session=session,
    first_session=80,
    columns=(
        Column("γ at face value", "gamma at face value", "median ratio"),
        Column("held", "gamma at face value", "held"),
        Column(
            "γ",
            "gamma",
            "median ratio",
            0.9,
            1.1,
            lambda cell: cell["catch"] >= 60 and cell.get("gamma", 1.0) <= 1,
        ),
        Column("held", "gamma", "held", 92),
        Column("d′", "dprime", "mean ratio"),
        Column("held", "dprime", "held", 92),
        Column("λ held", "rate", "held", 92),
        Column(
            "share at face value",
            "share at face value",
            "mean ratio",
            truth_of="share",
        ),
        Column("share", "share", "mean ratio", 0.95, 1.05),
        Column("held", "share", "held", 93),
        Column("range holds r", "range", "true", 93),
    ),
    outside=(
        Outside(
            "λ held",
            {"task": "2afc", "lapses": 0.05, "catch": 100},
            "two or three errors are expected of a hundred catch trials, so the rate's "
            "interval moves in steps; of gamma, d' and share they hold the truth",
        ),
        Outside(
            "held",
            {"lapses": 0.1, "catch": 20},
            "of d': where none of the one error expected of twenty catch trials comes, "
            "lapses are taken as rarer than they are; 60 catch trials do",
        ),
        Outside(
            "held",
            {"lapses": 0.1, "catch": 0, "contrasts": 28},
            "of d', 17 % too large: without catch trials lapses are told from the "
            "answers at high contrast alone; gamma and r hold",
        ),
    ),
)
