"""What an instance has found out: kept as JSON, so that numbers, days and moments come back as they went in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.process.expressions import Path
from trellis.process.paths import RecordFacts
from trellis.records.door import Records
from trellis.security.actor import SYSTEM

_ = translator("trellis")

LARGEST = 64 * 1024
"""Bytes of all variables of an instance together."""


def to_kept(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Variables as they are kept. Raises RecordInvalid for what is too large or cannot be kept."""
    kept = {name: _to_kept(name, value) for name, value in variables.items()}
    if len(orjson.dumps(kept)) > LARGEST:
        raise RecordInvalid({"_record": [_("The variables of a process may hold 64 kB together")]})
    return kept


def from_kept(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The opposite of :func:`to_kept`."""
    return {name: _from_kept(value) for name, value in kept.items()}


def _to_kept(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"number": format(value.normalize(), "f")}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, timedelta):
        return {"seconds": value.total_seconds()}
    if isinstance(value, list | tuple):
        return [_to_kept(name, one) for one in value]
    if (
        value is None
        or isinstance(value, str | bool | float)
        or (isinstance(value, int) and abs(value) < 2**53)
    ):
        return value
    if isinstance(value, int):
        return {"number": str(value)}
    raise RecordInvalid(
        {name: [_("A variable is a text, a number, a day, a moment, yes or no, or a list of them")]}
    )


def _from_kept(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_kept(one) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    if kind == "number":
        return Decimal(text)
    if kind == "moment":
        return datetime.fromisoformat(text)
    return date.fromisoformat(text) if kind == "day" else timedelta(seconds=text)


class InstanceFacts(RecordFacts):
    """What the expressions of an instance may name: its variables, its record, and who started it.

    Records are read as the process reads them, whoever is at work: a condition does not depend on that.
    """

    def __init__(
        self,
        session: Session,
        edition: Edition,
        variables: Mapping[str, Any],
        record: tuple[str, int] | None,
        starter: int | None,
    ) -> None:
        roots = {"record": record, "starter": ("user", starter) if starter else None}
        super().__init__(Records(session, edition, SYSTEM), roots)
        self.variables = variables

    def look_up(self, path: Path) -> Any:
        """The value at a path. Raises KeyError."""
        name, *rest = path
        if name in self._roots:
            return super().look_up(path)
        if rest:
            raise KeyError(name)
        return self.variables[name]
