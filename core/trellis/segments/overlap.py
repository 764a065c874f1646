"""How far segments overlap: how many records each two of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.records.membership import SEGMENT_MEMBER
from trellis.security.actor import Actor
from trellis.segments.engine import find, readable, share_of

_ = translator("trellis")

MOST = 12


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Segments of one entity; ``shared`` maps two names to the records in both, a name with itself to its size."""

    segments: Sequence[Segment]
    shared: Mapping[tuple[str, str], int]

    def size(self, name: str) -> int:
        """How many records a segment has."""
        return self.shared.get((name, name), 0)

    def share(self, one: str, other: str) -> float | None:
        """Which share of ``one`` is also in ``other``."""
        return share_of(self.shared.get((one, other), 0), self.size(one))

    def to_json(self) -> dict[str, Any]:
        """The answer over REST: each segment, and each two with what they share."""
        names = [one.name for one in self.segments]
        return {
            "segments": [
                {"segment": one.name, "title": str(one.title), "members": self.size(one.name)}
                for one in self.segments
            ],
            "pairs": [
                {
                    "segments": [one, other],
                    "members": self.shared.get((one, other), 0),
                    "shares": [self.share(one, other), self.share(other, one)],
                }
                for place, one in enumerate(names)
                for other in names[place + 1 :]
            ],
        }


def overlap(session: Session, edition: Edition, actor: Actor, names: Sequence[str]) -> Overlap:
    """The overlap of some segments, of the records that the reader may see: one query."""
    segments = [find(edition, name) for name in dict.fromkeys(names)]
    if not 2 <= len(segments) <= MOST:
        raise TrellisError(_("Choose from 2 to %(most)s segments", most=MOST))
    entities = {one.entity for one in segments}
    if len(entities) > 1:
        raise TrellisError(_("Only segments of the same records can overlap"))
    name = entities.pop()
    actor.require(name, "read")
    entity = edition.entity(name).entity
    one, other = SEGMENT_MEMBER.alias(), SEGMENT_MEMBER.alias()
    known = [segment.name for segment in segments]
    query = (
        sa.select(one.c.segment, other.c.segment, sa.func.count())
        .join(other, other.c.record_id == one.c.record_id)
        .where(one.c.segment.in_(known), other.c.segment.in_(known))
        .group_by(one.c.segment, other.c.segment)
    )
    if not actor.sees_all(name):
        query = query.where(one.c.record_id == entity.id, *readable(entity, actor))
    shared = {(row[0], row[1]): row[2] for row in session.execute(query)}
    return Overlap(segments=segments, shared=shared)
