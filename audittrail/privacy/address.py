"""Addresses on the network that lead to somebody: public IPv4 and IPv6."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from audittrail.privacy.detector import Detector
from audittrail.privacy.finding import Find, Text
from audittrail.privacy.pattern import linear

# Not personal data: the machine itself, private networks, link-local, multicast and broadcast. Ranges for documentation
# are treated as public, so that an example behaves as the real thing would.
_NOBODY = tuple(
    IPv4Network(n)
    for n in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
)
_V4 = linear(rb"(?:^|[^\w.])(\d{1,3}(?:\.\d{1,3}){3})")
_V6 = linear(
    rb"(?i)(?:^|[^\w:.])([0-9a-f]{1,4}(?::{1,2}[0-9a-f]{1,4}){2,7}(?:::)?|[23][0-9a-f]{3}(?::[0-9a-f]{1,4}){0,6}::(?:[0-9a-f]{1,4})?)"
)
_DOORS_4 = (rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",)
_DOORS_6 = (rb"[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]", rb"[23][0-9a-f]{3}:[0-9a-f:]{0,32}:")
# v1.2.3.4, version 1.2.3.4, pkg==1.2.3.4, Chrome/120.0.0.1, section 1.2.3.4
_VERSION = re.compile(rb"(?:\bv|ver\.?|version|release|build|section|chapter|[=~^<>!]=|[~^]|[a-z]/)[\"' :=#\x1d]*$")

_CALLED = re.compile(rb"\bip\b|ip[-_ ]?addr|_ip\b|\bip_|ipv4|address|host|client|peer|remote|forwarded|//")


def v4(text: Text) -> Iterator[Find]:
    """Public IPv4 addresses; not versions of programs, which look the same."""
    for match in text.each(_V4, text.view):
        start, end = match.span(1)
        after = text.view[end : end + 2]
        if after[:1].isalnum() or after[:1] == b"_" or re.match(rb"[.-]\w", after):
            continue
        try:
            address = IPv4Address(match[1].decode())
        except ValueError:
            continue
        if any(address in network for network in _NOBODY) or _VERSION.search(text.before(start, 24)):
            continue
        # 1.11.1.7 numbers a paragraph or an enzyme, and 8.8.8.8 is everybody's.
        if len(match[1]) <= 8 and not _CALLED.search(text.before(start, 24)):
            continue
        yield Find(start, end, "IP", match[1])


def v6(text: Text) -> Iterator[Find]:
    """Public IPv6 addresses: all eight groups, or a shortened one that begins as assigned ones do (2…, 3…)."""
    for match in text.each(_V6, text.view):
        start, end = match.span(1)
        written = match[1]
        if text.view[end : end + 1].isalnum() or text.view[end : end + 1] in (b":", b"_"):
            continue
        short = b"::" in written
        groups = re.split(rb":+", written.strip(b":"))
        # Eight pairs of digits are a hardware address, or a time.
        if not short and (len(groups) != 8 or max(map(len, groups)) < 3):
            continue
        if short and (len(groups[0]) != 4 or groups[0][:1] not in b"23"):
            continue
        try:
            address = IPv6Address(written.decode())
        except ValueError:
            continue
        if address.is_link_local or address.is_loopback or address.is_multicast or address in _UNIQUE_LOCAL:
            continue
        yield Find(start, end, "IP", address.compressed.encode())


class _UniqueLocal:
    def __contains__(self, address: IPv6Address) -> bool:
        return address.packed[0] & 0xFE == 0xFC


_UNIQUE_LOCAL = _UniqueLocal()

DETECTORS = (Detector("ipv4", _DOORS_4, v4), Detector("ipv6", _DOORS_6, v6))
