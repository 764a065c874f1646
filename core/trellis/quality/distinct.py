"""Records that somebody has told apart: pairs that look alike and are not one. They are shown as duplicates no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import combinations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.errors import PermissionRefused, RecordInvalid
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.records.entity import Base
from trellis.records.types import BigId, UtcDateTime

_ = translator("trellis")


class Distinct(Base):
    """Two records of an entity that are not one, the lower id first; who said so, and when."""

    __tablename__ = "distinct_pair"

    entity: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    low_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    high_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, index=True)
    user_id: Mapped[int | None] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


Pair = tuple[int, int]
_pair = Distinct.__table__.c


def tell_apart(records: Records, entity: str, ids: Sequence[int]) -> None:
    """Keeps that none of these records is another of them. Raises RecordNotFound, PermissionRefused, RecordInvalid."""
    pairs = _allowed_pairs(records, entity, ids)
    known = _among(records.session, entity, ids)
    moment = datetime.now(UTC)
    for low, high in pairs - known:
        records.session.add(
            Distinct(entity=entity, low_id=low, high_id=high, user_id=records.actor.user_id, at=moment)
        )
    records.session.flush()


def take_back(records: Records, entity: str, ids: Sequence[int]) -> None:
    """Forgets that these records were told apart. Raises RecordNotFound, PermissionRefused, RecordInvalid."""
    for low, high in _allowed_pairs(records, entity, ids):
        one = (_pair.entity == entity, _pair.low_id == low, _pair.high_id == high)
        records.session.execute(sa.delete(Distinct).where(*one))


def told_apart(session: Session, entity: str, record_id: int) -> set[int]:
    """The records that are known not to be this one."""
    here = sa.or_(_pair.low_id == record_id, _pair.high_id == record_id)
    rows = session.execute(sa.select(_pair.low_id, _pair.high_id).where(_pair.entity == entity, here))
    return {high if low == record_id else low for low, high in rows}


def number_of(session: Session, entity: str) -> int:
    """How many pairs of an entity are told apart."""
    return session.scalar(sa.select(sa.func.count()).where(_pair.entity == entity)) or 0


def latest(session: Session, entity: str, limit: int) -> list[Pair]:
    """The pairs that were told apart last."""
    query = sa.select(_pair.low_id, _pair.high_id).where(_pair.entity == entity)
    rows = session.execute(query.order_by(_pair.at.desc(), _pair.low_id, _pair.high_id).limit(limit))
    return [(low, high) for low, high in rows]


def without_strangers(session: Session, entity: str, groups: Iterable[Sequence[int]]) -> list[list[int]]:
    """Groups of ids without those that are told apart from all others of their group: one query for all groups."""
    wanted = [list(group) for group in groups]
    known = _among(session, entity, {one for group in wanted for one in group})
    return [
        [one for one in group if any(other != one and _ordered(one, other) not in known for other in group)]
        for group in wanted
    ]


def hand_on(session: Session, entity: str, other: int, survivor: int) -> None:
    """What a record is not, the one that it was merged into is not either; its own pairs stay for the way back."""
    known = told_apart(session, entity, survivor)
    moment = datetime.now(UTC)
    for stranger in told_apart(session, entity, other) - known - {survivor}:
        low, high = _ordered(survivor, stranger)
        session.add(Distinct(entity=entity, low_id=low, high_id=high, user_id=None, at=moment))
    session.flush()


def _allowed_pairs(records: Records, entity: str, ids: Sequence[int]) -> set[Pair]:
    """The pairs of records that the actor may change."""
    if len(set(ids)) < 2:
        raise RecordInvalid({"from": [_("A record cannot be told apart from itself")]})
    for one in set(ids):
        record = records.get(entity, one)
        if not records.actor.reaches(entity, "update", {**record.values, "id": record.id}):
            raise PermissionRefused()
    return {_ordered(*pair) for pair in combinations(set(ids), 2)}


def _among(session: Session, entity: str, ids: Iterable[int]) -> set[Pair]:
    wanted = list(ids)
    both = (_pair.low_id.in_(wanted), _pair.high_id.in_(wanted))
    rows = session.execute(sa.select(_pair.low_id, _pair.high_id).where(_pair.entity == entity, *both))
    return {(low, high) for low, high in rows}


def _ordered(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
