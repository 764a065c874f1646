"""Answers in JSON, written by orjson straight from Python values; only what it does not know is converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal as Number
from typing import Any

import orjson
from flask import Response

from trellis.edition import Edition, EntityView
from trellis.i18n import Text
from trellis.records.query import Record
from trellis.records.types import Date, DateTime, Decimal, FieldType

Writer = Callable[[Record], dict[str, Any]]

_NATIVE = {one.to_json for one in (FieldType, Decimal, Date, DateTime)}
"""Forms that orjson, with :func:`_convert`, writes as the field type itself would."""

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_exact = Decimal().to_json


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(write(data), status, dict(headers or {}), content_type="application/json")


def write(data: Any) -> bytes:
    """JSON text: decimals as strings, moments in UTC."""
    return orjson.dumps(data, default=_convert, option=_OPTIONS)


def writer(edition: Edition, view: EntityView) -> Writer:
    """How a record of an entity is written; made once for an edition."""
    return edition.cached(("writer", view.name), lambda: _make_writer(view))  # type: ignore[no-any-return]


def etag(record: Record) -> dict[str, str]:
    """The headers that name the version of a record."""
    return {"ETag": f'"{record.version}"'}


def _make_writer(view: EntityView) -> Writer:
    special = {
        name: one.type.to_json for name, one in view.fields.items() if type(one.type).to_json not in _NATIVE
    }

    def plain(record: Record) -> dict[str, Any]:
        return {"id": record.id, "version": record.version, **record.values}

    def converted(record: Record) -> dict[str, Any]:
        written = plain(record)
        for name, convert in special.items():
            if name in written:
                written[name] = convert(written[name])
        return written

    return converted if special else plain


def _convert(value: Any) -> Any:
    if isinstance(value, Number):
        return _exact(value)
    if isinstance(value, Text):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
