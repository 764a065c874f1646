"""Short words for what happens in a shop."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session
from trellis import Demo, DemoContext, enabling
from trellis.config import Config
from trellis.crm.analytics.refreshing import refresh
from trellis.edition import Edition
from trellis.installation import Installation
from trellis.kpi import engine
from trellis.kpi.periods import parse
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor
from trellis.segments.engine import members

TODAY = date(2026, 11, 23)


def open_shop(config: Config) -> None:
    """Enables retail in the workspace ``acme``."""
    installation = Installation(config)
    enabling.enable(installation.workspace("acme"), "retail")
    installation.close()


@dataclass
class Shop:
    """The door of a workspace with retail."""

    session: Session
    edition: Edition
    actor: Actor = SYSTEM

    def __post_init__(self) -> None:
        self.numbers = count(1)

    @property
    def records(self) -> Records:
        return Records(self.session, self.edition, self.actor)

    def customer(self, name: str = "Anna", **values: Any) -> int:
        return self.records.create("customer", {"name": name, **_named(values)}).id

    def store(self, code: str = "S01", **values: Any) -> int:
        return self.records.create("retail.store", {"name": f"Store {code}", "code": code, **values}).id

    def receipt(self, customer: int | None, day: date | str, amount: Any = "10", **values: Any) -> int:
        day = date.fromisoformat(day) if isinstance(day, str) else day
        given = {
            "number": f"R{next(self.numbers)}",
            "customer": customer,
            "ordered_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            "amount": amount,
        }
        return self.records.create("order", {**given, **_named(values)}).id

    def ago(self, days: int) -> date:
        return TODAY - timedelta(days=days)

    def kpi(self, name: str, period: str, by: str | None = None) -> Any:
        found = engine.value(
            self.session, self.edition, self.actor, f"retail.{name}", parse(period), by, TODAY
        )
        return {share.title: share.value for share in found.breakdown} if by else found.value

    def measured(self) -> Shop:
        """After tiers, scores and segments were computed."""
        assert refresh(self.session, self.edition, TODAY).faults == []
        return self

    def members(self, segment: str) -> set[int]:
        return set(self.session.scalars(members(self.edition, self.actor, f"retail.{segment}")))


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """``retail_store`` is the field ``retail.store``."""
    return {name.replace("retail_", "retail.", 1): value for name, value in values.items()}


def load(shop: Shop, customers: int, language: str = "en") -> DemoContext:
    """Tells the demo story in a shop."""
    users = {
        role: shop.records.create("user", {"name": role, "email": f"{role}@example.com"}).id
        for role in ("administrator", "manager", "agent")
    }
    context = DemoContext(
        records=shop.records,
        random=random.Random("retail"),
        today=TODAY,
        customers=customers,
        users=users,
        language=language,
    )
    shop.edition.all(Demo)["retail.linen_and_oak"].load(context)
    return context
