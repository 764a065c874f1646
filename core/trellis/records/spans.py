"""Which entries of the log one piece of work wrote: by them it can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.records.events import ENTERED, LEFT
from trellis.system import Event, current_transaction

_event = Event.__table__.c


class Span(TypedDict):
    """The entries of one transaction from the first to the last; in columns of these names they are kept."""

    first_event: int
    last_event: int
    transaction: int


@contextmanager
def spanning(session: Session, keep: Callable[[Span], None]) -> Iterator[None]:
    """Around writing in one transaction: ``keep`` gets what was written, if anything was."""
    before = session.scalar(sa.select(sa.func.max(_event.id))) or 0
    yield
    own = (_event.id > before, _event.transaction == current_transaction())
    query = sa.select(sa.func.min(_event.id), sa.func.max(_event.id), sa.func.max(_event.transaction))
    first, last, transaction = session.execute(query.where(*own)).one()
    if first is not None:
        keep(Span(first_event=first, last_event=last, transaction=transaction))


def entries(
    session: Session, span: Any, before: int, limit: int, *which: sa.ColumnElement[bool]
) -> Sequence[Any]:
    """The last ``limit`` entries of writes of a kept span that stand before the entry ``before``, backwards."""
    own = (_event.id >= span.first_event, _event.id < before, _event.transaction == span.transaction)
    which = (*which, _event.action.not_in((ENTERED, LEFT)))
    query = sa.select(_event.id, _event.entity, _event.record_id, _event.action, _event.changes)
    query = query.where(*own, *which)
    return session.execute(query.order_by(_event.id.desc()).limit(limit)).all()
