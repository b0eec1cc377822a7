"""The human data of Thomas & Knoblauch (2005): every published number, and refusals."""

import builtins
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from yoked.analysis.sessions.kernel import kernel as kernel_of
from yoked.analysis.sessions.summary import summarise
from yoked.experiments.imports import thomas2005 as gabor
from yoked.experiments.imports.thomas2005 import gabor_signal, import_gabor, read_gabor
from yoked.experiments.protocols.signal import signal_template
from yoked.experiments.session.results import load_session
from yoked.experiments.store.sqlite import open_store
from yoked.models.registry import load
from yoked.models.simulate import run

pytest.importorskip("rdata")


@pytest.fixture(scope="module")
def file(shared_data):
    return shared_data("gabor/Gabor.rda")


@pytest.fixture(scope="module")
def imported(file, tmp_path_factory):
    db_path = tmp_path_factory.mktemp("gabor") / "results.db"
    return load_session(db_path, import_gabor(file, db_path))


def class_means(session):
    """Return the mean noise of each (target, response)."""
    trials = session.counted
    noise = session.noise.field(trials, 0)[:, :, 0, 0]
    target, response = (trials[c].to_numpy(int) for c in ("target", "response"))
    return {
        (t, r): noise[(target == t) & (response == r)].mean(axis=0)
        for t in (0, 1)
        for r in (0, 1)
    }


def test_the_session_has_every_trial_in_time_and_nothing_in_space(imported):
    trials = imported.trials
    assert len(imported.counted) == 3584
    assert trials["block"].tolist() == np.repeat(np.arange(16), 224).tolist()
    assert imported.protocol.noise.grid == (32, 1, 1)
    assert imported.noise.field(trials.iloc[:2], 0).shape == (2, 32, 1, 1)
    assert (imported.status, imported.row.presenter) == ("finished", "import")
    assert imported.observer == gabor.OBSERVER


def test_outcomes_and_sensitivity_are_the_published_ones(imported):
    counts = imported.trials.groupby(["target", "response"]).size()
    assert counts.tolist() == [1174, 618, 514, 1278]  # CR, FA, M, H
    z = NormalDist().inv_cdf
    hit, false_alarm = z(1278 / 1792), z(618 / 1792)
    assert round(hit - false_alarm, 6) == 0.961887
    assert round(-(hit + false_alarm) / 2, 6) == -0.081725
    pooled = summarise(imported).pooled  # ours: .5 is added to the counts
    assert pooled.dprime.value == pytest.approx(0.961887, abs=1e-3)
    assert pooled.criterion.value == pytest.approx(-0.081725, abs=1e-3)


def test_class_means_correlate_with_the_signal_as_published(imported):
    means = class_means(imported)
    signal = signal_template(imported.protocol).ravel()
    present = means[1, 1] - means[1, 0]
    absent = means[0, 1] - means[0, 0]
    found = [np.corrcoef(m, signal)[0, 1] for m in (present, absent, present + absent)]
    assert np.round(found, 4).tolist() == [0.9005, -0.0577, 0.8176]


def test_the_kernel_runs_over_time(imported):
    kernel = kernel_of(imported, method="weighted_sum")
    assert kernel.kernel.shape == (32, 1, 1)
    signal = signal_template(imported.protocol).ravel()
    assert np.corrcoef(kernel.kernel.ravel(), signal)[0, 1] == pytest.approx(
        0.8176, abs=0.02
    )


def test_the_noise_is_uniform_within_three_tenths(imported):
    noise = imported.noise.field(imported.trials, 0)
    assert noise.dtype == np.float32
    assert noise.min() == np.float32(-0.3)
    assert noise.max() < 0.3
    assert noise.std() == pytest.approx(imported.protocol.noise.sd, rel=1e-3)


def test_every_field_was_shown_twice_two_blocks_apart_with_one_target(imported):
    trials = imported.trials
    second = trials[trials["repeats"].notna()]
    first = trials.loc[second["repeats"].astype(int)]
    assert len(second) == len(first) == 1792
    apart = second["trial"].to_numpy() - first["trial"].to_numpy()
    assert (apart == 448).all()
    np.testing.assert_array_equal(first["target"], second["target"])
    same = second["response"].to_numpy() == first["response"].to_numpy()
    assert round(float(same.mean()), 4) == 0.7221
    assert summarise(imported).pooled.agreement.value == same.mean()


