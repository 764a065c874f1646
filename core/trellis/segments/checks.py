"""The check of segments when an edition is built."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.records.compiling import compiles
from trellis.segments.belonging import belonging, candidates
from trellis.segments.sources import sources_of, with_named

_DAY = date(2026, 1, 15)
_AMONG = sa.bindparam("among", [], sa.BigInteger(), expanding=True)


def check_segment(edition: Edition, segment: Segment) -> None:
    """The rule parses, or the select returns one column of ids; it and the segments it asks for compile everywhere."""
    given = [segment.rule is not None, segment.select is not None, segment.listed]
    if given.count(True) != 1:
        raise TypeError(f"{segment.name}: a segment has a rule or a select, one of both")
    for one in with_named(edition, segment):
        compiles(candidates(edition, one, _DAY))
        if sources_of(edition, one):
            compiles(belonging(edition, [one], _DAY, _AMONG))


def segment_reads(edition: Edition, segment: Segment) -> list[sa.ClauseElement]:
    """What the segment's members are found by, and those of the segments that it asks for."""
    return [candidates(edition, one, _DAY) for one in with_named(edition, segment)]
