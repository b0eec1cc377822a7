"""Two imports of one design share their stimuli, whatever the SD of either sample."""

from dataclasses import replace

import numpy as np
import pytest

from yoked.analysis.agreement.group import group
from yoked.analysis.agreement.profile import depth_profile
from yoked.app.reports.report import render_report
from yoked.experiments.imports.table import TableSettings, import_table
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.noise_and_signal import Noise
from yoked.experiments.protocols.parts import Catch
from yoked.experiments.protocols.same_stimuli import by_stimuli, same_stimuli
from yoked.experiments.session.pooled import by_participant
from yoked.experiments.session.results import session_data
from yoked.experiments.store.sqlite import open_store

N = 400


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Give three imports: two observers of one design, and one of louder noise."""
    folder = tmp_path_factory.mktemp("imports")
    rng, template = np.random.default_rng(1), np.array([0.0, 1.0, 2.0, 1.0, 0.0])
    for name, sd in (("ann", 0.1), ("bob", 0.1), ("eve", 0.15)):
        noise = rng.normal(0, sd, (N, 5))
        target = np.arange(N) % 2
        said = (noise @ template + target * 0.3 + rng.normal(0, 0.25, N) > 0.15) * 1
        rows = [f"{t},{r}" for t, r in zip(target, said, strict=True)]
        table = folder / f"{name}.csv"
        table.write_text("\n".join(["target,response", *rows]), encoding="utf-8")
        settings = TableSettings("yes_no", noise=noise, name="design")
        import_table(table, folder / "results.db", settings)
    store = open_store(folder / "results.db")
    yield [session_data(store, row.id) for row in store.sessions()]
    store.close()


def test_samples_of_one_design_are_of_the_same_stimuli(imported):
    ann, bob, eve = (each.protocol for each in imported)
    assert ann.noise.sd != bob.noise.sd  # which is why their hashes differ
    assert ann.stimulus_hash != bob.stimulus_hash
    assert same_stimuli(ann, bob)
    assert not same_stimuli(ann, eve)
    kinds = by_stimuli(imported, lambda each: each.protocol)
    assert [[each.observer for each in kind] for kind in kinds] == [
        ["ann", "bob"],
        ["eve"],
    ]


def test_they_are_taken_together_by_group_comparison_pool_and_report(imported):
    ann, bob, eve = imported
    assert group([ann, bob]).kernel is not None
    assert depth_profile(ann, bob).depths[1].correlation.value is not None
    twin = replace(bob, row=replace(bob.row, observer=ann.row.observer))
    (whole, other) = by_participant([ann, eve, twin])
    assert (len(whole.counted), other.id) == (2 * N, eve.id)
    page = render_report(imported, orders=0)
    assert page.count("<section>") == 2


def test_noise_that_we_make_is_the_same_only_where_it_is():
    bar = load_protocol("bar-in-noise")
    louder = replace(bar, noise=replace(bar.noise, sd=0.101))
    assert not same_stimuli(bar, louder)
    noise = Noise("gaussian", 0.1, bar.noise.grid, "stored")
    stored = replace(bar, noise=noise, catch=Catch())
    assert not same_stimuli(bar, stored)
    other = replace(stored, display=replace(stored.display, deg_per_element=0.3))
    assert not same_stimuli(stored, other)
