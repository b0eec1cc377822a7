"""Single sign-on: a proxy that knows who somebody is says so in a header.

Whoever can send us a request could send the header: it counts from named proxies only.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from .accounts import require_name

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class SingleSignOn:
    """Which proxies are believed, and what they say.

    Attributes
    ----------
    networks
        Of the proxies.
    header
        Name of the header, or `REMOTE_USER` where the server itself sets that.
    makes_accounts
        Whether somebody who is new gets an account, without any role.
    """

    networks: tuple[Network, ...]
    header: str = "REMOTE_USER"
    makes_accounts: bool = False

    def name(self, peer: str, said: str | None) -> str | None:
        """Give the name that a proxy says; None if nobody may say so, or it is none.

        Parameters
        ----------
        peer
            Address of whoever sent us the request: of the proxy, not of the browser.
        said
            Value of the header.

        Examples
        --------
        >>> from ipaddress import ip_network
        >>> proxied = SingleSignOn((ip_network("10.0.0.0/24"), ip_network("::1")))
        >>> proxied.name("10.0.0.7", "jane@psych.example")
        'jane@psych.example'
        >>> proxied.name("10.0.1.7", "jane@psych.example") is None
        True
        """
        if not said or not self._is_believed(peer):
            return None
        try:
            require_name(said)
        except ValueError:
            return None
        return said

    def _is_believed(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)  # of a socket for both kinds
        return any((mapped or address) in network for network in self.networks)
