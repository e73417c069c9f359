"""The words of JSON Schema that descriptions are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]


def text(description: str = "", **more: Any) -> Schema:
    return _described({"type": "string"}, description, more)


def whole(description: str = "", **more: Any) -> Schema:
    return _described({"type": "integer"}, description, more)


def number(description: str = "", **more: Any) -> Schema:
    return _described({"type": "number"}, description, more)


def flag(description: str = "", **more: Any) -> Schema:
    return _described({"type": "boolean"}, description, more)


def key(description: str = "") -> Schema:
    return text(description, format="uuid")


def moment(description: str = "") -> Schema:
    return text(description, format="date-time")


def choice(values: Iterable[str], description: str = "") -> Schema:
    """One of these texts; the values of an enumeration of ours count as texts."""
    return text(description, enum=[str(value) for value in values])


def list_of(items: Schema, description: str = "", **more: Any) -> Schema:
    return _described({"type": "array", "items": items}, description, more)


def or_null(schema: Schema) -> Schema:
    """The same, or ``null``."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def record(
    properties: dict[str, Schema], *, required: Iterable[str] | None = None, **more: Any
) -> Schema:
    """An object; all of its members are there unless told."""
    names = list(properties if required is None else required)
    return {
        "type": "object",
        "properties": properties,
        **({"required": names} if names else {}),
        **more,
    }


def component(name: str) -> Schema:
    """What stands under this name among the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def _described(schema: Schema, description: str, more: dict[str, Any]) -> Schema:
    return {**schema, **({"description": description} if description else {}), **more}
