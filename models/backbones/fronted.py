"""Any front before any backbone: none, a retina, or a VOneBlock."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..noise import is_drawn_for_trials

_AT_ONCE = 4  # images of a frozen front: what it makes of them stays in the cache


class Fronted(nn.Module):
    """From contrast to classes by way of a front.

    A front takes a movie of contrast (image, frame, y, x) and gives rates
    (image, step, channel, row, column), as a retina does; one with `takes_pictures`
    (VOneBlock) takes (image, channel, y, x) and sees each frame by itself. A backbone
    with `takes_steps` gets the steps; any other gets their mean, which knows nothing of
    when, or all of them as channels.

    Parameters
    ----------
    front
        None (contrast itself), or a module with `n_channels`.
    backbone
        A module with `in_channels`: those of the front. Without a front, contrast is
        given to each of them, or each frame to one.
    over_time
        'mean' or 'channels': what a backbone that takes no steps gets of them. As
        channels, `in_channels` is those of the front at every step, the first step's
        first.

    Raises
    ------
    ValueError
        If the front gives other channels than the backbone takes.

    Examples
    --------
    >>> import torch
    >>> from yoked.models.backbones.cornet_rt import CORnetRT, CORnetRTConfig
    >>> from yoked.models.backbones.vone_block import VOneBlock, VOneConfig
    >>> front = VOneBlock(1, VOneConfig.small())
    >>> network = Fronted(front, CORnetRT(32, 2, CORnetRTConfig.small()))
    >>> network(torch.zeros(3, 6, 32, 32)).shape  # 3 movies of 6 frames
    torch.Size([3, 2])
    """

    def __init__(
        self,
        front: nn.Module | None,
        backbone: nn.Module,
        over_time: str = "mean",
    ) -> None:
        super().__init__()
        given = getattr(front, "n_channels", None)
        taken = getattr(backbone, "in_channels", None)
        if isinstance(given, int) and isinstance(taken, int):
            fits = given == taken
            rule = f"the {given} channels of {type(front).__name__}"
            if over_time == "channels":
                fits, rule = taken % given == 0, f"{rule} at every step"
            if not fits:
                raise ValueError(f"the input of a backbone must be {rule}, got {taken}")
        self.front = front
        self.backbone = backbone
        self.over_time = over_time
        self.in_channels = taken if isinstance(taken, int) else 1

    def forward(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        return self.answered(self._seen_by_parts(contrast))

    def answered(
        self, x: Float[Tensor, " image step channel row column"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give what the backbone makes of what the front gave."""
        if getattr(self.backbone, "takes_steps", False):
            # One step is a picture, which a recurrent backbone sees for its own time.
            return self.backbone(x if x.shape[1] > 1 else x[:, 0])
        if self.over_time == "channels":
            return self.backbone(x.flatten(1, 2))
        return self.backbone(x.mean(dim=1))

    def _seen_by_parts(self, contrast: Tensor) -> Tensor:
        """Give `seen`, or its mean over steps; a few images at a time where it can.

        A front that is frozen needs no gradient, so that nothing of it has to be kept.
        Noise that is keyed by trial is drawn for all trials at once, and who reads a
        layer of the front gets all images.
        """
        is_averaged = self.over_time == "mean"
        is_averaged = is_averaged and not getattr(self.backbone, "takes_steps", False)
        fixed = [contrast, *(() if self.front is None else self.front.parameters())]
        is_frozen = not any(each.requires_grad for each in fixed)
        if self.front is None or not is_frozen or is_drawn_for_trials():
            return self.seen(contrast)
        if any(module._forward_hooks for module in self.front.modules()):
            return self.seen(contrast)
        found = []
        for part in contrast.split(_AT_ONCE):
            x = self.seen(part)
            found.append(x.mean(dim=1, keepdim=True) if is_averaged else x)
        return torch.cat(found)

    def seen(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image step channel row column"]:
        """Give what the front makes of it."""
        if self.front is None:
            n_each = 1 if self.over_time == "channels" else self.in_channels
            return contrast.unsqueeze(2).expand(-1, -1, n_each, -1, -1)
        if not getattr(self.front, "takes_pictures", False):
            return self.front(contrast)
        n_images, n_frames = contrast.shape[:2]
        pictures = contrast.flatten(0, 1).unsqueeze(1)  # (image * frame, 1, y, x)
        channels = getattr(self.front, "in_channels", 1)
        pictures = pictures.expand(-1, channels, -1, -1)
        return self.front(pictures).unflatten(0, (n_images, n_frames))
