"""Numbers without gaps for records that people call by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from trellis.edition import EntityView
from trellis.records.bulk import rows_by
from trellis.system import Numbering

_numbering = Numbering.__table__.c


def next_number(session: Session, name: str) -> int:
    """The next number of a series, from 1 on. It is given back when the transaction is; others wait until its end."""
    return _next(session, name, 1)[0]


def give(session: Session, view: EntityView, records: Sequence[dict[str, Any]]) -> None:
    """Gives new records without a number the next ones of their entity, for any number of records at once.

    Left out are numbers that another record has, or one of these: some come with numbers of their own.
    """
    left = [values for values in records if not values.get("number")]
    taken = {values.get("number") for values in records}
    column = cast(sa.Table, view.entity.__table__).c.number
    while left:
        numbers = [f"{view.info.numbered}-{one:06}" for one in _next(session, view.name, len(left))]
        taken |= {found for (found,) in rows_by(session, (column,), numbers)}
        for number in numbers:
            if number not in taken:
                left.pop(0)["number"] = number


def _next(session: Session, name: str, count: int) -> range:
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(Numbering.__table__).values(name=name, last=count)
    raised = statement.on_conflict_do_update(index_elements=["name"], set_={"last": _numbering.last + count})
    last = int(session.scalar(raised.returning(_numbering.last)) or count)
    return range(last - count + 1, last + 1)
