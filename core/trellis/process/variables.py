"""What an instance has found out: kept as JSON, so that numbers, days and moments come back as they went in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

LOOP = "loop"
"""What tells a run of an element that runs several times where it stands."""
LARGEST = 64 * 1024
"""Bytes of all variables of an instance together."""


def to_kept(variables: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Variables as they are kept, with what is kept ``beside`` them already.

    Raises RecordInvalid for what is too large or cannot be kept.
    """
    kept = {name: _to_kept(name, value) for name, value in variables.items()} | dict(beside or {})
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
        self._own_roots = self._roots
        self.edition = edition
        self.variables = variables
        self.loop: Mapping[str, Any] = {}

    def stand(
        self,
        variables: Mapping[str, Any],
        records: Iterable[tuple[str, tuple[str, int]]] = (),
        loop: Mapping[str, Any] | None = None,
    ) -> None:
        """Where expressions are evaluated: the variables there, records by name, and what ``loop`` tells."""
        self.variables, self.loop = variables, loop or {}
        self._roots = {**dict(records), **self._own_roots}

    def look_up(self, path: Path) -> Any:
        """The value at a path. Raises KeyError."""
        name, *rest = path
        if name in self._roots:
            return super().look_up(path)
        if name == LOOP and len(rest) == 1:
            return self.loop[rest[0]]
        if rest:
            raise KeyError(name)
        return self.variables[name]
