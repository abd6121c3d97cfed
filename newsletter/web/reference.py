"""The API's reference page, made from its own OpenAPI description: no script, nothing from elsewhere."""

from typing import Any

from litestar import Response

from newsletter.web import WebRequest, page, reading

_METHODS = ("get", "post", "put", "patch", "delete")


@reading("/api/docs")
async def api_reference(request: WebRequest) -> Response[Any]:
    """Show every route of the API."""
    schema = request.app.openapi_schema.to_schema()
    operations = [
        _shown(schema, method, path, item[method])
        for path, item in sorted(schema["paths"].items())
        for method in _METHODS
        if method in item
    ]
    return page(request, "web/reference.html", operations=operations)


def _shown(schema: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    described = schema["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {})
    fields = described.get("properties", {})
    required = set(described.get("required", []))
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "scope": next((scope for need in operation.get("security", []) for scope in need.get("key", [])), None),
        "fields": [
            {"name": name, "optional": name not in required, "description": field.get("description", "")}
            for name, field in fields.items()
        ],
        "responses": [
            {"status": status, "description": response.get("description", "")}
            for status, response in sorted(operation.get("responses", {}).items())
        ],
    }
