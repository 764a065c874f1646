"""Through which stages a customer went, and when: kept with each move, so that a lifecycle is counted in SQL (CU5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.crm.customers.entities import Customer
from trellis.records.bulk import among
from trellis.records.entity import Base
from trellis.records.events import Beside, Saved
from trellis.records.types import BigId, UtcDateTime


class CustomerStay(Base):
    """A stay of a customer in a stage. The one that lasts has no ``left_at``.

    ``entered_at`` is empty where the customer was in the stage already when the history began; ``went_to`` is the next
    stage.
    """

    __tablename__ = "customer_stay"
    __table_args__ = (
        sa.Index("ix_customer_stay_entered", "entered_at", "stage", "customer_id"),
        sa.Index("ix_customer_stay_left", "left_at", "stage", "customer_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True
    )
    stage: Mapped[str] = mapped_column(sa.String(60))
    entered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    went_to: Mapped[str | None] = mapped_column(sa.String(60))


STAY = cast(sa.Table, CustomerStay.__table__)
_CUSTOMER = cast(sa.Table, Customer.__table__)
BEGINNING = ("customer_id", "stage", "entered_at")


def note(event: Saved) -> None:
    """Ends the stays of the customers that moved and begins their next, in two statements."""
    moved = [
        change.id
        for change in event.changes
        if "relationship_stage" in change.changes and change.action != "created"
    ]
    if not moved:
        return
    end(event.session, among(event.session, STAY.c.customer_id, moved))
    begins = sa.select(_CUSTOMER.c.id, _CUSTOMER.c.relationship_stage, _CUSTOMER.c.stage_since).where(
        among(event.session, _CUSTOMER.c.id, moved), _CUSTOMER.c.relationship_stage.is_not(None)
    )
    event.session.execute(sa.insert(STAY).from_select(BEGINNING, begins))


def first(values: Mapping[str, Any]) -> Beside:
    """The stay with which a new customer begins, to be written with it."""
    stay = {"stage": values["relationship_stage"], "entered_at": values["stage_since"]}
    return Beside(STAY, "customer_id", stay)


def end(session: Session, *some: sa.ColumnElement[bool]) -> None:
    """Ends the stays of customers who stand in another stage by now."""
    customer = _CUSTOMER.c
    ends = (
        sa.update(STAY)
        .where(STAY.c.left_at.is_(None), STAY.c.customer_id == customer.id, *some)
        .values(left_at=sa.func.coalesce(customer.stage_since, customer.updated_at))
        .values(went_to=customer.relationship_stage)
    )
    session.execute(ends)
