"""From the rows of a list to its records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from trellis.records.joins import Joins
from trellis.records.rules import Path

FIXED = 3
"""A row begins with the id, the version and the extension values."""


@dataclass(slots=True)
class Record:
    """One record as a list shows it.

    ``values`` maps field names to Python values. A reference holds the id, and ``titles`` the name, of the
    record it leads to; both are left empty when the actor may not read that record or it is in the bin.
    """

    entity: str
    id: int
    version: int
    values: dict[str, Any]
    titles: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reader:
    """How a field is read from a row: from its ``columns``, or by ``decode`` from the extension values."""

    name: str
    columns: tuple[Any, ...] = ()
    titled: bool = False
    decode: Callable[[Any], Any] | None = None


def reader_of(path: Path, joins: Joins) -> Reader:
    """How the field at the end of ``path`` is read."""
    if path.is_reference:
        hops = (*path.hops, path.field)
        return Reader(path.name, (joins.source(hops).id, joins.title(hops)), titled=True)
    if path.field.is_extension and not path.hops:
        return Reader(path.name, decode=path.field.type.from_extra)
    return Reader(path.name, (path.field.of(joins.source(path.hops)),))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a row the values of fields stand: at ``places`` in the order of ``names``.

    ``extended`` are the fields in the extension values, ``titled`` those that refer to records, with the place of the title.
    """

    entity: str
    names: tuple[str, ...]
    values: Callable[[Any], Sequence[Any]]
    extended: tuple[tuple[str, Callable[[Any], Any]], ...]
    titled: tuple[tuple[str, int], ...]

    def records(self, rows: Sequence[Any]) -> list[Record]:
        """The records that rows are."""
        names, values_of, entity = self.names, self.values, self.entity
        records = [
            Record(entity, row[0], row[1], dict(zip(names, values_of(row), strict=True)), {}) for row in rows
        ]
        if self.extended:
            for record, row in zip(records, rows, strict=True):
                extra, values = row[2] or {}, record.values
                for name, decode in self.extended:
                    values[name] = decode(extra.get(name))
        for name, place in self.titled:
            for record, row in zip(records, rows, strict=True):
                value, title = record.values[name], row[place]
                if value is not None:
                    record.titles[name] = f"#{value}" if title is None else str(title)
        return records


def layout_of(entity: str, readers: Sequence[Reader]) -> Layout:
    """The layout of rows whose columns are those of the readers, after the fixed ones."""
    places: list[int] = []
    titled: list[tuple[str, int]] = []
    place = FIXED
    for reader in readers:
        places.append(place if reader.columns else 2)
        if reader.titled:
            titled.append((reader.name, place + 1))
        place += len(reader.columns)
    names = tuple(reader.name for reader in readers)
    extended = tuple((reader.name, reader.decode) for reader in readers if reader.decode is not None)
    return Layout(entity, names, _getter(places), extended, tuple(titled))


def _getter(places: Sequence[int]) -> Callable[[Any], Sequence[Any]]:
    if places == list(range(FIXED, FIXED + len(places))):
        return itemgetter(slice(FIXED, FIXED + len(places)))
    return itemgetter(*places) if len(places) > 1 else lambda row: tuple(row[place] for place in places)
