"""URLs of our own pages, made and read."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Literal, Self
from urllib.parse import quote, urlencode

import msgspec

MAX_FOLDS = 200
CLOSED = "none"  # ?span=none: no panel


def query(**params: object) -> str:
    """`?a=1&b=2` of what is neither empty nor None; "" when nothing is left."""
    kept = {name: value for name, value in params.items() if value not in ("", None, ())}
    return "?" + urlencode(kept, doseq=True, quote_via=quote) if kept else ""


# A session's name is whatever its agent called it; in a path only some of it comes through as it is.
_PLAIN = re.compile(r"(?!\.+$)[A-Za-z0-9._:@-]+")


def session_path(session_id: str) -> str:
    """The page of a session."""
    if _PLAIN.fullmatch(session_id):
        return f"/sessions/{session_id}"
    return "/sessions/~" + base64.urlsafe_b64encode(session_id.encode()).decode().rstrip("=")


def session_named(part: str) -> str:
    """The session that a path's last part names: session_path the other way round."""
    if not part.startswith("~"):
        return part
    try:
        return base64.urlsafe_b64decode(part[1:] + "=" * (-len(part[1:]) % 4)).decode()
    except (ValueError, binascii.Error):
        return part


class TraceAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What of the trace the URL asks for."""

    span: str = ""
    tab: str = ""
    start: int | None = None  # the URL's `from`: the first line shown
    fold: tuple[str, ...] = ()  # lines whose children are hidden
    only: Literal["", "errors"] = ""
    find: str = ""
    lines: int = 0  # at least so many: a page that is brought up to date asks for as many as it shows. In no link

    @classmethod
    def parse(
        cls,
        *,
        span: str = "",
        tab: str = "",
        start: str = "",
        fold: str = "",
        only: str = "",
        find: str = "",
        lines: str = "",
    ) -> Self:
        """From the URL's parameters (`from` is `start`). What makes no sense is left out: a link may be old."""
        return cls(
            span=span[:64],
            tab=tab[:32],
            start=max(0, int(start)) if start.isascii() and start.isdecimal() and len(start) < 10 else None,
            fold=tuple(dict.fromkeys(f for f in fold.split(",") if f and len(f) <= 64))[:MAX_FOLDS],
            only="errors" if only == "errors" else "",
            find=find[:200],
            lines=int(lines) if lines.isascii() and lines.isdecimal() and len(lines) < 6 else 0,
        )

    def params(self, **changes: object) -> str:
        """The query string with changes; `from` is written as `start` here too."""
        kept: dict[str, object] = {
            "span": self.span,
            "tab": self.tab,
            "from": self.start,
            "fold": ",".join(self.fold),
            "only": self.only,
            "find": self.find,
        }
        if "start" in changes:
            changes["from"] = changes.pop("start")
        return query(**(kept | changes)) or "?"
