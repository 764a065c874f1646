"""The vocabulary of a workspace, where the words near a mistyped one are found."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.records.entity import Base

LONGEST_WORD = 40
_text = sa.String(LONGEST_WORD).with_variant(sa.String(LONGEST_WORD, collation="C"), "postgresql")

# A word may stand here twice, so that writers need not wait for each other.
SEARCH_WORD = sa.Table(
    "search_word",
    Base.metadata,
    sa.Column("word", _text, nullable=False, index=True),
    sa.Column("backwards", _text, nullable=False, index=True),
)
