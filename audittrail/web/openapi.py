"""The description of the API at /schema/openapi.json, with the bodies that the ingest routes read for themselves."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from audittrail import __version__
from audittrail.ingest.native import NativeSpan, NativeSpans, NativeTrace

_REF = "#/components/schemas/{name}"
_BODIES = {
    "/api/v1/ingest/spans": (NativeSpan, NativeSpans, list[NativeSpan]),
    "/api/v1/ingest/traces": (NativeTrace,),
}
_OTLP = {
    "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
    "application/json": {"schema": {"type": "object", "description": "ExportTraceServiceRequest, as OTLP/JSON"}},
}


class _Json(JsonRenderPlugin):
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The schema as JSON."""
        types = [one for kinds in _BODIES.values() for one in kinds]
        schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
        openapi_schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
        of = dict(zip(map(repr, types), schemas, strict=True))
        for path, kinds in _BODIES.items():
            found = [of[repr(kind)] for kind in kinds]
            schema = found[0] if len(found) == 1 else {"oneOf": found}
            body = {"required": True, "content": {"application/json": {"schema": schema}}}
            openapi_schema["paths"][path]["post"]["requestBody"] = body
        openapi_schema["paths"]["/v1/traces"]["post"]["requestBody"] = {"required": True, "content": _OTLP}
        return super().render(request, openapi_schema)


def openapi() -> OpenAPIConfig:
    """Served as JSON alone: the framework's pages for people break the content security policy."""
    key = SecurityScheme(type="http", scheme="bearer", description="An API key's secret, sk-at-…")
    return OpenAPIConfig(
        title="AuditTrail",
        version=__version__,
        description="The flight recorder and governor for AI agents.",
        path="/schema",
        render_plugins=[_Json()],
        components=Components(security_schemes={"key": key}),
        security=[{"key": []}],
    )
