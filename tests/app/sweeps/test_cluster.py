"""A real Dask cluster of two worker processes, and the script that SLURM would get."""

import os
import signal
import subprocess
import sys
import threading

import pandas as pd
import pytest
from click.testing import CliRunner

import yoked
from tests import ROOT
from yoked.app.cli import cli
from yoked.app.sweeps.collect import table_of
from yoked.app.sweeps.plan import Plan
from yoked.app.sweeps.worker import answer

pytest.importorskip("distributed", reason="Dask is an extra: yoked[cluster]")

# Who is asked for seed 2 for the first time ends the Dask worker that asked for it.
MINE = """
import os, signal
from pathlib import Path


class Kills:
    def __init__(self, seed):
        self.name, self.seed = "kills", seed

    def prepare(self, viewing):
        mark = Path(__file__).with_name("killed")
        if self.seed == 2 and not mark.exists():
            mark.write_text(str(os.getppid()))
            os.kill(os.getppid(), signal.SIGKILL)

    def decide(self, frames, noise):
        return frames.mean(axis=(2, 3, 4)) + noise.normal(2)


class Breaks(Kills):
    def prepare(self, viewing):
        os.kill(os.getpid(), signal.SIGKILL)
"""
RECIPE = """
seeds = 3
protocols = ["bar-in-noise"]
trials = 100
contrast = 0.2
internal_noise = 0.5

[[observer]]
name = "template"

[[observer]]
name = "mine.py:Kills"
"""


class Cluster:
    """A scheduler and two workers, each a process of its own, as on a real one."""

    def __init__(self):
        self.processes = []
        said = self.started("scheduler", "--port", "0", "--no-dashboard")
        self.address = said.split("Scheduler at:")[1].strip()
        for name in ("one", "two"):
            of = ("--name", name, "--nthreads", "1", "--no-nanny", "--no-dashboard")
            self.started("worker", self.address, *of)

    def started(self, kind, *arguments):
        """Start a process, and give the line in which it says that it is there."""
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments]
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1"],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in process.stderr:
            if "Scheduler at:" in line or "Registered to:" in line:
                break
        # What else it says is read, or it would wait for a reader.
        reader = threading.Thread(target=process.stderr.read, daemon=True)
        reader.start()
        self.processes.append((process, reader))
        return line

    def stop(self):
        for process, reader in reversed(self.processes):
            process.kill()
            process.wait()
            reader.join()
            process.stderr.close()


@pytest.fixture(scope="module")
def cluster():
    """Return a cluster that ends with this file's tests."""
    made = Cluster()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "mine.py").write_text(MINE)
    (folder / "sweep.toml").write_text(RECIPE)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_worker_that_is_killed_loses_no_cell_and_results_are_the_local_ones(
    cluster, base
):
    words = []
    table = yoked.sweep(
        base / "sweep.toml",
        base / "out",
        cluster=cluster.address,
        progress=lambda course: words.append(course.words),
    )
    # One of the two workers is gone, and its cell was done by the other one.
    killed = int((base / "killed").read_text())
    assert killed in {process.pid for process, _ in cluster.processes}
    assert [p.poll() is None for p, _ in cluster.processes].count(False) == 1
    assert table["status"].tolist() == ["done"] * 6
    assert words[0] == "0 of 6 cells"
    assert words[-1] == "6 of 6 cells"
    plan = Plan(base / "sweep.toml", base / "local")
    local = table_of(plan.cells, {cell.folder: answer(cell) for cell in plan.cells})
    ours = ["session", "seconds"]
    pd.testing.assert_frame_equal(table.drop(columns=ours), local.drop(columns=ours))
    for cell, there in zip(plan.cells, table["session"], strict=True):
        there = yoked.load_session(base / "out" / "results.db", there)
        record = cell.record()
        here = yoked.load_session(f"{cell.folder}/session.db", record["session"])
        assert there.trials["response"].equals(here.trials["response"])
        assert there.row.observer_seed == here.row.observer_seed


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_cell_that_dies_takes_no_dask_worker_with_it(cluster, base):
    recipe = base / "breaks.toml"
    recipe.write_text(RECIPE.replace("Kills", "Breaks").replace("seeds = 3", ""))
    command = ["sweep", recipe, "--out", base / "broken", "--cluster", cluster.address]
    result = CliRunner().invoke(cli, [*map(str, command), "--table"])
    assert result.exit_code == 1
    assert "1 of 2 cells are done." in result.stderr
    assert "Breaks--bar-in-noise--seed-1 failed: its process was ended by SIGKILL" in (
        result.stderr
    )


