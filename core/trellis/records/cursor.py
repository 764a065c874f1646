"""Page cursors: opaque, url-safe texts that hold the sort keys of the last row and know their list."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from trellis.errors import CursorInvalid
from trellis.records.types import FieldType

LONGEST = 8_000
_LARGEST_INTEGER = 2**63 - 1
_LARGEST_DECIMAL = Decimal(10) ** 14


def digest(*parts: Any) -> str:
    """A short fingerprint of what makes two lists different (entity, rule, sort, search text)."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def encode(fingerprint: str, values: Sequence[Any]) -> str:
    """The cursor for the list with this fingerprint, after the row with these key values."""
    text = json.dumps([fingerprint, *map(_to_json, values)], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, fingerprint: str, types: Sequence[FieldType]) -> list[Any]:
    """The key values in ``cursor``; CursorInvalid when it was made for another list or by another hand."""
    try:
        if len(cursor) > LONGEST:
            raise ValueError("too long")
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True)
        parts = json.loads(text)
        if not isinstance(parts, list) or parts[:1] != [fingerprint] or len(parts) != len(types) + 1:
            raise ValueError("made for another list")
        return [_from_json(value, field_type) for value, field_type in zip(parts[1:], types, strict=True)]
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        raise CursorInvalid() from None


def _to_json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _from_json(value: Any, field_type: FieldType) -> Any:
    if value is None:
        return None
    if not _fits(value, str if field_type.fixed_point else _JSON_TYPES[field_type.kind]):
        raise ValueError("wrong type")
    if field_type.fixed_point:
        number = Decimal(value)
        if not number.is_finite() or abs(number) >= _LARGEST_DECIMAL:
            raise ValueError("out of range")
        return number
    if field_type.kind == "date":
        return date.fromisoformat(value)
    if field_type.kind == "datetime":
        moment = datetime.fromisoformat(value)
        if moment.utcoffset() is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC)
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        raise ValueError("out of range")
    if isinstance(value, str) and b"\x00" in value.encode():
        raise ValueError("not text")
    return value


def _fits(value: Any, expected: type) -> bool:
    return isinstance(value, expected) and not (isinstance(value, bool) and expected is int)


_JSON_TYPES: dict[str, type] = {
    "text": str,
    "number": int,
    "boolean": bool,
    "date": str,
    "datetime": str,
    "reference": int,
}


def told_apart(ids: list[int] | sa.Select[Any] | None) -> Any:
    """What tells one set of ids from another, in JSON."""
    if not isinstance(ids, sa.Select):
        return ids
    compiled = ids.compile()
    return [str(compiled), [str(value) for value in compiled.params.values()]]
