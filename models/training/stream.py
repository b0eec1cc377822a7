"""A stream of trials from the generator, for a training loop of one's own."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.draw import trials
from ...experiments.stimulus.sources import (
    CoefficientNoise,
    NoiseSource,
    Table,
    as_contrast,
    noise_source,
)
from ..retina.mosaic import as_contrast_tensor


class TrialBatch(NamedTuple):
    """Trials of one step.

    Attributes
    ----------
    frames
        Contrast, (trial, alternative, frame, y, x).
    targets
        The correct alternative of each, from 0 (yes/no and rating: 1 is signal).
    classes
        Number of the stimulus class: contrast x targets + target.
    noise
        Of each alternative, in its SD, (trial, alternative, element): what kernels are
        made from. None where it was not asked for.
    """

    frames: Float[Tensor, " trial alternative frame y x"]
    targets: Int64[Tensor, " trial"]
    classes: Int64[Tensor, " trial"]
    noise: Float[Tensor, " trial alternative element"] | None


class TrialStream(IterableDataset):
    """Trials of a protocol, never the same noise twice.

    Trial i is a function of protocol, seed and i, so a stream begun at another `first`
    goes on where one ended. The batches are dealt in turn to a `DataLoader`'s workers
    and to the processes of `torch.distributed`, so that no two show the same trials.

    Parameters
    ----------
    protocol
        With noise of its own.
    seed
        Of the noise. Take another than your sessions: trials of one seed are the same
        wherever they are shown.
    batch
        Trials of a step, over all processes and contrasts.
    contrasts
        Of the signal, in equal parts of every batch; by default the protocol's first.
    n_batches
        How many, in all processes together.
    first
        Number of the first trial.
    with_noise
        Whether the noise of every alternative comes along.
    device
        Where the tensors are.

    Raises
    ------
    ValueError
        If a number is out of range, or the protocol has conditions or other noise.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> stream = yoked.TrialStream(protocol, seed=5, batch=8, contrasts=(0.1, 0.3))
    >>> batch = next(iter(stream))
    >>> batch.frames.shape, batch.targets.tolist(), batch.classes.tolist()
    (torch.Size([8, 2, 1, 52, 52]), [0, 1, 0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 2, 3, 2, 3])
    """

    def __init__(
        self,
        protocol: Protocol,
        seed: int,
        batch: int = 256,
        contrasts: tuple[float, ...] | None = None,
        n_batches: int | None = None,
        first: int = 0,
        with_noise: bool = False,
        device: str = "cpu",
    ) -> None:
        self.protocol, self.seed, self.first = protocol, seed, first
        self.contrasts = tuple(contrasts or protocol.contrast.values[:1])
        n_targets = protocol.task.n_targets
        parts = len(self.contrasts) * n_targets
        if batch < parts or batch % parts:
            rule = f"a multiple of {parts}: {n_targets} targets at each contrast"
            raise ValueError(f"batch must be {rule}, got {batch}")
        if n_batches is not None and n_batches < 1:
            raise ValueError(f"n_batches must be 1 or more, got {n_batches}")
        self.batch, self.n_batches = batch, n_batches
        self.with_noise, self.device = with_noise, device
        self._source = noise_source(protocol.noise.generator, protocol, seed)
        self._draw(0, 1)  # refuses now what could not be shown later

    def __iter__(self) -> Iterator[TrialBatch]:
        """Give the batches that are this process's."""
        number, apart = _share()
        while self.n_batches is None or number < self.n_batches:
            yield self._draw(number, self.batch // len(self.contrasts))
            number += apart

    def _draw(self, number: int, n: int) -> TrialBatch:
        first = self.first + number * self.batch
        parts = [
            trials(
                self.protocol,
                n,
                self.seed,
                contrast,
                first=first + k * n,
                device=self.device,
            )
            for k, contrast in enumerate(self.contrasts)
        ]
        targets = torch.cat([each.targets for each in parts])
        number_of = torch.arange(len(parts), device=self.device).repeat_interleave(n)
        rows = pd.concat([each.rows for each in parts], ignore_index=True)
        return TrialBatch(
            frames=as_contrast_tensor(
                torch.cat([each.frames for each in parts]), self.device
            ),
            targets=targets,
            classes=number_of * self.protocol.task.n_targets + targets,
            noise=self._noise(rows) if self.with_noise else None,
        )

    def _noise(self, rows: pd.DataFrame) -> Float[Tensor, " trial alternative element"]:
        return noise_in_sds(self.protocol, self._source, rows).to(self.device)


def noise_in_sds(
    protocol: Protocol, source: NoiseSource, rows: Table
) -> Float[Tensor, " trial alternative element"]:
    """Give the noise of every alternative of trials, in its SD."""
    sd = protocol.noise.sd
    fields = [_in_sds(source, rows, k, sd) for k in range(protocol.n_intervals)]
    return torch.from_numpy(np.stack(fields, axis=1))


def _in_sds(
    source: NoiseSource, rows: Table, interval: int, sd: float
) -> Float[np.ndarray, " trial element"]:
    """Give noise in its SD: elements of a grid, or coefficients of images."""
    if isinstance(source, CoefficientNoise):
        return (source.coefficients(rows, interval) / source.unit_sd).astype(np.float32)
    field = as_contrast(source.field(rows, interval))
    return field.reshape(len(field), -1) / np.float32(sd)


def _share() -> tuple[int, int]:
    """Give this process's first batch, and how many others lie between its batches."""
    worker = get_worker_info()
    number, apart = (0, 1) if worker is None else (worker.id, worker.num_workers)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        number += apart * torch.distributed.get_rank()
        apart *= torch.distributed.get_world_size()
    return number, apart
