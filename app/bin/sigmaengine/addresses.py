"""IP networks and addresses, compared by arithmetic and never as text.

An address has an IPv4 number, an IPv6 number or both: ``::ffff:10.0.0.1`` is the IPv4 address
10.0.0.1 too. A network is a range of one kind of numbers; one inside ``::ffff:0:0/96`` is a range of
IPv4 numbers.
"""

from __future__ import annotations

from typing import NamedTuple

#: Number of ::ffff:0.0.0.0, and the length of its network.
_MAPPED = 0xFFFF << 32
_MAPPED_LENGTH = 96


_FOUR, _SIX = 0, 1


class Numbers(NamedTuple):
    """The numbers of an address."""

    four: int | None
    six: int | None


class Network(NamedTuple):
    """The addresses from ``low`` to ``high`` (inclusive) of one ``kind``, a position in ``Numbers``."""

    kind: int
    low: int
    high: int

    def holds(self, address: Numbers) -> bool:
        """Whether the address is in the network."""
        number = address[self.kind]
        return number is not None and self.low <= number <= self.high


def read_network(text: str) -> Network:
    """A network in CIDR notation. Raises ValueError."""
    from ipaddress import ip_network  # only rules with cidr need it

    network = ip_network(text)
    low, high = int(network.network_address), int(network.broadcast_address)
    if network.version == 4:
        return Network(_FOUR, low, high)
    if network.prefixlen >= _MAPPED_LENGTH and low >> 32 == _MAPPED >> 32:
        return Network(_FOUR, low - _MAPPED, high - _MAPPED)
    return Network(_SIX, low, high)


def read_address(text: str) -> Numbers:
    """The numbers of an address; a zone id is ignored. Text that is no address has none."""
    from ipaddress import IPv4Address, ip_address

    try:
        address = ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return Numbers(None, None)
    if isinstance(address, IPv4Address):
        return Numbers(int(address), None)
    mapped = address.ipv4_mapped
    return Numbers(None if mapped is None else int(mapped), int(address))
