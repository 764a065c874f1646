"""Taking out of the search what no record holds any more: words of the vocabulary, and what an index keeps of former values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from trellis.search.asked import Asked
from trellis.search.matching import found, fts_name, searchable, table_of
from trellis.search.tables import SEARCH_WORD
from trellis.search.words import words

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView

MOST = 200
"""Words that are looked for one by one; beyond, long texts hold words that tell nothing of a person by themselves."""


def clean(connection: Connection, views: Iterable[EntityView]) -> None:
    """Drops what the index of SQLite keeps of former values until it merges its parts; PostgreSQL's holds only what is there."""
    if connection.dialect.name != "sqlite":
        return
    for view in views:
        if searchable(view):
            name = connection.dialect.identifier_preparer.quote(fts_name(table_of(view)))
            connection.exec_driver_sql(f"INSERT INTO {name} ({name}) VALUES ('optimize')")


def unlearn(session: Session, edition: Edition, texts: Iterable[str]) -> None:
    """Forgets the words of texts that were erased, those of the first texts first."""
    gone = dict.fromkeys(word for text in texts for word in words(text))
    forgotten = [word for word in list(gone)[:MOST] if not _is_used(session, edition, word)]
    if forgotten:
        session.execute(sa.delete(SEARCH_WORD).where(SEARCH_WORD.c.word.in_(forgotten)))
    known: set[str] = edition.cached("search words", set)
    known.difference_update(forgotten)


def _is_used(session: Session, edition: Edition, word: str) -> bool:
    asked = Asked((word,), whole=True)
    views = (view for view in edition.whole.entities.values() if searchable(view))
    return any(
        session.scalar(sa.select(view.entity.id).where(found(asked, view, view)).limit(1)) is not None
        for view in views
    )
