"""Yoked: people and networks do the same psychophysics.

One protocol, one stimulus generator, one trial log, one analysis. The names below are
imported when they are first used, so that `import yoked` costs nothing.

Examples
--------
>>> import yoked
>>> protocol = yoked.load_protocol("bar-in-noise")
>>> observer = yoked.load_observer("template", efficiency=0.5)
>>> session = yoked.run(protocol, observer, seed=1, trials=1000, contrast=0.227)
>>> round(yoked.dprime(session).value, 1)
1.6
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yoked.analysis.agreement.choices import choices
    from yoked.analysis.agreement.closer import closer
    from yoked.analysis.agreement.closer_people import closer_to_people
    from yoked.analysis.agreement.compare import compare
    from yoked.analysis.agreement.group import group
    from yoked.analysis.agreement.profile import depth_profile
    from yoked.analysis.brain.ceiled import ceiled
    from yoked.analysis.brain.cka import cka
    from yoked.analysis.brain.complexity import layer_complexity
    from yoked.analysis.brain.encoding import encoding
    from yoked.analysis.brain.internal_consistency import internal_consistency
    from yoked.analysis.brain.layer_commitment import commit_layer
    from yoked.analysis.brain.predictivity import (
        neural_predictivity,
        transfer_predictivity,
    )
    from yoked.analysis.brain.rsa import rsa
    from yoked.analysis.double_pass.internal_noise import agreement
    from yoked.analysis.kernels.by_response import response_kernels
    from yoked.analysis.kernels.hotelling import hotelling_comparison
    from yoked.analysis.objects.consistency import object_consistency
    from yoked.analysis.plot import figure as plot
    from yoked.analysis.psychometric.fit import PsychometricSettings
    from yoked.analysis.sensitivity.bootstrap import bootstrap
    from yoked.analysis.sensitivity.by_task import dprime
    from yoked.analysis.sensitivity.confusion import confusion
    from yoked.analysis.sensitivity.roc import roc
    from yoked.analysis.sensitivity.sdt import dprime_from_counts
    from yoked.analysis.sessions.conditions import conditions
    from yoked.analysis.sessions.cueing import cueing
    from yoked.analysis.sessions.depths import depths
    from yoked.analysis.sessions.doubt import doubt
    from yoked.analysis.sessions.equivalent_noise import (
        session_equivalent_noise as equivalent_noise,
    )
    from yoked.analysis.sessions.kernel import kernel
    from yoked.analysis.sessions.psychometric import (
        psychometric,
        psychometric_from_counts,
    )
    from yoked.analysis.sessions.summary import summarise
    from yoked.analysis.spikes.covariance import triggered_covariance
    from yoked.analysis.spikes.local import local_average
    from yoked.analysis.spikes.local import polarity_changes as local_polarity_changes
    from yoked.analysis.spikes.noise_correlations import noise_correlations
    from yoked.analysis.spikes.psth import psth_reliability
    from yoked.analysis.spikes.triggered import triggered as triggered_average
    from yoked.analysis.trials.sign_test import sign_test
    from yoked.app.brain.layer_scores import layer_scores as brain_scores
    from yoked.app.brain.v1 import fetch_ringach, v1_battery
    from yoked.app.matched_noise import match_noise
    from yoked.app.recordings.cell_scores import score_cells
    from yoked.app.robustness.attack import attack_curve
    from yoked.app.robustness.corruption import corruption_curve
    from yoked.app.robustness.sensitivity import unit_sensitivity
    from yoked.app.scores.score import score
    from yoked.app.sweeps.collect import over_seeds
    from yoked.app.sweeps.sweep import sweep
    from yoked.experiments.imports.choice_files import read_choices
    from yoked.experiments.imports.helios import import_helios
    from yoked.experiments.imports.murray2015 import import_murray2015
    from yoked.experiments.imports.object_files import (
        read_object_probabilities,
        read_object_trials,
    )
    from yoked.experiments.imports.pritchett2015 import import_pritchett2015
    from yoked.experiments.imports.table import import_table
    from yoked.experiments.imports.table_explain import explain_table
    from yoked.experiments.imports.table_settings import TableSettings
    from yoked.experiments.imports.thomas2005 import import_gabor
    from yoked.experiments.protocols.files import load_protocol
    from yoked.experiments.protocols.sittings import load_sittings
    from yoked.experiments.recordings.files import load_recording
    from yoked.experiments.recordings.population import PopulationRecording
    from yoked.experiments.recordings.population_files import load_population
    from yoked.experiments.recordings.recording import Recording, Segment
    from yoked.experiments.recordings.write_plain import write_plain as write_recording
    from yoked.experiments.session.draw import trials
    from yoked.experiments.session.observer import Observer, ObserverNoise, Viewing
    from yoked.experiments.session.pooled import pooled
    from yoked.experiments.session.results import by_condition, load_session
    from yoked.experiments.stimulus.render import render
    from yoked.experiments.store.sqlite import open_store
    from yoked.models.backbones.dale import dale
    from yoked.models.backbones.fronted import Fronted
    from yoked.models.backbones.unshared import unshared
    from yoked.models.backbones.vone_block import VOneBlock
    from yoked.models.brain_score.as_brain_model import as_brain_model
    from yoked.models.brain_score.brain_observer import from_brain_model
    from yoked.models.brain_score.screen import place_on_screen
    from yoked.models.ganglion_cells.cell_signatures import (
        cell_anticipation,
        cell_omission,
        cell_reversal,
    )
    from yoked.models.ganglion_cells.fitted_file import load_fitted as load_cells
    from yoked.models.ganglion_cells.fitted_file import save_fitted as save_cells
    from yoked.models.ganglion_cells.fitting import FitSettings
    from yoked.models.ganglion_cells.fitting import fit as fit_cells
    from yoked.models.ganglion_cells.interpretation import attribution
    from yoked.models.ganglion_cells.learned_config import LearnedConfig
    from yoked.models.networks.attention import attend
    from yoked.models.networks.controls import Controls
    from yoked.models.networks.controls import apply as apply_controls
    from yoked.models.networks.foreign import load_into, read_weights
    from yoked.models.networks.from_torch import from_torch
    from yoked.models.networks.inputs import Preprocess
    from yoked.models.networks.named import make as make_network
    from yoked.models.networks.noisy import noisy
    from yoked.models.noise import noise_like
    from yoked.models.probing.feature_tuning import feature_tuning
    from yoked.models.probing.labels import label_pictures
    from yoked.models.recipes.train import train
    from yoked.models.regimes.train import train_on_pictures
    from yoked.models.registry import load as load_observer
    from yoked.models.registry import register
    from yoked.models.retina.gratings import (
        DifferenceOfGaussians,
        Grating,
        grating_responses,
    )
    from yoked.models.retina.signatures import (
        motion_reversal,
        omitted_stimulus,
        polarity_changes,
    )
    from yoked.models.retina.staged import StagedRetinaConfig, retina_front
    from yoked.models.simulate import run
    from yoked.models.training.losses import (
        choice_loss,
        kernel_loss,
        kernel_moments,
        task_loss,
    )
    from yoked.models.training.stream import TrialStream
    from yoked.models.white_box.kernels import white_box

__all__ = [
    "Controls",
    "DifferenceOfGaussians",
    "FitSettings",
    "Fronted",
    "Grating",
    "LearnedConfig",
    "Observer",
    "ObserverNoise",
    "PopulationRecording",
    "Preprocess",
    "PsychometricSettings",
    "Recording",
    "Segment",
    "StagedRetinaConfig",
    "TableSettings",
    "TrialStream",
    "VOneBlock",
    "Viewing",
    "agreement",
    "apply_controls",
    "as_brain_model",
    "attack_curve",
    "attend",
    "attribution",
    "bootstrap",
    "brain_scores",
    "by_condition",
    "ceiled",
    "cell_anticipation",
    "cell_omission",
    "cell_reversal",
    "choice_loss",
    "choices",
    "cka",
    "closer",
    "closer_to_people",
    "commit_layer",
    "compare",
    "conditions",
    "confusion",
    "corruption_curve",
    "cueing",
    "dale",
    "depth_profile",
    "depths",
    "doubt",
    "dprime",
    "dprime_from_counts",
    "encoding",
    "equivalent_noise",
    "explain_table",
    "feature_tuning",
    "fetch_ringach",
    "fit_cells",
    "from_brain_model",
    "from_torch",
    "grating_responses",
    "group",
    "hotelling_comparison",
    "import_gabor",
    "import_helios",
    "import_murray2015",
    "import_pritchett2015",
    "import_table",
    "internal_consistency",
    "kernel",
    "kernel_loss",
    "kernel_moments",
    "label_pictures",
    "layer_complexity",
    "load_cells",
    "load_into",
    "load_observer",
    "load_population",
    "load_protocol",
    "load_recording",
    "load_session",
    "load_sittings",
    "local_average",
    "local_polarity_changes",
    "make_network",
    "match_noise",
    "motion_reversal",
    "neural_predictivity",
    "noise_correlations",
    "noise_like",
    "noisy",
    "object_consistency",
    "omitted_stimulus",
    "open_store",
    "over_seeds",
    "place_on_screen",
    "plot",
    "polarity_changes",
    "pooled",
    "psth_reliability",
    "psychometric",
    "psychometric_from_counts",
    "read_choices",
    "read_object_probabilities",
    "read_object_trials",
    "read_weights",
    "register",
    "render",
    "response_kernels",
    "retina_front",
    "roc",
    "rsa",
    "run",
    "save_cells",
    "score",
    "score_cells",
    "sign_test",
    "summarise",
    "sweep",
    "task_loss",
    "train",
    "train_on_pictures",
    "transfer_predictivity",
    "trials",
    "triggered_average",
    "triggered_covariance",
    "unit_sensitivity",
    "unshared",
    "v1_battery",
    "white_box",
    "write_recording",
]

# public name: (module, name in it; none for the module itself)
_HOMES = {
    "Controls": ("models.networks.controls", "Controls"),
    "DifferenceOfGaussians": ("models.retina.gratings", "DifferenceOfGaussians"),
    "FitSettings": ("models.ganglion_cells.fitting", "FitSettings"),
    "Fronted": ("models.backbones.fronted", "Fronted"),
    "Grating": ("models.retina.gratings", "Grating"),
    "LearnedConfig": ("models.ganglion_cells.learned_config", "LearnedConfig"),
    "Observer": ("experiments.session.observer", "Observer"),
    "ObserverNoise": ("experiments.session.observer", "ObserverNoise"),
    "PopulationRecording": ("experiments.recordings.population", "PopulationRecording"),
    "Preprocess": ("models.networks.inputs", "Preprocess"),
    "PsychometricSettings": ("analysis.psychometric.fit", "PsychometricSettings"),
    "Recording": ("experiments.recordings.recording", "Recording"),
    "Segment": ("experiments.recordings.recording", "Segment"),
    "StagedRetinaConfig": ("models.retina.staged", "StagedRetinaConfig"),
    "TableSettings": ("experiments.imports.table_settings", "TableSettings"),
    "TrialStream": ("models.training.stream", "TrialStream"),
    "VOneBlock": ("models.backbones.vone_block", "VOneBlock"),
    "Viewing": ("experiments.session.observer", "Viewing"),
    "agreement": ("analysis.double_pass.internal_noise", "agreement"),
    "apply_controls": ("models.networks.controls", "apply"),
    "attack_curve": ("app.robustness.attack", "attack_curve"),
    "attend": ("models.networks.attention", "attend"),
    "attribution": ("models.ganglion_cells.interpretation", "attribution"),
    "bootstrap": ("analysis.sensitivity.bootstrap", "bootstrap"),
    "brain_scores": ("app.brain.layer_scores", "layer_scores"),
    "by_condition": ("experiments.session.results", "by_condition"),
    "ceiled": ("analysis.brain.ceiled", "ceiled"),
    "cell_anticipation": ("models.ganglion_cells.cell_signatures", "cell_anticipation"),
    "cell_omission": ("models.ganglion_cells.cell_signatures", "cell_omission"),
    "cell_reversal": ("models.ganglion_cells.cell_signatures", "cell_reversal"),
    "choice_loss": ("models.training.losses", "choice_loss"),
    "choices": ("analysis.agreement.choices", "choices"),
    "cka": ("analysis.brain.cka", "cka"),
    "closer": ("analysis.agreement.closer", "closer"),
    "closer_to_people": ("analysis.agreement.closer_people", "closer_to_people"),
    "commit_layer": ("analysis.brain.layer_commitment", "commit_layer"),
    "compare": ("analysis.agreement.compare", "compare"),
    "conditions": ("analysis.sessions.conditions", "conditions"),
    "confusion": ("analysis.sensitivity.confusion", "confusion"),
    "corruption_curve": ("app.robustness.corruption", "corruption_curve"),
    "cueing": ("analysis.sessions.cueing", "cueing"),
    "dale": ("models.backbones.dale", "dale"),
    "depth_profile": ("analysis.agreement.profile", "depth_profile"),
    "depths": ("analysis.sessions.depths", "depths"),
    "doubt": ("analysis.sessions.doubt", "doubt"),
    "dprime": ("analysis.sensitivity.by_task", "dprime"),
    "dprime_from_counts": ("analysis.sensitivity.sdt", "dprime_from_counts"),
    "encoding": ("analysis.brain.encoding", "encoding"),
    "equivalent_noise": (
        "analysis.sessions.equivalent_noise",
        "session_equivalent_noise",
    ),
    "explain_table": ("experiments.imports.table_explain", "explain_table"),
    "feature_tuning": ("models.probing.feature_tuning", "feature_tuning"),
    "fit_cells": ("models.ganglion_cells.fitting", "fit"),
    "from_torch": ("models.networks.from_torch", "from_torch"),
    "grating_responses": ("models.retina.gratings", "grating_responses"),
    "group": ("analysis.agreement.group", "group"),
    "hotelling_comparison": ("analysis.kernels.hotelling", "hotelling_comparison"),
    "import_gabor": ("experiments.imports.thomas2005", "import_gabor"),
    "import_helios": ("experiments.imports.helios", "import_helios"),
    "import_murray2015": ("experiments.imports.murray2015", "import_murray2015"),
    "import_pritchett2015": (
        "experiments.imports.pritchett2015",
        "import_pritchett2015",
    ),
    "import_table": ("experiments.imports.table", "import_table"),
    "internal_consistency": (
        "analysis.brain.internal_consistency",
        "internal_consistency",
    ),
    "kernel": ("analysis.sessions.kernel", "kernel"),
    "kernel_loss": ("models.training.losses", "kernel_loss"),
    "kernel_moments": ("models.training.losses", "kernel_moments"),
    "label_pictures": ("models.probing.labels", "label_pictures"),
    "layer_complexity": ("analysis.brain.complexity", "layer_complexity"),
    "load_cells": ("models.ganglion_cells.fitted_file", "load_fitted"),
    "load_into": ("models.networks.foreign", "load_into"),
    "load_observer": ("models.registry", "load"),
    "load_population": ("experiments.recordings.population_files", "load_population"),
    "load_protocol": ("experiments.protocols.files", "load_protocol"),
    "load_recording": ("experiments.recordings.files", "load_recording"),
    "load_session": ("experiments.session.results", "load_session"),
    "load_sittings": ("experiments.protocols.sittings", "load_sittings"),
    "local_average": ("analysis.spikes.local", "local_average"),
    "local_polarity_changes": ("analysis.spikes.local", "polarity_changes"),
    "make_network": ("models.networks.named", "make"),
    "match_noise": ("app.matched_noise", "match_noise"),
    "motion_reversal": ("models.retina.signatures", "motion_reversal"),
    "neural_predictivity": ("analysis.brain.predictivity", "neural_predictivity"),
    "noise_correlations": ("analysis.spikes.noise_correlations", "noise_correlations"),
    "noise_like": ("models.noise", "noise_like"),
    "noisy": ("models.networks.noisy", "noisy"),
    "object_consistency": ("analysis.objects.consistency", "object_consistency"),
    "omitted_stimulus": ("models.retina.signatures", "omitted_stimulus"),
    "open_store": ("experiments.store.sqlite", "open_store"),
    "over_seeds": ("app.sweeps.collect", "over_seeds"),
    "plot": ("analysis.plot.figure", ""),
    "polarity_changes": ("models.retina.signatures", "polarity_changes"),
    "pooled": ("experiments.session.pooled", "pooled"),
    "psth_reliability": ("analysis.spikes.psth", "psth_reliability"),
    "psychometric": ("analysis.sessions.psychometric", "psychometric"),
    "psychometric_from_counts": (
        "analysis.sessions.psychometric",
        "psychometric_from_counts",
    ),
    "read_choices": ("experiments.imports.choice_files", "read_choices"),
    "read_object_probabilities": (
        "experiments.imports.object_files",
        "read_object_probabilities",
    ),
    "read_object_trials": ("experiments.imports.object_files", "read_object_trials"),
    "read_weights": ("models.networks.foreign", "read_weights"),
    "register": ("models.registry", "register"),
    "render": ("experiments.stimulus.render", "render"),
    "response_kernels": ("analysis.kernels.by_response", "response_kernels"),
    "retina_front": ("models.retina.staged", "retina_front"),
    "roc": ("analysis.sensitivity.roc", "roc"),
    "rsa": ("analysis.brain.rsa", "rsa"),
    "run": ("models.simulate", "run"),
    "save_cells": ("models.ganglion_cells.fitted_file", "save_fitted"),
    "score": ("app.scores.score", "score"),
    "score_cells": ("app.recordings.cell_scores", "score_cells"),
    "sign_test": ("analysis.trials.sign_test", "sign_test"),
    "summarise": ("analysis.sessions.summary", "summarise"),
    "sweep": ("app.sweeps.sweep", "sweep"),
    "task_loss": ("models.training.losses", "task_loss"),
    "train": ("models.recipes.train", "train"),
    "train_on_pictures": ("models.regimes.train", "train_on_pictures"),
    "transfer_predictivity": ("analysis.brain.predictivity", "transfer_predictivity"),
    "trials": ("experiments.session.draw", "trials"),
    "triggered_average": ("analysis.spikes.triggered", "triggered"),
    "triggered_covariance": ("analysis.spikes.covariance", "triggered_covariance"),
    "unit_sensitivity": ("app.robustness.sensitivity", "unit_sensitivity"),
    "unshared": ("models.backbones.unshared", "unshared"),
    "white_box": ("models.white_box.kernels", "white_box"),
    "write_recording": ("experiments.recordings.write_plain", "write_plain"),
    "fetch_ringach": ("app.brain.v1", "fetch_ringach"),
    "v1_battery": ("app.brain.v1", "v1_battery"),
    "as_brain_model": ("models.brain_score.as_brain_model", "as_brain_model"),
    "from_brain_model": ("models.brain_score.brain_observer", "from_brain_model"),
    "place_on_screen": ("models.brain_score.screen", "place_on_screen"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'yoked' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    home = import_module(f".{module}", __name__)
    value = getattr(home, attribute) if attribute else home
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
