"""An application, a client, and somebody who agreed to take part."""

import pytest

from .participant import Participant, served, short_protocol


@pytest.fixture
def protocol():
    return short_protocol()


@pytest.fixture
def app(db_path, protocol):
    with served(db_path, protocol, lut="identity") as app:
        yield app


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def participant(client):
    return Participant(client)
