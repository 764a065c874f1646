"""Beside a scheme: the periods that it can be reckoned in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.sales.bonuses.entities import CLOSED, BonusRun
from trellis.crm.sales.bonuses.running import periods_of
from trellis.crm.sales.bonuses.terms import scheme_row
from trellis.i18n import translator
from trellis.kpi.periods import today_in
from trellis.records.door import Records

_ = translator("trellis")


def reckoning(records: Records, scheme: int) -> Mapping[str, Any]:
    """The periods that are not closed, for those who may reckon; the last one that is over and behind the closed is chosen."""
    records.get("bonus_scheme", scheme)
    may = records.actor.may("bonus_run", "create")
    query = sa.select(BonusRun.period).where(BonusRun.scheme_id == scheme, BonusRun.state == CLOSED)
    closed = set(records.session.scalars(query)) if may else set()
    today = today_in(ZoneInfo(records.edition.settings.timezone))
    periods = periods_of(records.edition, scheme_row(records.session, scheme), today) if may else []
    left = [one for one in periods if one.code not in closed]
    due = [one.code for one in left if one.end <= today and one.code > max(closed, default="")]
    chosen = next(iter(due), left[0].code if left else "")
    return {
        "id": scheme,
        "periods": [{"value": one.code, "title": one.label, "selected": one.code == chosen} for one in left],
        "may_reckon": may,
    }


PANELS = [
    Panel(
        name="bonus_reckoning",
        title=_("Reckoning"),
        cell=Cell(Direction.SALES, Level.TACTICS, "SA4"),
        entity="bonus_scheme",
        load=reckoning,
        template="bonuses/reckoning.html",
    )
]
