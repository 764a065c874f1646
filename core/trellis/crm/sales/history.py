"""Through which stages an opportunity went, and when: kept with each move, so that a funnel is counted in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.crm.sales.entities import Opportunity
from trellis.records.bulk import among
from trellis.records.entity import Base
from trellis.records.events import Saved
from trellis.records.types import BigId, UtcDateTime


class OpportunityStage(Base):
    """A stay of an opportunity in a stage; the one that lasts has no ``left_at``."""

    __tablename__ = "opportunity_stage"
    __table_args__ = (sa.Index("ix_opportunity_stage_entered", "entered_at", "opportunity_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    opportunity_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("opportunity.id", ondelete="CASCADE"), index=True
    )
    stage: Mapped[str] = mapped_column(sa.String(60))
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


STAY = cast(sa.Table, OpportunityStage.__table__)
_OPPORTUNITY = cast(sa.Table, Opportunity.__table__)


def note(event: Saved) -> None:
    """Ends the stays of the opportunities that moved and begins their next, in two statements."""
    moved = [change.id for change in event.changes if "stage" in change.changes]
    if not moved:
        return
    now = sa.func.coalesce(_OPPORTUNITY.c.stage_since, _OPPORTUNITY.c.updated_at)
    of_it: Any = sa.select(now).where(_OPPORTUNITY.c.id == STAY.c.opportunity_id).scalar_subquery()
    ends = sa.update(STAY).where(among(event.session, STAY.c.opportunity_id, moved), STAY.c.left_at.is_(None))
    event.session.execute(ends.values(left_at=of_it))
    begins = sa.select(_OPPORTUNITY.c.id, _OPPORTUNITY.c.stage, now).where(
        among(event.session, _OPPORTUNITY.c.id, moved)
    )
    event.session.execute(sa.insert(STAY).from_select(["opportunity_id", "stage", "entered_at"], begins))
