"""What a proxy says of somebody counts from named proxies only."""

from ipaddress import ip_network

import pytest

from yoked.app.accounts.single_sign_on import SingleSignOn

NETWORKS = ("127.0.0.1", "10.1.0.0/16", "fd00::/8")
SSO = SingleSignOn(tuple(map(ip_network, NETWORKS)))


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "10.1.2.3", "fd00::7", "::ffff:10.1.0.9"]
)
def test_a_named_proxy_is_believed(peer):
    assert SSO.name(peer, "jane@psych.example") == "jane@psych.example"


@pytest.mark.parametrize(
    "peer", ["127.0.0.2", "10.2.0.1", "::1", "::ffff:10.2.0.9", "", "proxy", "unix:"]
)
def test_nobody_else_is(peer):
    assert SSO.name(peer, "jane@psych.example") is None


@pytest.mark.parametrize(
    "said", [None, "", "jane doe", "jane,kim", "(null)", "x" * 200]
)
def test_what_is_no_name_is_nobody(said):
    assert SSO.name("127.0.0.1", said) is None
