"""Views of sessions: the list, and one conversation across its traces; and of the agents."""

from __future__ import annotations

import msgspec

from audittrail.model import human
from audittrail.model.conversation import AgentRow, Conversation
from audittrail.model.filters import RANGES, Page
from audittrail.model.span import Span
from audittrail.model.summary import TraceRow
from audittrail.report.series import Spark, spark
from audittrail.web.views.links import query, session_path
from audittrail.web.views.listing import RANGE_WORDS, Chip, RangedView
from audittrail.web.views.talk import headline
from audittrail.web.views.traces import took_us

MAX_SAID = 2_000  # characters of what was asked or answered


class SessionsView(RangedView, frozen=True, kw_only=True):
    """Template: pages/sessions.html (GET /sessions). Blocks: results (all but the title), more (older rows)."""

    PATH = "/sessions"

    nothing_yet: bool = False  # no trace of the project names a session

    def path(self, one: Conversation) -> str:
        """Of one of the sessions."""
        return session_path(one.session_id)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A trace of a session: what was asked, and what came out."""

    row: TraceRow
    asked: str
    answered: str


def exchange(row: TraceRow, root: Span | None, first: Span | None, last: Span | None) -> Exchange:
    """As its root says it, else its first and last model call."""
    asked = (headline(root.input, "user") if root else "") or (headline(first.input, "user") if first else "")
    came = (headline(root.output, "assistant") if root else "") or (headline(last.output, "assistant") if last else "")
    return Exchange(row=row, asked=asked, answered=came)


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/session.html (GET /sessions/{id}). Blocks: facts, talk (the exchanges), more (later ones)."""

    session: Conversation
    exchanges: tuple[Exchange, ...]
    next: str | None
    first: bool  # whether the page begins with the session's first trace
    now_us: int
    can_delete: bool = False

    @property
    def path(self) -> str:
        """Its own address."""
        return session_path(self.session.session_id)

    @property
    def later(self) -> str:
        """The next page; "" at the end."""
        return self.path + query(after=self.next) if self.next else ""

    @property
    def traces_url(self) -> str:
        """Its traces as a list."""
        return "/traces" + query(session=self.session.session_id)

    @property
    def errors_url(self) -> str:
        """Those that failed."""
        return "/traces" + query(session=self.session.session_id, status="error")

    def took_us(self, row: TraceRow) -> int:
        """Of one of the traces."""
        return took_us(row, self.now_us)

    def said(self, text: str) -> tuple[str, str]:
        """What is shown of a text at once, and the rest."""
        return text[:MAX_SAID], text[MAX_SAID : MAX_SAID * 200]

    @property
    def over(self) -> str:
        """From its first trace to its latest."""
        return human.duration(self.session.latest_us - self.session.started_us)


class AgentsView(msgspec.Struct, frozen=True, kw_only=True):
    """Template: pages/agents.html (GET /agents). Blocks: results (all but the title), more (further rows)."""

    range: str
    found: Page[AgentRow]
    after: str = ""
    error: str = ""

    def url(self, **changes: object) -> str:
        """This list with other parameters."""
        return "/agents" + query(**({"range": self.range} | changes))

    @property
    def ranges(self) -> tuple[Chip, ...]:
        """The time ranges to choose from."""
        return tuple(Chip(r, r, self.url(range=r)) for r in RANGES)

    @property
    def range_words(self) -> str:
        """`the last 24 hours`."""
        return RANGE_WORDS[self.range]

    @property
    def further(self) -> str:
        """The next page; "" at the end."""
        return self.url(after=self.found.next) if self.found.next else ""

    @property
    def connected(self) -> int:
        """How many of these agents are."""
        return sum(one.connected for one in self.found.items)

    def spark(self, one: AgentRow) -> Spark:
        """Its traces over the range."""
        return spark([float(n) for n in one.series])

    def rate(self, one: AgentRow) -> str:
        """Errors among what has settled, in percent."""
        return human.rate(one.error_rate)

    def list_url(self, one: AgentRow, **filters: object) -> str:
        """Its traces in the range."""
        return "/traces" + query(agent=one.agent, **filters, range=self.range)
