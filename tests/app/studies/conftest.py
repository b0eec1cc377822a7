"""A protocol of a few trials."""

import pytest

from tests.app.web.participant import short_protocol


@pytest.fixture
def protocol():
    return short_protocol()
