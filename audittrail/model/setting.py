"""What an environment variable is, and how its text is read.

Each function raises ConfigurationError with what to write instead.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from audittrail.model.errors import ConfigurationError


class Setting(msgspec.Struct, frozen=True):
    """One environment variable, as the README's table shows it."""

    name: str
    default: str
    meaning: str
    secret: bool = False  # also read from the file that NAME_FILE names


def boolean(name: str, text: str, default: bool) -> bool:
    """true or false, in the words people use for them."""
    if not text:
        return default
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ConfigurationError(f"{name} is {text!r}; use true or false.")


def whole(name: str, text: str, default: int, least: int, largest: int, of: str = "") -> int:
    """A whole number within bounds, counting `of`."""
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= largest:
        raise ConfigurationError(f"{name} is {text!r}; use a whole number{of} from {least} to {largest}.")
    return int(text)


def mebibytes(name: str, text: str, default: int, largest: int) -> int:
    """Bytes, written in MiB."""
    return whole(name, text, default, 1, largest, " of MiB") << 20


def rate(name: str, text: str, default: float) -> float:
    """Requests a second."""
    if not text:
        return default
    parts = re.fullmatch(r"([1-9][0-9]{0,6}) */ *([smh])", text)
    if parts is None:
        raise ConfigurationError(
            f"{name} is {text!r}; write a whole number and a unit of time: 10/s, 600/m or 36000/h."
        )
    return int(parts[1]) / {"s": 1, "m": 60, "h": 3600}[parts[2]]


def is_origin(text: str) -> bool:
    """Whether it is a scheme, a host and perhaps a port, and nothing else."""
    try:
        parts = urlsplit(text)
        usual = parts.port is None or parts.port > 0
    except ValueError:
        return False
    whole = text == f"{parts.scheme}://{parts.netloc}"
    return usual and whole and parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def networks(name: str, text: str, default: str) -> str:
    """Addresses and networks, with commas."""
    for one in (text or default).split(","):
        try:
            ipaddress.ip_network(one.strip())
        except ValueError:
            raise ConfigurationError(
                f"{name} has {one.strip()!r}, which is no address or network; write them like 127.0.0.1 or 10.0.0.0/8, "
                "with commas. Whoever is named there can say for any request where it came from."
            ) from None
    return text or default


def origins(name: str, text: str, debug: bool) -> tuple[str, ...]:
    """Origins (RFC 6454) from a JSON list; * only where `debug` is on."""
    if not text:
        return ()
    try:
        found = msgspec.json.decode(text.encode(), type=tuple[str, ...])
    except msgspec.DecodeError:
        raise ConfigurationError(
            f'{name} is {text!r}; write a JSON list of origins, like ["https://your-domain.example"].'
        ) from None
    for origin in found:
        if origin == "*":
            if debug:
                continue
            raise ConfigurationError(
                f"{name} allows every site with *, which is refused unless AUDITTRAIL_DEBUG is on. Name the sites "
                'themselves, like ["https://your-domain.example"].'
            )
        if not is_origin(origin):
            raise ConfigurationError(
                f"{name} has {origin!r}, which is no origin: a scheme and a host, a port where it is not the usual "
                "one, and nothing after it, like https://your-domain.example."
            )
    return found


def one_of(name: str, text: str, allowed: tuple[str, ...]) -> str:
    """One of these words; the first where nothing is written."""
    if text and text not in allowed:
        raise ConfigurationError(f"{name} is {text!r}; use {' or '.join(allowed)}.")
    return text or allowed[0]
