"""A posted form's fields, and where it may send the browser afterwards."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs

from litestar import Request
from litestar.params import Parameter

from audittrail.model.errors import Invalid, UnsupportedMedia

MAX_FIELDS = 1_000  # a list with every row marked, loaded far down
# An id in a path. Beyond 64 bits neither database takes the number, not even to say that there is no such row.
RowId = Annotated[int, Parameter(ge=0, le=2**63 - 1)]


class Form:
    """Fields by name; what is absent is empty."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """The field's first value."""
        return self._fields.get(name, [""])[0]

    def every(self, name: str) -> list[str]:
        """All values of a field that may be repeated."""
        return self._fields.get(name, [])


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The body as a browser's form sends it. Raises UnsupportedMedia or Invalid."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("Send the form as application/x-www-form-urlencoded.")
    body = await request.body()
    try:
        return Form(parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Invalid(f"The form has more than {MAX_FIELDS} fields.") from None


def local_path(target: str) -> str:
    """`target` when it leads to this server whatever a browser makes of it, else "/"."""
    # Browsers take \\ for / and drop tabs and line ends, so "/\\host" and "/\t/host" are other hosts.
    safe = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if safe else "/"
