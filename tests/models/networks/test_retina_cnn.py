"""retina-cnn: how well it learns, how its weights are kept, and what is refused."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import ndtri

from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.models.networks.retina_cnn import RetinaCNN, RetinaCNNConfig
from yoked.models.networks.weights import load_weights, weights_hash
from yoked.models.retina.mosaic import as_contrast_tensor
from yoked.models.training.practice import TrainingPlan

# Minutes on a slow machine, which is no fault.
pytestmark = pytest.mark.timeout(1800)

SHORT = TrainingPlan(n_steps=3, batch=16)
SEEDS = (1, 2)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("YOKED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return two networks trained as usual on bar-in-noise, and their seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOKED_CACHE", str(tmp_path_factory.mktemp("trained")))
        protocol, found = load_protocol("bar-in-noise"), []
        for seed in SEEDS:
            start = time.process_time()
            observer = learnt(protocol, seed=seed)
            found.append((observer, time.process_time() - start))
    return found


def learnt(protocol, progress=None, **options):
    observer = RetinaCNN(**options)
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol), progress)
    return observer


def decide(observer, frames, trials=None):
    trials = np.arange(len(frames)) if trials is None else trials
    return observer.decide(frames, ObserverNoise(1, trials))


@pytest.mark.parametrize("i", range(len(SEEDS)))
def test_a_network_comes_near_the_ideal_observer(protocol, trained, i):
    observer, seconds = trained[i]
    table, frames = Practice(protocol).draw(4096, 9_000_000, 0.227)
    correct = (decide(observer, frames).argmax(1) == table["target"]).mean()
    assert math.sqrt(2) * ndtri(correct) >= 1.45  # the ideal has 2.28
    assert seconds < 120


def test_seeds_make_different_individuals(trained):
    assert len({observer.weights_hash for observer, _ in trained}) == len(SEEDS)


def test_scores_rise_with_the_bar_and_can_be_differentiated(protocol, trained):
    observer = trained[0][0]
    _, frames = Practice(protocol).draw(100)
    contrast = as_contrast_tensor(torch.from_numpy(frames)).requires_grad_()
    observer.scores(contrast).sum().backward()
    columns = contrast.grad.sum((0, 1, 2, 3)).reshape(13, 4).sum(1)
    assert columns.argmax() == 6
    assert columns[6] > 0


@pytest.mark.parametrize("name", protocol_names())
def test_it_learns_every_shipped_protocol_and_no_batch_changes_its_decisions(name):
    protocol = load_protocol(name)
    observer = learnt(protocol, plan=SHORT)
    _, frames = Practice(protocol).draw(20)
    whole = decide(observer, frames)
    assert whole.shape == (20, protocol.n_intervals)
    parts = [decide(observer, frames[i : i + 7]) for i in range(0, 20, 7)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_training_is_the_same_for_the_same_seed(protocol, cache):
    first = learnt(protocol, plan=SHORT).weights_hash
    for file in cache.iterdir():
        file.unlink()
    assert learnt(protocol, plan=SHORT).weights_hash == first
    assert learnt(protocol, plan=SHORT, seed=2).weights_hash != first


def test_torchs_own_generator_stays_as_it_was(protocol):
    before = torch.get_rng_state()
    learnt(protocol, plan=SHORT)
    assert torch.equal(torch.get_rng_state(), before)


def test_trained_weights_are_found_again_at_another_contrast(protocol):
    steps = []
    first = learnt(protocol, lambda *step: steps.append(step), plan=SHORT)
    assert steps[-1] == (3, 3)
    fainter = protocol.with_options(contrast=0.1)
    second = learnt(fainter, lambda *step: steps.append(step), plan=SHORT)
    assert len(steps) == 3
    assert first.weights_hash == second.weights_hash


def test_other_stimuli_plans_seeds_and_retinas_have_files_of_their_own(protocol, cache):
    learnt(protocol, plan=SHORT)
    learnt(protocol, plan=SHORT, seed=2)
    learnt(protocol, plan=replace(SHORT, n_steps=2))
    learnt(protocol, plan=SHORT, config=RetinaCNNConfig(n_channels=4))
    learnt(load_protocol("bar-polarity"), plan=SHORT)
    assert len(list(cache.iterdir())) == 5


def test_a_network_that_knows_the_stimuli_learns_nothing_more(protocol):
    observer = learnt(protocol, plan=SHORT)
    before = observer.weights_hash
    observer.learn(Practice(protocol), progress=pytest.fail)
    assert observer.weights_hash == before


def test_interrupted_training_leaves_no_file(protocol, cache):
    def interrupt(done, n_steps):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        learnt(protocol, interrupt, plan=SHORT)
    assert not cache.exists() or not list(cache.iterdir())


def test_a_damaged_cache_is_made_anew(protocol, cache):
    first = learnt(protocol, plan=SHORT).weights_hash
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    assert learnt(protocol, plan=SHORT).weights_hash == first
    assert weights_hash(load_weights(file)[0]) == first


def test_a_cache_that_cannot_be_written_is_a_warning(protocol, cache):
    cache.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="retina-cnn must be trained again next time"):
        assert learnt(protocol, plan=SHORT).weights_hash


def test_saved_weights_bring_their_seed_and_the_same_decisions(protocol, tmp_path):
    first = learnt(protocol, plan=SHORT, seed=7)
    first.save(tmp_path / "w.pt")
    second = learnt(protocol, pytest.fail, weights=tmp_path / "w.pt")
    _, frames = Practice(protocol).draw(5)
    assert np.array_equal(decide(first, frames), decide(second, frames))
    assert second.weights_hash == first.weights_hash
    assert second.parameters["seed"] == 7


def test_a_weights_file_holds_tensors_and_plain_data_alone(protocol, tmp_path):
    learnt(protocol, plan=SHORT).save(tmp_path / "w.pt")
    found = torch.load(tmp_path / "w.pt", weights_only=True)
    assert sorted(found) == ["origin", "state"]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["w.pt"]


def test_weights_for_other_stimuli_are_refused(protocol, tmp_path):
    learnt(protocol, plan=SHORT).save(tmp_path / "w.pt")
    rule = r"must be trained on the stimuli of bar-polarity, got bar-in-noise \("
    with pytest.raises(ValueError, match=rule):
        learnt(load_protocol("bar-polarity"), weights=tmp_path / "w.pt")


def test_weights_of_another_network_are_refused(protocol, tmp_path):
    learnt(protocol, plan=SHORT).save(tmp_path / "w.pt")
    with pytest.raises(ValueError, match="must be of this network at this viewing"):
        learnt(
            protocol, weights=tmp_path / "w.pt", config=RetinaCNNConfig(n_channels=4)
        )


def test_a_file_that_holds_no_weights_is_refused(protocol, tmp_path):
    (tmp_path / "w.pt").write_text("no weights")
    with pytest.raises(ValueError, match="weights that Yoked wrote, got a damaged"):
        learnt(protocol, weights=tmp_path / "w.pt")


def test_a_missing_weights_file_is_missing(protocol, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pt"):
        learnt(protocol, weights=tmp_path / "none.pt")


def test_it_must_be_prepared_then_learn_then_decide(protocol):
    _, frames = Practice(protocol).draw(2)
    with pytest.raises(ValueError, match="must be prepared before it learns"):
        RetinaCNN().learn(Practice(protocol))
    with pytest.raises(ValueError, match="retina-cnn must learn before it decides"):
        decide(RetinaCNN(), frames)
    with pytest.raises(ValueError, match="retina-cnn must learn before it saves"):
        RetinaCNN().save("never.pt")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_same_weights_decide_alike_on_a_gpu(protocol, tmp_path):
    there = learnt(protocol, plan=SHORT, device="cuda")
    there.save(tmp_path / "w.pt")
    here = learnt(protocol, weights=tmp_path / "w.pt")
    _, frames = Practice(protocol).draw(5)
    assert decide(there, frames) == pytest.approx(decide(here, frames), abs=1e-4)


def test_a_device_that_is_no_device_is_refused():
    with pytest.raises(
        ValueError, match="device must be cpu, cuda or cuda:N, got 'abacus'"
    ):
        RetinaCNN(device="abacus")


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device must be there, got 'cuda'"):
        RetinaCNN(device="cuda")


def test_an_architecture_out_of_range_is_refused():
    with pytest.raises(ValueError, match="kernel must be odd, got 4"):
        RetinaCNNConfig(kernel=4)
    with pytest.raises(ValueError, match="n_channels must be more than 0, got 0"):
        RetinaCNNConfig(n_channels=0)
