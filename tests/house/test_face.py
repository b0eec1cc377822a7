"""The public face: every name is there, documented, and costs nothing until used."""

import pytest

import yoked


@pytest.mark.parametrize("name", yoked.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(yoked, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'yoked' has no attribute 'dprim'"):
        _ = yoked.dprim


def test_names_are_listed():
    assert set(yoked.__all__) <= set(dir(yoked))
