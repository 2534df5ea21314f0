"""Templates to HTML, and a page or one block of it to a response."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.plugins.htmx import HTMXRequest

from audittrail.model import human
from audittrail.report.lettering import fit
from audittrail.web.views.chrome import Chrome
from audittrail.web.views.links import query

# htmx asks with the id of the element it will fill, so the same URL has several bodies.
VARY = "HX-Request, HX-Target"
# Of model.human, what templates may call by name and as a filter.
FORMATS = (
    *("line", "visible", "plural", "when", "iso", "utc"),
    *("duration", "duration_exact", "count", "exact", "money", "money_exact", "size", "size_exact"),
)


def _spell_out(value: Any) -> Any:
    """What a template prints shows its invisible characters; a macro's markup has been through here before."""
    return human.visible(value) if type(value) is str else value


class Renderer:
    """The templates of one folder, with the static files of another. Made once, at start."""

    def __init__(self, templates: Path, static: Path, *, reload: bool = False) -> None:
        """With `reload`, a changed template is read again (for work on templates)."""
        self._static = static
        self._reload = reload
        self._env = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_spell_out,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=reload,
            cache_size=-1,
        )
        functions: dict[str, Any] = {name: getattr(human, name) for name in FORMATS}
        self._env.globals |= functions | {"static": self.static if reload else cache(self.static), "query": query}
        self._env.filters |= functions | {"fit": fit}

    def static(self, name: str) -> str:
        """The URL of a static file. It changes with the content, so that browsers may keep it for ever."""
        digest = hashlib.sha256((self._static / name).read_bytes()).hexdigest()
        return f"/static/{name}?v={digest[:12]}"

    def render(self, template: str, chrome: Chrome, view: object, block: str | None = None) -> str:
        """The whole page, or only the named block of it."""
        loaded = self._env.get_template(template)
        names: dict[str, Any] = {"chrome": chrome, "view": view} | self._macros()
        if block is None:
            return loaded.render(names)
        return "".join(loaded.blocks[block](loaded.new_context(names)))

    def has_block(self, template: str, block: str) -> bool:
        """Whether the template itself (not the layout it extends) has a block of this name."""
        return block in self._env.get_template(template).blocks

    def _macros(self) -> dict[str, Any]:
        # A block rendered alone does not run its template's imports, so the macros are given to every template.
        return {name: self._env.get_template(f"{name}.html").module for name in ("ui", "charts")}

    def check(self) -> list[str]:
        """Compiles every template; their names. Raises jinja2.TemplateSyntaxError at the first broken one."""
        names = self._env.list_templates(extensions=["html"])
        for name in names:
            self._env.get_template(name)
        return names


def page(
    request: Request[Any, Any, Any], template: str, view: object, chrome: Chrome, status: int = 200
) -> Response[str]:
    """The page; to htmx only the block that its target's id names. The renderer is `request.app.state.renderer`.

    A failed htmx request gets the problem's block for the page's message line: what is on the screen stays there.
    """
    renderer: Renderer = request.app.state.renderer
    headers = {"Vary": VARY}
    if chrome.viewer and chrome.viewer.current:
        # So that a page which is brought up to date notices when another project has come to be looked at meanwhile.
        headers["AuditTrail-Project"] = str(chrome.viewer.current.project.id)
    block: str | None = None
    htmx = HTMXRequest(request.scope, request.receive, request.send).htmx
    if htmx and not htmx.history_restore_request:
        if htmx.target and renderer.has_block(template, htmx.target):
            block = htmx.target
        elif status >= 400 and renderer.has_block(template, "problem"):
            block = "problem"
            headers |= {"HX-Retarget": "#problem", "HX-Reswap": "innerHTML", "HX-Push-Url": "false"}
        else:
            headers |= {"HX-Retarget": "body", "HX-Reswap": "innerHTML show:window:top"}
    return Response(
        renderer.render(template, chrome, view, block),
        media_type=MediaType.HTML,
        status_code=status,
        headers=headers,
    )
