"""A network's input: light, scale, field of view, frames, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.observer import Viewing
from yoked.models.networks.inputs import (
    INTERPOLATIONS,
    InputMaker,
    Preprocess,
    as_light,
    as_preprocess,
    resampling,
)

CONTRAST = Preprocess("contrast", 1, "none")
VIEWING = Viewing(deg_per_element=0.2, element_px=(4, 4), frame_ms=100.0)


def maker(preprocess=CONTRAST, shape=(1, 20, 20), **options):
    return InputMaker(preprocess, VIEWING, shape, **options)


def test_light_is_srgbs_curve():
    """The curve of IEC 61966-2-1 at points that are printed everywhere."""
    linear = torch.tensor([0.0, 0.0031308, 0.21404114, 0.5, 1.0])
    code = as_light(2 * linear - 1, "srgb")
    assert code.tolist() == pytest.approx([0, 0.04045, 0.5, 0.735357, 1], abs=1e-5)


def test_srgb_has_a_gradient_everywhere_within_its_range():
    contrast = torch.linspace(-1, 1, 41).requires_grad_()
    as_light(contrast, "srgb").sum().backward()
    assert torch.isfinite(contrast.grad).all()
    assert (contrast.grad[:-1] > 0).all()


def test_the_background_is_a_mid_gray_photo_normalised_as_imagenets():
    x = maker(Preprocess(), size_px=24)(torch.zeros(1, 2, 1, 20, 20))
    assert x.shape == (2, 3, 24, 24)
    expected = (0.735357 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    assert x[0, :, 3, 7].numpy() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_in_its_own_size_the_stimulus_is_untouched(interpolation):
    contrast = torch.linspace(-1, 1, 800).view(1, 2, 1, 20, 20)
    x = maker(Preprocess("contrast", 1, "none", interpolation))(contrast)
    assert torch.equal(x.view(contrast.shape), contrast)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@given(st.integers(1, 60), st.integers(4, 60), st.floats(0.2, 5))
def test_a_uniform_stimulus_stays_uniform_within_and_fades_outside(
    interpolation, n, size, scale
):
    weights = resampling(n, size, scale, interpolation).sum(1)
    middle = (torch.arange(size) + 0.5 - size / 2).abs() * scale
    reach = 3 * max(1.0, scale)
    assert weights[middle < n / 2 - reach].numpy() == pytest.approx(1, abs=1e-5)
    assert (weights[middle > n / 2 + reach] == 0).all()


@given(st.integers(1, 40), st.floats(0.2, 5))
def test_area_keeps_all_the_light(n, scale):
    """Every stimulus pixel is seen whole where the field of view is larger."""
    size = int(n / scale) + 4
    seen = resampling(n, size, scale, "area").sum(0) * scale
    assert seen.numpy() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("mode", "size"), [("bilinear", 9), ("bicubic", 9)])
def test_coarser_inputs_are_what_torch_interpolates_without_aliasing(mode, size):
    image = torch.rand(1, 1, 36, 36, generator=torch.Generator().manual_seed(2))
    theirs = torch.nn.functional.interpolate(
        image, size=size, mode=mode, antialias=True
    )
    weights = resampling(36, size, 4.0, mode)
    ours = weights @ image[0, 0] @ weights.T
    inner = slice(2, -2)  # at the edges theirs makes the missing pixels up
    torch.testing.assert_close(ours[inner, inner], theirs[0, 0, inner, inner])


def test_the_field_of_view_sets_the_size():
    """A bar of .2 degrees in 8 degrees and 224 px covers 5.6 px."""
    bar = torch.zeros(1, 1, 1, 20, 20)
    bar[..., 8:12] = 1  # an element: .2 degrees
    x = maker(Preprocess("contrast", 1, "none", "area"), field_deg=8, size_px=224)(bar)
    assert x.shape == (1, 1, 224, 224)
    assert x[0, 0, 112].sum() == pytest.approx(5.6, abs=1e-4)
    assert (x[0, 0, :90] == 0).all()


def test_the_surround_has_its_contrast():
    around = Preprocess("contrast", 1, "none", surround=-1.0)
    x = maker(around, field_deg=2, size_px=40)(torch.zeros(1, 1, 1, 20, 20))
    assert x[0, 0, 0, 0] == -1
    assert x[0, 0, 20, 20] == 0


@pytest.mark.parametrize(
    ("frames", "shape"),
    [
        ("one-by-one", (3 * 2 * 9, 3, 20, 20)),
        ("steps", (3 * 2, 9, 3, 20, 20)),
        ("channels", (3 * 2, 27, 20, 20)),
    ],
)
def test_a_movies_frames_are_where_they_should_be(frames, shape):
    contrast = torch.rand(3, 2, 9, 20, 20) - 0.5
    x = maker(Preprocess("contrast", 3, "none", frames=frames), (9, 20, 20))(contrast)
    assert x.shape == shape
    assert torch.equal(x.reshape(3, 2, 9, 3, 20, 20)[..., 1, :, :], contrast)


def test_a_stimulus_larger_than_the_field_of_view_is_refused():
    rule = (
        r"the field of view \(field_deg\) must be the stimulus's 2.6 x 2.6 degrees or "
        "more, got 2 x 2"
    )
    protocol = load_protocol("bar-in-noise")
    with pytest.raises(ValueError, match=rule):
        InputMaker(CONTRAST, Viewing.of(protocol), protocol.frame_shape, 2.0, 224)


def test_frames_of_another_protocol_are_refused():
    with pytest.raises(ValueError, match=r"frames must be \(1, 20, 20\) .* got \(1, 8"):
        maker()(torch.zeros(1, 2, 1, 8, 20))


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("photo", "preprocess must be one of imagenet, gray, contrast or a table of"),
        ({"light": "dark"}, "light must be one of srgb, linear, contrast, got 'dark'"),
        ({"lihgt": "srgb"}, "did you mean 'light'"),
        ({"channels": 2}, "channels must be 1 or 3, got 2"),
        ({"channels": 1}, "normalise must be 'none' or 'half' with one channel"),
        ({"surround": 2.0}, r"surround must be in \[-1, 1\], got 2.0"),
    ],
)
def test_what_cannot_be_done_to_a_stimulus_is_refused(given, rule):
    with pytest.raises(ValueError, match=rule):
        as_preprocess(given)


def test_a_size_that_is_none_is_refused():
    with pytest.raises(ValueError, match="size_px must be one or two whole numbers"):
        maker(size_px=0)
