"""Taking words out of the vocabulary that no record has any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.search.asked import Asked
from trellis.search.matching import found, searchable
from trellis.search.tables import SEARCH_WORD
from trellis.search.words import words

if TYPE_CHECKING:
    from trellis.edition import Edition

MOST = 200
"""Words that are looked for one by one; beyond, long texts hold words that tell nothing of a person by themselves."""


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