def test_strength_of_the_signal_is_declared_where_a_template_is_as_good(imported):
    contrast = imported.protocol.contrast
    assert contrast.unit == "declared"
    assert set(imported.trials["contrast"]) == {gabor.DECLARED_CONTRAST}
    pooled = summarise(imported).pooled
    gamma, length = (
        pooled.internal_noise.gamma.value,
        np.linalg.norm(signal_template(imported.protocol)),
    )
    sd = imported.protocol.noise.sd
    as_good = pooled.dprime.value * np.sqrt(1 + gamma**2) * sd / length
    assert as_good == pytest.approx(gabor.DECLARED_CONTRAST, rel=0.02)


def test_a_model_is_shown_the_observers_trials(imported):
    template = load("template")
    model = run(observer=template, yoke_to=imported, internal_noise=0.91)
    assert len(model.counted) == len(imported.counted)
    ours, theirs = (summarise(one).pooled for one in (imported, model))
    assert theirs.dprime.value == pytest.approx(ours.dprime.value, abs=0.15)
    assert theirs.agreement.value == pytest.approx(ours.agreement.value, abs=0.03)


def test_the_signal_is_two_cycles_of_a_sine_under_a_gaussian():
    signal = gabor_signal()
    assert signal.shape == (32,)
    middle, last = 15, 31  # 320 and 640 ms
    assert signal[[middle, last]] == pytest.approx([0, 0], abs=1e-12)
    np.testing.assert_allclose(signal[16:31], -signal[14::-1], atol=1e-12)  # odd
    assert np.flatnonzero(signal > 0.8).tolist() == [18, 19]


def test_the_same_file_again_is_refused(file, db_path):
    first = import_gabor(file, db_path)
    with pytest.raises(ValueError, match=rf"must be new .* session {first} again"):
        import_gabor(file, db_path)


def test_an_altered_file_is_refused_and_nothing_is_written(file, tmp_path, db_path):
    altered = tmp_path / "Gabor.rda"
    altered.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match=rf"SHA-256 {gabor.SHA256}, got "):
        import_gabor(altered, db_path)
    assert not db_path.exists()
    with pytest.raises(ValueError, match=r"Gabor\.rda must be an R data file, got "):
        import_gabor(altered, db_path, allow_unpublished=True)
    assert not db_path.exists()


def test_an_altered_file_that_is_allowed_says_so_in_its_observers_name(
    file, db_path, monkeypatch
):
    monkeypatch.setattr(gabor, "SHA256", "0" * 64)
    session = import_gabor(file, db_path, allow_unpublished=True)
    store = open_store(db_path)
    observer = store.session(session).observer
    store.close()
    assert observer.name == f"{gabor.OBSERVER}-altered"
    assert observer.parameters["published"] is False


def changed(file, monkeypatch, change):
    """Read the file with a change to its table."""
    table = gabor._table("Gabor.rda", file.read_bytes())
    monkeypatch.setattr(gabor, "_table", lambda *_: change(table.copy()))
    return read_gabor(file)


def _without_last_row(table):
    return table.iloc[:-1]


def _two_outcomes(table):
    table["resp"] = table["resp"].astype(str)
    table.iloc[40, 0] = "CR" if table.iloc[40, 0] != "CR" else "H"
    return table


def _another_outcome(table):
    table["resp"] = table["resp"].astype(str).replace("H", "hit")
    return table


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_without_last_row, r"must have 32 rows a trial, .* got 114687 rows"),
        (lambda table: table.iloc[::-1], "must have 32 rows a trial, times 1 to 32"),
        (_two_outcomes, "trial 2 in Gabor.rda must have one resp, got several"),
        (_another_outcome, "resp of trial 1 in .* must be H, M, FA or CR, got 'hit'"),
        (lambda table: table.drop(columns="N"), "must have a column N, got none"),
    ],
)
def test_another_structure_is_refused(file, monkeypatch, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        changed(file, monkeypatch, change)


def test_a_missing_file_is_named(tmp_path, db_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.rda"):
        import_gabor(tmp_path / "nowhere.rda", db_path)


def test_r_data_without_its_package_say_what_to_install(file, db_path, monkeypatch):
    real = builtins.__import__

    def refusing(name, *rest):
        if name.split(".")[0] == "rdata":
            raise ModuleNotFoundError("none", name="rdata")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(
        ModuleNotFoundError, match=r'rdata: pip install "yoked\[data\]"'
    ):
        import_gabor(file, db_path)


def test_without_pairs_the_kernel_is_the_same(imported):
    """Which trials repeat one another changes standard errors, not means."""
    alone = replace(imported, trials=imported.trials.assign(repeats=None))
    alone.trials["repeats"] = alone.trials["repeats"].astype("Int64")
    ours, theirs = (
        kernel_of(imported, method="weighted_sum"),
        kernel_of(alone, method="weighted_sum"),
    )
    np.testing.assert_allclose(ours.kernel, theirs.kernel, rtol=0, atol=1e-9)
