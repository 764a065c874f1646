"""The analytics by name, as the command line and REST give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from trellis.crm.analytics.loyalty import loyalty
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.rfm import rfm, rfm_customers
from trellis.crm.analytics.window import Window
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.kpi.periods import Grain, Period, containing, today_in
from trellis.security.actor import Actor

_ = translator("trellis")


class AnalyticsNotFound(TrellisError):
    """There are no analytics of this name."""

    status = 404
    code = "analytics_not_found"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, and by whom. ``period`` and ``as_of`` are the present ones where none are given."""

    session: Session
    edition: Edition
    actor: Actor
    period: Period | None = None
    as_of: date | None = None
    measure: str | None = None
    customers: bool = False

    @property
    def today(self) -> date:
        """The day it is in the workspace."""
        return today_in(ZoneInfo(self.edition.settings.timezone))

    @property
    def window(self) -> Window:
        """The days of the period, or the last twelve months."""
        return Window.of(self.period) if self.period else Window.until(self.as_of or self.today)


@dataclass(frozen=True)
class Analytics:
    """One of the analytics: how it is answered, and which of the options of :class:`Question` it takes."""

    answer: Callable[[Question], dict[str, Any]]
    options: tuple[str, ...]


def _pyramid(asked: Question) -> dict[str, Any]:
    return pyramid(asked.session, asked.edition, asked.actor, asked.window, asked.measure).to_json()


def _rfm(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor, asked.window
    answer = rfm(*who).to_json()
    if asked.customers:
        answer["lines"] = [line.to_json() for line in rfm_customers(*who)]
    return answer


def _loyalty(asked: Question) -> dict[str, Any]:
    period = asked.period or containing(asked.today, Grain.YEAR)
    return loyalty(asked.session, asked.edition, asked.actor, period).to_json()


ANALYTICS: Mapping[str, Analytics] = MappingProxyType(
    {
        "loyalty": Analytics(_loyalty, ("period",)),
        "pyramid": Analytics(_pyramid, ("period", "measure")),
        "rfm": Analytics(_rfm, ("as_of", "customers")),
    }
)
"""All analytics, by name."""


def analytics_named(name: str) -> Analytics:
    """The analytics of that name, or :class:`AnalyticsNotFound`."""
    if name not in ANALYTICS:
        known = ", ".join(ANALYTICS)
        raise AnalyticsNotFound(
            _("There are no analytics “%(name)s”; there are: %(known)s", name=name[:80], known=known)
        )
    return ANALYTICS[name]
