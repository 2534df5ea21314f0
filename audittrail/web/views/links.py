"""URLs of our own pages, made and read."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Literal, Self, get_args
from urllib.parse import quote, urlencode

import msgspec

from audittrail.attribution.graph import EdgeType

MAX_FOLDS = 200
CLOSED = "none"  # ?span=none: no panel
TraceViewName = Literal["summary", "timeline", "graph", "flow", "verdicts", "raw"]
VIEWS: tuple[TraceViewName, ...] = get_args(TraceViewName)
EDGE_TYPES: tuple[EdgeType, ...] = get_args(EdgeType)
Measure = Literal["cost", "tokens", "time"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
# Of a trace's address.
PARAMS = ("view", "span", "tab", "from", "fold", "only", "find", "edges", "open", "measure", "after", "lines")


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

    view: TraceViewName = "timeline"
    span: str = ""
    tab: str = ""
    start: int | None = None  # the URL's `from`: the first line shown
    fold: tuple[str, ...] = ()  # lines whose children are hidden
    only: Literal["", "errors"] = ""
    find: str = ""
    lines: int = 0  # at least so many: a page that is brought up to date asks for as many as it shows. In no link
    edges: tuple[EdgeType, ...] = EDGE_TYPES  # that the graph shows
    open: tuple[str, ...] = ()  # steps of the graph of which more is shown; twice: still more
    measure: Measure = "cost"  # what flows
    after: str = ""  # where the raw records go on

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
        **more: str,
    ) -> Self:
        """From the URL's parameters (`from` is `start`). What makes no sense is left out: a link may be old."""
        wanted = more.get("edges", "").split(",")
        edges = tuple(e for e in EDGE_TYPES if e in wanted)
        return cls(
            view=next((v for v in VIEWS if v == more.get("view")), "timeline"),
            span=span[:64],
            tab=tab[:32],
            start=max(0, int(start)) if start.isascii() and start.isdecimal() and len(start) < 10 else None,
            fold=tuple(dict.fromkeys(f for f in fold.split(",") if f and len(f) <= 64))[:MAX_FOLDS],
            only="errors" if only == "errors" else "",
            find=find[:200],
            lines=int(lines) if lines.isascii() and lines.isdecimal() and len(lines) < 6 else 0,
            edges=edges if edges or "none" in wanted else EDGE_TYPES,
            open=tuple(o for o in more.get("open", "").split(",") if o and len(o) <= 64)[:MAX_FOLDS],
            measure=next((m for m in MEASURES if m == more.get("measure")), "cost"),
            after=more.get("after", "")[:200],
        )

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Self:
        """From a request's parameters."""
        return cls.parse(start=params.get("from", ""), **{n: params.get(n, "") for n in PARAMS if n != "from"})

    def params(self, **changes: object) -> str:
        """The query string with changes; `from` is written as `start` here too."""
        kept: dict[str, object] = {
            "view": self.view,
            "span": self.span,
            "tab": self.tab,
            "from": self.start,
            "fold": ",".join(self.fold),
            "only": self.only,
            "find": self.find,
            "edges": self.edges,
            "open": ",".join(self.open),
            "measure": self.measure,
            "after": self.after,
        }
        if "start" in changes:
            changes["from"] = changes.pop("start")
        kept |= changes
        # What is so by default has no place in the URL.
        if kept["view"] == "timeline":
            kept["view"] = ""
        if kept["measure"] == "cost":
            kept["measure"] = ""
        if isinstance(kept["edges"], tuple):
            kept["edges"] = "" if kept["edges"] == EDGE_TYPES else ",".join(kept["edges"]) or "none"
        return query(**kept) or "?"

    def to(self, view: str) -> str:
        """The query string of another view: the open span stays, what only this view understands goes."""
        return query(view="" if view == "timeline" else view, span=self.span, tab=self.tab) or "?"
