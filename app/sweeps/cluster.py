"""Cells on a Dask cluster, and on SLURM, whose machines share a folder with this one.

A Dask worker has each cell done by a process beside it (`worker.py`), as one machine
does: a cell that dies is reported, and the Dask worker stays. Where a Dask worker dies
itself, Dask gives its cells to another one.
"""

import inspect
import signal
import socket
import uuid
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any

from ...experiments.protocols.checks import suggestion
from .cell import Work
from .running import Started
from .worker import Answer, Workers

NEEDED = '{} needs {}: pip install "yoked[cluster]"'
# Of a job, unless told otherwise; the walltime is SLURM's to know.
JOB: dict[str, Any] = {"cores": 1, "processes": 1, "memory": "4 GB"}
_PORT = {"dashboard_address": ":0"}  # any that is free: who looks at it gives one

_workers = Workers()  # of this process, where it is a Dask worker


def do_here(cell: Mapping[str, Any], yoked_version: str) -> Answer:
    """Do a cell on the machine of a Dask worker, if it can be done there.

    Parameters
    ----------
    cell
        As `Cell.to_dict` gives it.
    yoked_version
        Of who asks: another one may answer otherwise.
    """
    host = socket.gethostname()
    if (ours := version("yoked")) != yoked_version:
        return {"error": f"yoked on {host} must be {yoked_version}, got {ours}"}
    place = Path(cell["folder"]).parent
    if not place.is_dir():
        rule = "shared by all machines of the cluster"
        return {"error": f"the sweep's folder must be {rule}, got no {place} on {host}"}
    return _workers.ask(dict(cell))


def rest_here() -> None:
    """End the processes that have no cell, at the end of a sweep."""
    _workers.rest()


class DaskPool:
    """Workers of a Dask cluster.

    Parameters
    ----------
    cluster
        Address of its scheduler, or a cluster of `distributed` or `dask_jobqueue`.

    Raises
    ------
    ModuleNotFoundError
        If Dask is not installed.
    OSError
        If nobody is at the address.
    """

    def __init__(self, cluster: Any) -> None:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            message = NEEDED.format("a sweep on a cluster", "Dask")
            raise ModuleNotFoundError(message, name=error.name) from error
        self._client: Any = Client(cluster, set_as_default=False)
        self._begun: list[Any] = []  # Dask forgets what nobody holds

    @property
    def size(self) -> int:
        """How many it does at once: threads of all workers that are there now."""
        try:
            return sum(self._client.ncores().values())
        except OSError:  # its scheduler does not answer
            return 0

    def start(self, cell: Work) -> Started:
        """Begin a cell, or let it wait for its turn."""
        key = f"{cell.id}-{uuid.uuid4().hex}"
        asked = cell.to_dict(), version("yoked")
        begun = self._client.submit(do_here, *asked, key=key, pure=False)
        self._begun.append(begun)
        return begun

    def stop(self) -> None:
        """Take back what waits for its turn; a cell that is being done is finished."""
        due = [each for each in self._begun if not each.done()]
        if due:
            self._client.cancel(due)
        else:
            self._client.run(rest_here, on_error="ignore")
        self._begun.clear()
        self._client.close()


def slurm_cluster(options: Mapping[str, Any], jobs: int = 0) -> Any:
    """Start a scheduler here, whose workers will be jobs of SLURM.

    Parameters
    ----------
    options
        Of `dask_jobqueue.SLURMCluster`: queue, account, walltime, cores, memory and so
        on; what is left out is in dask-jobqueue's own configuration.
    jobs
        How many are asked for at once.

    Returns
    -------
    SLURMCluster
        To be closed when the sweep has ended; its jobs end then.

    Raises
    ------
    ModuleNotFoundError
        If dask-jobqueue is not installed.
    ValueError
        If it refuses an option.
    """
    # Once imported, it has Ctrl-C end Python without a word.
    handlers = {each: signal.getsignal(each) for each in (SIGINT, SIGTERM)}
    try:
        from dask_jobqueue.slurm import SLURMCluster
    except ModuleNotFoundError as error:
        message = NEEDED.format("a sweep on SLURM", "dask-jobqueue")
        raise ModuleNotFoundError(message, name=error.name) from error
    for number, handler in handlers.items():
        signal.signal(number, handler)
    # It would refuse others itself, but leave a scheduler behind.
    made_of = (SLURMCluster, SLURMCluster.job_cls, *SLURMCluster.job_cls.__bases__)
    known = [p for each in made_of for p in inspect.signature(each).parameters]
    for name in options:
        if name not in known:
            rule = "one of dask_jobqueue.SLURMCluster's"
            near = suggestion(name, known)
            raise ValueError(f"a SLURM option must be {rule}, got {name!r}{near}")
    scheduler = {**_PORT, **options.get("scheduler_options", {})}
    cluster: Any = SLURMCluster(**{**JOB, **options, "scheduler_options": scheduler})
    if jobs:
        cluster.scale(jobs=jobs)
    return cluster


def slurm_script(options: Mapping[str, Any], address: str | None = None) -> str:
    """Give the script of one job: a Dask worker that does cells.

    Parameters
    ----------
    options
        As for `slurm_cluster`.
    address
        Of the scheduler that the worker reports to; by default of one that is started
        for the script alone.
    """
    with slurm_cluster(options) as cluster:
        script = cluster.job_script()
        return (
            script
            if address is None
            else script.replace(cluster.scheduler_address, address)
        )
