"""Slips of the fingers: the words of a workspace that are like one that finds nothing, found in the same way everywhere.

A word with one letter wrong still begins or ends as it should, so the candidates are a short range of an index, however
many records there are.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from rapidfuzz.distance import OSA
from sqlalchemy.orm import Session

from trellis.records.bulk import among, insert_rows
from trellis.search.asked import Asked
from trellis.search.tables import LONGEST_WORD, SEARCH_WORD
from trellis.search.words import words

SHORTEST, LONG = 4, 8
"""Shorter words are not mended; longer ones may be wrong in two places."""

NEAR, CANDIDATES = 20, 5_000
MOST_KNOWN = 50_000
"""Words that a process remembers of an edition, so as not to ask for them with each write."""

_AT_ONCE = 5_000
_LAST = "\U0010ffff"


def learn(session: Session, texts: Iterable[str], known: set[str]) -> None:
    """Keeps the words of texts that are not kept yet. ``known`` are some that are: it is added to."""
    told = {word for text in set(texts) for word in words(text)} - known
    new = sorted(word for word in told if _is_mendable(word))
    for start in range(0, len(new), _AT_ONCE):
        some = new[start : start + _AT_ONCE]
        kept = set(
            session.scalars(sa.select(SEARCH_WORD.c.word).where(among(session, SEARCH_WORD.c.word, some)))
        )
        rows = [{"word": word, "backwards": word[::-1]} for word in some if word not in kept]
        if rows:
            insert_rows(session, SEARCH_WORD, {}, rows)
        if len(known) < MOST_KNOWN:
            known |= kept  # not those that are new: this transaction may be taken back


def loosened(session: Session, asked: Asked) -> Asked | None:
    """What may have been meant; None where that is no more than what was asked."""
    near = [_near(session, word) for word in asked.words]
    return asked.loosely(near) if any(near) or len(asked.words) > 1 else None


def _is_mendable(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST_WORD and word.isalpha()


def _near(session: Session, word: str) -> list[str]:
    """Known words that differ by a slip, the nearest first."""
    if not _is_mendable(word):
        return []
    half, most = (len(word) - 1) // 2, 1 if len(word) < LONG else 2
    statement = sa.select(SEARCH_WORD.c.word).distinct().limit(CANDIDATES)
    statement = statement.where(
        sa.or_(
            _begins(SEARCH_WORD.c.word, word[:half]), _begins(SEARCH_WORD.c.backwards, word[: -half - 1 : -1])
        ),
        sa.func.length(SEARCH_WORD.c.word).between(len(word) - most, len(word) + most),
    )
    measured = [
        (OSA.distance(word, one, score_cutoff=most), one) for one in session.scalars(statement) if one != word
    ]
    return [one for distance, one in sorted(measured) if distance <= most][:NEAR]


def _begins(column: sa.ColumnElement[str], start: str) -> sa.ColumnElement[bool]:
    return column.between(start, start + _LAST)
