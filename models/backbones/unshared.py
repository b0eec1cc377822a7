"""Locally connected layers: a convolution whose weights differ from place to place."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Unshared(nn.Module):
    """A layer that sees what a convolution sees, with weights of each place's own.

    Made by `unshared`.

    Parameters
    ----------
    conv
        Whose geometry and weights it starts with.
    size
        Rows and columns of the input; others are refused.
    """

    def __init__(self, conv: nn.Conv2d, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.geometry = {
            "kernel_size": conv.kernel_size,
            "dilation": conv.dilation,
            "padding": conv.padding,
            "stride": conv.stride,
        }
        self.out_size = out_size(conv, size)
        n_places = self.out_size[0] * self.out_size[1]
        shared = conv.weight.detach().flatten(1)  # (after, before * ky * kx)
        own = shared[..., None].repeat(1, 1, n_places)
        self.weight = nn.Parameter(own)  # (after, before * ky * kx, place)
        self.bias = None
        if conv.bias is not None:
            bias = conv.bias.detach()[:, None].repeat(1, n_places)
            self.bias = nn.Parameter(bias)  # (after, place)

    def reset_parameters(self) -> None:
        """Draw first weights, as torch draws those of a convolution."""
        bound = self.weight.shape[1] ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(
        self, x: Float[Tensor, " image before y x"]
    ) -> Float[Tensor, " image after row column"]:
        """Give the output, of the convolution's shape."""
        if x.shape[-2:] != self.size:
            got = tuple(x.shape[-2:])
            raise ValueError(f"input must be {self.size} px as it was made, got {got}")
        patches = functional.unfold(x, **self.geometry)  # (image, before…, place)
        out = torch.einsum("afp,ifp->iap", self.weight, patches)
        out = out if self.bias is None else out + self.bias
        return out.unflatten(2, self.out_size)


def unshared(conv: nn.Conv2d, size: tuple[int, int]) -> Unshared:
    """Give a locally connected layer that starts out equal to a convolution.

    Parameters
    ----------
    conv
        Of one group, padded with zeros by numbers.
    size
        Rows and columns of its input.

    Raises
    ------
    ValueError
        If the convolution is of another kind.

    Examples
    --------
    >>> conv = nn.Conv2d(1, 4, 3, padding=1)
    >>> layer = unshared(conv, (8, 8))
    >>> x = torch.ones(2, 1, 8, 8)
    >>> torch.allclose(layer(x), conv(x), atol=1e-6)
    True
    """
    zeros = conv.padding_mode == "zeros" and not isinstance(conv.padding, str)
    if conv.groups != 1 or not zeros:
        rule = "of one group and padded with zeros by numbers"
        raise ValueError(f"a convolution to unshare must be {rule}, got {conv}")
    return Unshared(conv, size)


def out_size(conv: nn.Conv2d, size: tuple[int, int]) -> tuple[int, int]:
    """Give rows and columns of a convolution's output."""
    with torch.device("meta"):
        weight = torch.empty(conv.weight.shape)
        x = torch.empty(1, conv.in_channels, *size)
        out = functional.conv2d(
            x, weight, None, conv.stride, conv.padding, conv.dilation
        )
    return out.shape[2], out.shape[3]
