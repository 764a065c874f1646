"""Telling the core and plugins who entered a segment, by the hook for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.plugins import note_fault
from trellis.records.events import SegmentEntered
from trellis.records.telling import Telling
from trellis.segments.keeping import Move
from trellis.segments.tables import SEGMENT_EVENT

_event = SEGMENT_EVENT.c


def tell_moves(session: Session, edition: Edition, moves: Sequence[Move]) -> None:
    """Tells who entered by a write."""
    for name in dict.fromkeys(segment for segment, _record in moves):
        ids = [record for segment, record in moves if segment == name]
        _tell(session, edition, name, lambda ids=ids: ids)  # type: ignore[misc]


def tell_entries(session: Session, edition: Edition, at: datetime) -> None:
    """Tells who entered when all segments were counted at a moment."""
    for name in edition.all(Segment):
        _tell(session, edition, name, partial(_entered, session, name, at))


def _tell(session: Session, edition: Edition, name: str, find: Callable[[], Sequence[int]]) -> None:
    telling = Telling(session, edition.whole)
    try:
        telling.entered(SegmentEntered(segment=name, session=session, edition=edition.whole, find=find))
    finally:
        for fault in telling.faults:
            note_fault(session, fault)


def _entered(session: Session, name: str, at: datetime) -> Sequence[int]:
    """Those who entered at a moment; nobody does when the segment is counted for the first time."""
    before = sa.select(_event.id).where(_event.segment == name, _event.at < at).limit(1)
    if session.scalar(before) is None:
        return []
    entered = sa.select(_event.record_id).where(_event.segment == name, _event.at == at, _event.change == 1)
    return session.scalars(entered.order_by(_event.record_id)).all()
