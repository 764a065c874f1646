"""The OpenAPI document as a page shows it: calls by subject, each with its parameters, body and answers."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def sections(document: Document) -> list[dict[str, Any]]:
    """The calls of the document, grouped by tag in the order in which tags appear."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            found.setdefault(operation["tags"][0], []).append(_call(document, path, method, operation))
    return [
        {"title": title, "id": f"section-{index}", "calls": calls}
        for index, (title, calls) in enumerate(found.items())
    ]


def _call(document: Document, path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    answers = [
        {"status": status, **_answer(document, resolved(document, one))}
        for status, one in operation["responses"].items()
        if status != "default"
    ]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [_parameter(resolved(document, one)) for one in operation.get("parameters", ())],
        "bodies": [
            {"type": media_type, "properties": _properties(document, content["schema"])}
            for media_type, content in body.items()
        ],
        "answers": answers,
    }


def resolved(document: Document, part: dict[str, Any]) -> dict[str, Any]:
    """A part of the document, followed to where it is written."""
    while "$ref" in part:
        place: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        part = place
    return part


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "required": parameter.get("required", False),
        "type": _type(parameter["schema"]),
        "description": parameter.get("description", ""),
    }


def _answer(document: Document, answer: dict[str, Any]) -> dict[str, Any]:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return {"description": answer["description"], "properties": _properties(document, schema)}


def _properties(document: Document, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of an object; of a page or a batch, those of its items."""
    schema = resolved(document, schema)
    items = schema.get("properties", {}).get("items", {}).get("items")
    if items is not None:
        schema = resolved(document, items)
    needed = schema.get("required", ())
    return [
        {
            "name": name,
            "type": _type(one),
            "required": name in needed,
            "read_only": one.get("readOnly", False),
            "plugin": one.get("x-plugin", ""),
            "description": one.get("description", ""),
        }
        for name, one in schema.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    """A type in a few words."""
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"] if one is not None)
    if set(schema.get("properties", ())) == {"external_id"}:
        return '{"external_id": string}'
    kind = schema.get("type", "any")
    names = [one for one in (kind if isinstance(kind, list) else [kind]) if one != "null"]
    form = f" ({schema['format']})" if "format" in schema else ""
    return " | ".join(names) + form
