"""What stands around every page: who looks, where they are, what the server wants them to know."""

from __future__ import annotations

import msgspec

from audittrail.model.account import Viewer


class Pending(msgspec.Struct, frozen=True):
    """What waits for a person in the project looked at, for the navigation; counted no further than 100."""

    violations: int = 0
    approvals: int = 0


class Chrome(msgspec.Struct, frozen=True, kw_only=True):
    """Given to every template as `chrome`, beside the page's own `view`."""

    viewer: Viewer | None  # None on the pages that need no sign-in
    path: str  # of the request, for the navigation's current item
    now_us: int
    version: str
    notices: tuple[str, ...] = ()  # sentences shown on every page, such as "Redaction is off."
    pending: Pending = Pending()
    mark: str = ""  # how far things had come when the page was made: GET /events?since= begins there
