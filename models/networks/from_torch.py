"""Any network as an observer: `yoked.from_torch`."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from .inputs import Preprocess
from .network_observer import NetworkObserver


def from_torch(
    net: object,
    *,
    layer: str | int = "",
    readout: str | None = None,
    field_deg: float | None = None,
    size_px: int | Sequence[int] | None = None,
    preprocess: Preprocess | str | Mapping[str, Any] = "imagenet",
    device: str = "cpu",
    step: int = -1,
    share_pass: bool = True,
    batch: int | None = None,
    threads: int | None = None,
    fit_trials: int = 1024,
    seed: int = 1,
    name: str | None = None,
) -> NetworkObserver:
    """Make an observer of any network.

    Parameters
    ----------
    net
        A module from images (image, channel, y, x) to what has a row an image. It is
        copied, put into `eval` mode and frozen; yours stays as it is.
    layer
        The module to read, by its name in `net.named_modules()` (a number where that is
        the name); by default the network's output.
    readout
        'output', the one number there is; 'logit:281-985', the difference of two units;
        'unit:17' or 'unit:17,4,4', one unit (of a map, the middle of a channel);
        'linear', a weighted sum of all units, fitted by cross-validated ridge
        regression on generated trials that no session shows. By default 'output' where
        there is one number, else 'linear'. Where frames go one by one, units are
        averaged over the frames and a linear read-out weighs all of them.
    field_deg
        Degrees of visual angle across the network's input (its longer side); the
        stimulus stands in its middle, in its own size. By default the stimulus fills
        the input.
    size_px
        Pixels of that input, or (height, width); by default the stimulus's scale.
    preprocess
        A `Preprocess`; or 'imagenet' (sRGB, three channels, normalised), 'gray' (sRGB,
        one channel, mean .5) or 'contrast' (one channel of contrast); or a dict.
    device
        'cpu', 'cuda' or 'cuda:1'. Frames are made there.
    step
        Which call of the layer, where a recurrent network calls it several times.
    share_pass
        Whether all alternatives of a trial go through the network in one pass.
    batch
        Trials of a batch, which has one fixed shape; by default from the input's size.
    threads
        Threads of the CPU; by default torch's own number.
    fit_trials
        Trials that a linear read-out is fitted on; a multiple of 64.
    seed
        Which trials those are.
    name
        In the trial log; by default the class of the network.

    Raises
    ------
    LookupError
        If there is no such layer.
    ValueError
        If an option is out of range, or the device is not there.

    Examples
    --------
    >>> import torch, yoked
    >>> _ = torch.manual_seed(1)
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 9, 4), torch.nn.ReLU())
    >>> observer = yoked.from_torch(net, readout="linear", fit_trials=128)
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> session = yoked.run(protocol, observer, seed=1, trials=100, contrast=0.3)
    >>> len(session.counted)
    100
    """
    if not isinstance(net, nn.Module):
        raise ValueError(f"net must be a torch.nn.Module, got {type(net).__name__}")
    kind = type(net)
    return NetworkObserver(
        net,
        name or kind.__name__,
        str(layer),
        readout,
        field_deg,
        size_px,
        preprocess,
        device,
        step,
        share_pass,
        batch,
        threads,
        fit_trials,
        seed,
        {"network": f"{kind.__module__}.{kind.__qualname__}"},
    )
