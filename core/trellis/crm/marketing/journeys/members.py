"""Who is on a journey, and on which journeys a customer is, with what they got and what was held back (MC5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.crm.marketing.journeys.entities import Journey
from trellis.crm.marketing.journeys.figures import seen
from trellis.crm.marketing.journeys.tables import ACTIVE, MEMBERS, MESSAGES, PASSAGES, VERSIONS
from trellis.records.door import Records

_member, _message, _passage, _version = MEMBERS.c, MESSAGES.c, PASSAGES.c, VERSIONS.c
_journey, _customer = Journey.__table__.c, Customer.__table__.c


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which members: in a ``state``, or standing at a ``step`` or with it behind them in an ``outcome``; or one group."""

    state: str = ""
    step: str = ""
    outcome: str = ""
    version: int | None = None
    control: bool | None = None
    reached: bool = False


def members(
    records: Records, journey: int, asked: Asked, limit: int, before: int | None = None
) -> Sequence[Any]:
    """Members of a journey whose customers the reader may see, the newest first."""
    query = sa.select(*MEMBERS.c, _customer.name).join(Customer, _customer.id == _member.customer_id)
    query = query.where(_member.journey_id == journey, *_conditions(asked))
    query = query.where(_customer.deleted_at.is_(None), records.actor.visible(Customer))
    query = query.where(_member.id < before) if before else query
    return records.session.execute(query.order_by(_member.id.desc()).limit(limit)).all()


def _conditions(asked: Asked) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if asked.version is not None:
        found.append(_member.version_id == asked.version)
    if asked.state:
        found.append(_member.state == asked.state)
    if asked.control is not None:
        found.append(_member.control.is_(asked.control))
    if asked.reached:
        found.append(_member.reached_at.is_not(None))
    if asked.step and asked.outcome:
        behind = sa.exists().where(
            _passage.member_id == _member.id, _passage.step == asked.step, _passage.outcome == asked.outcome
        )
        found.append(behind)
    elif asked.step:
        found += [_member.step == asked.step, _member.state == ACTIVE]
    return found


def of_customer(records: Records, customer: int, limit: int) -> Sequence[Any]:
    """The journeys of a customer whom the reader sees, the last first; without the control group, which gets nothing."""
    query = (
        sa.select(*MEMBERS.c, _journey.name)
        .join(Journey, _journey.id == _member.journey_id)
        .where(
            _member.customer_id == customer,
            _member.control.is_(False),
            _journey.deleted_at.is_(None),
            records.actor.visible(Journey),
        )
    )
    return records.session.execute(query.order_by(_member.id.desc()).limit(limit)).all()


def messages_of(session: Session, members: Sequence[int]) -> Sequence[Any]:
    """The messages of members, in their order."""
    return session.execute(
        sa.select(MESSAGES).where(_message.member_id.in_(members)).order_by(_message.id)
    ).all()


def passages_of(session: Session, members: Sequence[int]) -> Sequence[Any]:
    """The steps that members have behind them, in their order."""
    return session.execute(
        sa.select(PASSAGES).where(_passage.member_id.in_(members)).order_by(_passage.id)
    ).all()


def versions_of(session: Session, journey: int) -> Sequence[Any]:
    """The versions of a journey with id, number and moment, the newest first."""
    columns = (_version.id, _version.number, _version.created_at)
    query = sa.select(*columns).where(_version.journey_id == journey)
    return session.execute(query.order_by(_version.number.desc())).all()


def number_of(records: Records, journey: int) -> int:
    """How many members of a journey the reader may see."""
    mine = (_member.journey_id == journey, *seen(records.actor, _member.customer_id))
    return records.session.scalar(sa.select(sa.func.count()).where(*mine)) or 0
