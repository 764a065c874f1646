"""Dotted paths from a record through its references (``record.customer.name``): whether they lead somewhere, and to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.edition import Edition, EntityView
from trellis.errors import RecordNotFound
from trellis.i18n import translator
from trellis.process.expressions import Path
from trellis.records.door import Records
from trellis.records.entity import Field
from trellis.records.query import Record
from trellis.records.types import Reference

_ = translator("trellis")

DEEPEST = 4
"""References that one path may follow."""


def check_path(edition: Edition, view: EntityView | None, path: Path) -> None:
    """Raises ValueError for a path that leads nowhere from records of an entity."""
    rest = list(path[1:])
    while rest:
        if view is None:
            raise ValueError(_("“%(path)s” leads nowhere", path=".".join(path)))
        lengths = (n for n in range(len(rest), 0, -1) if ".".join(rest[:n]) in (*view.fields, "id"))
        length = next(lengths, 0)
        name = ".".join(rest[:length])
        if not length:
            raise ValueError(_("%(entity)s has no field “%(field)s”", entity=view.name, field=".".join(rest)))
        kind = view.fields[name].type if name in view.fields else None
        view = edition.entities.get(kind.entity) if isinstance(kind, Reference) else None
        rest = rest[length:]


class RecordFacts:
    """What expressions may name of records that have a name (``record``), read by one door, as far as its actor may see."""

    def __init__(self, records: Records, roots: Mapping[str, tuple[str, int] | None]) -> None:
        self._records = records
        self._roots = roots
        self._seen = records.actor.sees(records.edition)
        self._read: dict[tuple[str, int], Record | None] = {}

    def forget(self) -> None:
        """Records may have changed: they are read anew."""
        self._read.clear()

    def look_up(self, path: Path) -> Any:
        """The value at a path. Raises KeyError."""
        name, *rest = path
        target = self._roots[name]
        if not rest:
            return target[1] if target else None
        found = self.find(path)
        if found is None:
            return None
        record, field = found
        return record.id if field is None else record.values.get(field.name)

    def find(self, path: Path) -> tuple[Record, Field | None] | None:
        """The record and the field that a path ends at (no field for its id); None where a reference is empty.

        Raises KeyError.
        """
        name, *rest = path
        target = self._roots[name]
        return self._follow(target, rest, DEEPEST) if target else None

    def referring(self, entity: str, field: str, most: int) -> list[int]:
        """The records of an entity that refer by a field to ``record``, in the order of their lists."""
        target = self._roots.get("record")
        if target is None:
            return []
        rule = {"field": field, "op": "eq", "value": target[1]}
        page = self._records.list(entity, rule=rule, fields=[], limit=most)
        return [one.id for one in page.items]

    def _follow(
        self, target: tuple[str, int], rest: list[str], left: int
    ) -> tuple[Record, Field | None] | None:
        record = self._record(target)
        if record is None:
            return None
        fields = self._seen.entity(target[0]).fields
        for length in range(len(rest), 0, -1):  # names of extension fields hold dots
            name = ".".join(rest[:length])
            if name not in fields and name != "id":
                continue
            if length == len(rest):
                return record, fields.get(name)
            value = record.id if name == "id" else record.values.get(name)
            if value is None:
                return None
            kind = fields[name].type if name in fields else None
            if not isinstance(kind, Reference) or not left:
                break
            return self._follow((kind.entity, value), rest[length:], left - 1)
        raise KeyError(".".join(rest))

    def _record(self, target: tuple[str, int]) -> Record | None:
        if target not in self._read:
            try:
                self._read[target] = self._records.get(*target)
            except RecordNotFound:
                return None
        return self._read[target]
