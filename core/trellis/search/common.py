"""Whether so many records have what is asked for that it is better to walk along a list than to fetch and sort them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from trellis.driver import fetch
from trellis.records.prepared import Shelf
from trellis.search.asked import Asked
from trellis.search.matching import WORDS, fts_name, searchable, table_of
from trellis.search.words import stem

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.orm import Session

    from trellis.edition import Edition, EntityView

WALK = {"sqlite": 255, "postgresql": 17}
"""A sorted list is walked along until the page is full, rather than all hits fetched and sorted, where the square of the hits
is more than so many times the records: a page is 51 hits apart by records / hits, and to look through the text of a record
takes five times as long as to fetch a hit; on PostgreSQL, whose records hold their words, a third of that. The databases do not
choose well: they know too little of the beginnings of words."""

FAR = {"sqlite": 8_000, "postgresql": 40_000}
"""Of how many records a page must be full: those that have a word may all stand together, far behind, as all whose name
begins with it. Then they are fetched. Of 5,000,000 records about as many are walked by for the rarest words that are common."""

SHORT = 4
"""Letters of the beginning of a word that may be common though it is no word."""
_KNOWN_FOR = 60
"""Seconds for which it is kept which words are common."""


@dataclass(frozen=True)
class _Words:
    """What PostgreSQL knows since it last looked: how many records there are, and the share of them that has a common word."""

    records: float
    shares: Mapping[str, float]

    def share(self, asked: Asked) -> float:
        """About how large a part of the records has what is asked for. A word that is not known is rare."""
        parts = [
            sum(self._of(one, longer=asked.goes_on(place)) for one in (word, *asked.likes(place)))
            for place, word in enumerate(asked.words)
        ]
        return max(prod(min(1.0, part) for part in parts), self.shares.get(asked.digits, 0.0))

    def _of(self, word: str, *, longer: bool) -> float:
        if longer:
            return sum(share for known, share in self.shares.items() if known.startswith(word))
        return max(self.shares.get(word, 0.0), self.shares.get(stem(word), 0.0))


def way_to_go(session: Session, edition: Edition, asked: Asked, view: EntityView) -> int:
    """How many records of a sorted list to walk along for a page of those that have it; 0 where to fetch them is better."""
    return FAR[session.connection().dialect.name] if is_common(session, edition, asked, view) else 0


def is_common(session: Session, edition: Edition, asked: Asked, view: EntityView) -> bool:
    """Whether so many records have it that it is better to walk along the list."""
    if not (asked.words and searchable(view)):
        return False
    # Without beginnings, which FTS5 gathers before it begins to answer; of words, only a short one begins so many.
    asks = [replace(asked, whole=True)]
    if asked.words[-1].isalpha() and len(asked.words[-1]) <= SHORT:
        asks.append(asked)
    connection, now = session.connection(), time.monotonic() // _KNOWN_FOR
    known: Shelf = edition.whole.cached("common words", Shelf)
    if connection.dialect.name == "sqlite":
        texts = tuple(one.fts() for one in asks)
        return known.get((view.name, texts, now), lambda: _has_many(connection, texts, view))
    words = known.get((view.name, now), lambda: _read(connection, view))
    most = WALK[connection.dialect.name] * words.records
    return any((words.share(one) * words.records) ** 2 > most for one in asks)


def _has_many(connection: Connection, texts: Sequence[str], view: EntityView) -> bool:
    quote = connection.dialect.identifier_preparer.quote
    index, table = quote(fts_name(table_of(view))), quote(table_of(view))
    enough = f"SELECT CAST(sqrt({WALK['sqlite']} * coalesce(max(id), 0)) AS INTEGER) FROM {table}"
    statement = f"SELECT 1 FROM {index} WHERE {index} MATCH ? LIMIT 1 OFFSET ({enough})"
    return any(fetch(connection, statement, (one,))[0] for one in texts)


def _read(connection: Connection, view: EntityView) -> _Words:
    """What ANALYZE found. The shares have some figures more at their end than there are words."""
    table = table_of(view)
    statement = (
        "SELECT greatest((SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)), 0), "
        "most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats "
        "WHERE schemaname = current_schema() AND tablename = %s AND attname = %s"
    )
    place = connection.dialect.identifier_preparer.quote(table)
    rows, _description = fetch(connection, statement, (place, table, WORDS))
    for records, words, shares in rows:
        return _Words(records, dict(zip(words or (), shares or (), strict=False)))
    return _Words(0, {})
