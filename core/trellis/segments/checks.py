"""The check of segments when an edition is built."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from trellis.edition import Edition
from trellis.segments.engine import candidates

_DAY = date(2026, 1, 15)


def check_segment(edition: Edition, segment: Any) -> None:
    """The rule parses, or the select returns one column of ids; both compile on both databases."""
    if (segment.rule is None) == (segment.select is None):
        raise TypeError(f"{segment.name}: a segment has a rule or a select, one of both")
    statement = candidates(edition, segment, _DAY)
    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        statement.compile(dialect=dialect)


def segment_reads(edition: Edition, segment: Any) -> list[sa.ClauseElement]:
    """What the segment's members are found by."""
    return [candidates(edition, segment, _DAY)]