def test_the_script_of_a_job_is_bash_and_says_what_was_asked(base, tmp_path):
    command = ["sweep", base / "sweep.toml", "--slurm-script"]
    command += ["--cluster", "tcp://10.0.0.1:8786"]
    for option in ("queue=gpu", "walltime=04:00:00", "memory=8 GB", "cores=2"):
        command += ["--slurm-option", option]
    before = signal.getsignal(signal.SIGINT)
    result = CliRunner().invoke(cli, [str(each) for each in command])
    assert result.exit_code == 0, result.stderr
    assert signal.getsignal(signal.SIGINT) is before  # Ctrl-C is what it was
    script = tmp_path / "job.sh"
    script.write_text(result.stdout)
    subprocess.run(["bash", "-n", script], check=True)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("#!")
    asked = [line for line in lines if line.startswith("#SBATCH")]
    for line in ("-p gpu", "-t 04:00:00", "--cpus-per-task=2", "--mem=8G"):
        assert f"#SBATCH {line}" in asked
    (worker,) = (line for line in lines if "dask_worker" in line)
    assert worker.startswith(f"{sys.executable} -m distributed.cli.dask_worker")
    assert "tcp://10.0.0.1:8786" in worker


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--processes", "2", "--slurm", "3"],
            "one of --processes, --cluster, --slurm",
        ),
        (["--slurm-option", "queue=gpu"], "must come with --slurm or --slurm-script"),
        (
            ["--slurm-script", "--slurm-option", "wall_time=04:00:00"],
            "a SLURM option must be one of dask_jobqueue.SLURMCluster's, got "
            "'wall_time'; did you mean 'walltime'?",
        ),
    ],
)
def test_what_is_asked_wrongly_is_one_sentence(base, arguments, sentence):
    command = ["sweep", str(base / "sweep.toml"), "--out", "x", *arguments]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SLURM has no Windows")
def test_jobs_of_slurm_do_the_cells_and_end_with_the_sweep(base, tmp_path):
    """`sbatch` and `scancel` are stand-ins that start and end the script here."""
    commands = {
        "sbatch": 'cp "$1" "$JOBS.sh"; setsid bash "$JOBS.sh" >/dev/null 2>&1 &\n'
        'echo $! >> "$JOBS"; echo "Submitted batch job $!"',
        "scancel": 'kill -- "-$1"; echo "$1" >> "$JOBS.ended"',
    }
    for name, text in commands.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    jobs = tmp_path / "jobs"
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    recipe = base / "two.toml"
    recipe.write_text(RECIPE.split('[[observer]]\nname = "mine')[0])
    command = [sys.executable, "-m", "yoked", "sweep", recipe, "--out", base / "slurm"]
    here = 'scheduler_options={"host": "127.0.0.1"}'
    command += ["--slurm", 1, "--slurm-option", here, "--csv"]
    run = subprocess.run(
        [str(each) for each in command],
        env={**os.environ, "PATH": path, "JOBS": str(jobs)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert "3 of 3 cells are done." in run.stderr
    assert len(run.stdout.splitlines()) == 3  # d' and proportion correct
    assert jobs.read_text().split() == (tmp_path / "jobs.ended").read_text().split()
