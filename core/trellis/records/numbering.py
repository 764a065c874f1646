"""Numbers without gaps for records that people call by number."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from trellis.system import Numbering

_numbering = Numbering.__table__.c


def next_number(session: Session, name: str) -> int:
    """The next number of a series, from 1 on. It is given back when the transaction is; others wait until its end."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(Numbering.__table__).values(name=name, last=1)
    raised = statement.on_conflict_do_update(index_elements=["name"], set_={"last": _numbering.last + 1})
    return int(session.scalar(raised.returning(_numbering.last)) or 1)


def next_free(session: Session, name: str, prefix: str, column: Any) -> str:
    """The next number of a series that no record has in ``column``: some may have come with numbers of their own."""
    while True:
        number = f"{prefix}-{next_number(session, name):06}"
        if session.scalar(sa.select(column).where(column == number)) is None:
            return number
