"""From where somebody asks, as a name to count by."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parsed(address: str) -> Address | None:
    """The address; of IPv4 within IPv6, the IPv4 one. None: it is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def network(address: str) -> str:
    """An IPv6 host has 2**64 addresses to try from: its network counts as one."""
    found = parsed(address)
    if found is None:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def is_near(address: str) -> bool:
    """Whether it is of this machine or of a private network."""
    found = parsed(address)
    return found is not None and found.is_private
