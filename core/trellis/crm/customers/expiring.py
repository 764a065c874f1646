"""The daily job of agreements: they come into force, are to be renewed, renew by themselves, and end (CU2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.crm.customers.agreeing import later
from trellis.crm.customers.agreements import ACTIVE, CLOSED, RENEWAL, SIGNED, Agreement
from trellis.crm.customers.entities import Customer
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.jobs import Work
from trellis.kpi.periods import today_in
from trellis.records.door import Records

_ = translator("trellis")

log = logging.getLogger(__name__)

KIND = "agreements"
AT_ONCE = 100
"""Agreements that are moved in one transaction."""


@dataclass(frozen=True)
class _Step:
    """Agreements of a stage whose ``day`` has come (``past``: has gone), and what is done with each."""

    stage: str
    day: Any
    act: Callable[[Records, Agreement, date], None]
    past: bool = False


def work(work: Work) -> None:
    """Moves what is due. One that the organisation's rules refuse is left as it is, and the others go on."""
    with work.workspace.read() as session:
        today = today_in(ZoneInfo(work.workspace.edition(session).settings.timezone))
    moved = sum(_take(work, step, today) for step in _STEPS)
    with work.workspace.write() as session:
        work.finish(session, {"moved": moved})


def _take(work: Work, step: _Step, today: date) -> int:
    """Takes a step with all that are due, some at a time; how many were moved."""
    moved = last = 0
    while True:
        with work.door() as door:
            due = _due(door, step, today, last)
            numbers = [one.id for one in due]
            moved += sum(_act(door, step, one, today) for one in due)
        if not numbers:
            return moved
        last = numbers[-1]
        work.tell(moved, moved)


def _due(door: Records, step: _Step, today: date, after: int) -> Sequence[Agreement]:
    reached = step.day < today if step.past else step.day <= today
    mine = (Agreement.stage == step.stage, Agreement.deleted_at.is_(None), reached, Agreement.id > after)
    return door.session.scalars(sa.select(Agreement).where(*mine).order_by(Agreement.id).limit(AT_ONCE)).all()


def _act(door: Records, step: _Step, agreement: Agreement, today: date) -> bool:
    try:
        with door.whole():
            step.act(door, agreement, today)
    except TrellisError as error:
        log.warning("agreement %s was not moved from “%s”: %s", agreement.id, step.stage, error)
        return False
    return True


def _begin(door: Records, agreement: Agreement, _today: date) -> None:
    door.move("agreement", agreement.id, ACTIVE)


def _give_notice(door: Records, agreement: Agreement, today: date) -> None:
    """Asks its owner, or whoever looks after the customer, to renew or to end it."""
    customer = door.session.get_one(Customer, agreement.customer_id)
    zone = ZoneInfo(door.edition.settings.timezone)
    ends = max(agreement.ends or today, today)
    task = {
        "kind": "task",
        "subject": str(_("Renew or end: %(title)s", title=agreement.title))[:200],
        "agreement": agreement.id,
        "customer": customer.id,
        "owner": agreement.owner_id or customer.owner_id,
        "unit": agreement.unit_id or customer.unit_id,
        "due_at": datetime.combine(ends, time(12), zone).astimezone(UTC),
    }
    door.move("agreement", agreement.id, RENEWAL)
    door.create("activity", task)


def _end(door: Records, agreement: Agreement, today: date) -> None:
    """Carries on one that renews by itself; the others end with their last day."""
    ends = agreement.ends
    if ends is None or not (agreement.auto_renew and agreement.term_months):
        door.move("agreement", agreement.id, CLOSED, {"closed_on": ends})
        return
    while ends < today:
        ends = later(ends, agreement.term_months)
    door.move("agreement", agreement.id, ACTIVE, {"ends": ends})


_STEPS = (
    _Step(SIGNED, Agreement.starts, _begin),
    _Step(ACTIVE, Agreement.notice_on, _give_notice),
    _Step(RENEWAL, Agreement.ends, _end, past=True),
)
