"""Second-order kernels and their eigenvalues, in units of the noise's variance."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool
from scipy.special import ndtri

from ..second_order.kernel import SecondOrderKernel
from ..second_order.spectrum import Spectrum
from ..trials.estimate import Z95, CannotTell
from .style import (
    BLUE,
    DIVERGING,
    NAME,
    ORANGE,
    PALE,
    as_picture,
    grid,
    line_axis,
    outline,
    picture,
    share_limits,
)

OUTLINED = 64  # elements; of more a matrix has too many to be told apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_second_order(kernels: Sequence[tuple[str, SecondOrderKernel]]) -> "Figure":
    """Draw second-order kernels as matrices, above their diagonals.

    One scale, in units of the noise variance. What is beyond chance is outlined. The
    diagonal, or variance kernel, is drawn as a field, or over position with the band
    that 95 % of an observer without second order lie in. Of noise on a basis all of it
    is in coefficients; below stand the classification images of the two longest
    eigenvectors.

    Parameters
    ----------
    kernels
        Pairs of a label and a kernel, of one shape of noise.

    Raises
    ------
    ValueError
        If there is none, or the shapes differ.
    """
    shapes = {kernel.shape for _, kernel in kernels}
    if len(shapes) != 1:
        rule = "kernels of one shape of noise"
        raise CannotTell(f"a plot must have {rule}, got {len(shapes)} shapes")
    is_drawn = kernels[0][1].basis is not None
    figure, axes = grid(2 + 2 * is_drawn, len(kernels))
    _matrices(figure, axes[0], kernels)
    if is_drawn:
        _eigenvector_images(axes[2:], kernels)
    if sum(size > 1 for size in kernels[0][1].shape) <= 1:
        _diagonal_lines(axes[1], kernels)
    else:
        _diagonal_pictures(figure, axes[1], kernels)
    for row, name in zip(axes, ("matrix", "diagonal"), strict=False):
        for axis in row:
            axis.set_label(name)
    for axis, (label, _) in zip(axes[0], kernels, strict=True):
        axis.set_title("\n".join(textwrap.wrap(label, NAME)))
    return figure


def beyond_chance(kernel: SecondOrderKernel) -> Bool[np.ndarray, "element element"]:
    """Mark the elements that an observer without second order would hardly show.

    At 5 % for all elements together (Bonferroni), by their null standard error.
    """
    n = len(kernel.kernel)
    se = kernel.null_se * np.where(np.eye(n, dtype=bool), np.sqrt(2), 1)
    z = float(ndtri(1 - 0.05 / (n * (n + 1))))  # n (n + 1) / 2 elements, two sides
    return np.abs(kernel.kernel) > z * se


def draw_spectra(spectra: Sequence[tuple[str, Spectrum]], noise_sd: float) -> "Figure":
    """Draw eigenvalues of second-order kernels with their null bands.

    Parameters
    ----------
    spectra
        Pairs of a label and a spectrum.
    noise_sd
        Of the noise, contrast: eigenvalues are drawn in units of its square.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not spectra:
        raise CannotTell("a plot must have a spectrum to draw, got none")
    figure, axes = grid(1, len(spectra))
    for axis, (label, each) in zip(axes[0], spectra, strict=True):
        _spectrum(axis, each, noise_sd**2)
        axis.set_title("\n".join(textwrap.wrap(label, NAME)))
        axis.set_xlabel("rank")
        axis.set_label("spectrum")
    share_limits(axes[0])
    axes[0][0].set_ylabel("eigenvalue\n(noise variance)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    below = "outside lower center"
    figure.legend(handles, labels, frameon=False, fontsize=7.5, loc=below, ncol=3)
    return figure


def _spectrum(axis: "Axes", each: Spectrum, unit: float) -> None:
    rank = np.arange(1, len(each.values) + 1)
    low, high = each.null_low / unit, each.null_high / unit
    axis.axhline(0, color=PALE, lw=0.7, zorder=0)
    axis.fill_between(rank, low, high, color="#DDDDDD", lw=0, label="95 % by chance")
    order = np.argsort(-each.values)
    is_found = np.isin(order, np.arange(each.n_significant))
    values = each.values[order] / unit
    for chosen, color, marker, label in (
        (~is_found, BLUE, "o", "eigenvalues"),
        (is_found, ORANGE, "D", "significant"),
    ):
        size = 5 if color == ORANGE else 3
        axis.plot(
            rank[chosen], values[chosen], marker, color=color, ms=size, label=label
        )


def _matrices(figure: "Figure", axes: Any, kernels: Sequence[tuple[str, Any]]) -> None:
    pictures = [each.kernel / each.noise_sd**2 for _, each in kernels]
    _on_one_scale(figure, axes, pictures, "H₂")
    for axis, (_, each) in zip(axes, kernels, strict=True):
        if len(each.kernel) <= OUTLINED:
            outline(axis, beyond_chance(each))
    what = "element" if kernels[0][1].basis is None else "coefficient"
    axes[0].set_ylabel(f"{what} by {what}")


def _eigenvector_images(axes: Any, kernels: Sequence[tuple[str, Any]]) -> None:
    """Draw the eigenvectors of the two largest |eigenvalues|, each on its own scale."""
    for column, (_, each) in enumerate(kernels):
        values, vectors = np.linalg.eigh(each.kernel / each.noise_sd**2)
        for row, place in zip(axes, np.argsort(-np.abs(values))[:2], strict=False):
            image = each.basis.image(vectors[:, place])
            picture(row[column], image, float(np.abs(image).max()) or 1.0)
            value = f"{values[place]:.2f}".replace("-", "−")
            row[column].set_xlabel(f"eigenvalue {value}", fontsize=8)
    for row, name in zip(axes, ("first", "second"), strict=True):
        row[0].set_ylabel(f"{name} eigenvector,\nclassification image", fontsize=8)


def _diagonal_pictures(
    figure: "Figure", axes: Any, kernels: Sequence[tuple[str, Any]]
) -> None:
    pictures = [as_picture(each.diagonal / each.noise_sd**2) for _, each in kernels]
    _on_one_scale(figure, axes, pictures, "diagonal")
    for axis, (_, each) in zip(axes, kernels, strict=True):
        chosen = np.diag(beyond_chance(each)).reshape(each.shape)
        outline(axis, as_picture(chosen))
    axes[0].set_ylabel("diagonal")


def _on_one_scale(
    figure: "Figure", axes: Any, pictures: Sequence[np.ndarray], label: str
) -> None:
    limit = max(float(np.abs(matrix).max()) for matrix in pictures)
    shown: Any = None
    for axis, matrix in zip(axes, pictures, strict=True):
        shown = axis.imshow(
            matrix, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest"
        )
        axis.set(xticks=[], yticks=[])
    place: Any = {"location": "bottom"} if len(pictures) == 1 else {}
    bar = figure.colorbar(shown, ax=list(axes), shrink=0.8, aspect=25, **place)
    bar.set_label(f"{label} (noise variance)", fontsize=8)
    bar.ax.tick_params(labelsize=7.5)
    bar.outline.set_linewidth(0)


def _diagonal_lines(axes: Any, kernels: Sequence[tuple[str, Any]]) -> None:
    for axis, (_, each) in zip(axes, kernels, strict=True):
        unit = each.noise_sd**2
        y = each.diagonal.ravel() / unit
        reach = Z95 * np.sqrt(2) * each.null_se / unit
        x, name = line_axis(each.shape)
        axis.axhline(0, color=PALE, lw=0.7, zorder=0)
        axis.axhspan(-reach, reach, color="#DDDDDD", lw=0, label="95 % by chance")
        axis.plot(x, y, color=BLUE, lw=1.6, marker="o", ms=2.5)
        axis.set_xlabel(name)
        axis.xaxis.get_major_locator().set_params(integer=True)
    share_limits(axes)
    axes[0].set_ylabel("diagonal\n(noise variance)")
    axes[0].legend(
        frameon=False,
        fontsize=7.5,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.1,
    )
