"""Look-up tables: luminance proportional to the level, and the identity."""

import pytest

from yoked.app.lut import LUTS, look_up_table, srgb_encode


def srgb_decode(signal: float) -> float:
    """Return the luminance of an sRGB signal, as the standard has it."""
    if signal <= 0.04045:
        return signal / 12.92
    return ((signal + 0.055) / 1.055) ** 2.4


def test_an_srgb_screen_shows_luminance_proportional_to_the_level():
    for level, shown in enumerate(look_up_table("srgb")):
        # One screen level is the finest step; its luminance is the tolerance.
        step = srgb_decode(min(255, shown + 1) / 255) - srgb_decode(
            max(0, shown - 1) / 255
        )
        assert srgb_decode(shown / 255) == pytest.approx(level / 255, abs=step / 2)


def test_the_published_middle_gray_comes_out():
    assert look_up_table("srgb")[128] == 188
    assert srgb_encode(0.5) == pytest.approx(0.735357, abs=1e-6)


@pytest.mark.parametrize("name", LUTS)
def test_a_table_rises_from_black_to_white(name):
    table = look_up_table(name)
    assert (len(table), table[0], table[255]) == (256, 0, 255)
    assert list(table) == sorted(table)


def test_the_identity_leaves_levels_alone():
    assert look_up_table("identity") == tuple(range(256))


def test_an_unknown_table_is_refused():
    with pytest.raises(LookupError, match="lut must be one of srgb, identity, got 'x'"):
        look_up_table("x")
