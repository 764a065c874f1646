"""The analytics by name, as the command line and REST give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from trellis.crm.analytics import options
from trellis.crm.analytics.loyalty import loyalty
from trellis.crm.analytics.options import Option, OptionInvalid
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.rfm import rfm, rfm_customers
from trellis.crm.analytics.window import MEASURES, Window
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
    """What is asked, and by whom. ``options`` are those of :meth:`Analytics.read`."""

    session: Session
    edition: Edition
    actor: Actor
    options: Mapping[str, Any]

    @property
    def today(self) -> date:
        """The day asked for, or the one it is in the workspace."""
        return self.options.get("as_of") or today_in(ZoneInfo(self.edition.settings.timezone))

    @property
    def period(self) -> Period | None:
        """The period asked for."""
        return self.options.get("period")

    @property
    def window(self) -> Window:
        """The days of the period, or the last twelve months."""
        return Window.of(self.period) if self.period else Window.until(self.today)


@dataclass(frozen=True)
class Analytics:
    """One of the analytics: how it is answered, and the options it takes."""

    answer: Callable[[Question], dict[str, Any]]
    options: tuple[Option, ...]

    def read(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The values of all options from the texts given for some. Raises OptionInvalid, also for a name it has not."""
        for name in texts:
            if name not in {one.name for one in self.options}:
                raise OptionInvalid(name, _("There is no option “%(name)s” here", name=name[:80]))
        return {
            one.name: one.read(texts[one.name]) if one.name in texts else one.default for one in self.options
        }


def _pyramid(asked: Question) -> dict[str, Any]:
    return pyramid(
        asked.session, asked.edition, asked.actor, asked.window, asked.options["measure"]
    ).to_json()


def _rfm(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor, asked.window
    answer = rfm(*who).to_json()
    if asked.options["customers"]:
        answer["lines"] = [line.to_json() for line in rfm_customers(*who)]
    return answer


def _loyalty(asked: Question) -> dict[str, Any]:
    period = asked.period or containing(asked.today, Grain.YEAR)
    return loyalty(asked.session, asked.edition, asked.actor, period, asked.today).to_json()


_PERIOD = options.period(_("2026, 2026-Q3, 2026-10, 2026-W41 or 2026-10-23"))
_AS_OF = options.day("as_of", _("The day, today by default"))
_CUSTOMERS = options.flag("customers", _("Also a line for each customer"))
_MEASURE = options.choice("measure", MEASURES, _("By margin or revenue"))

ANALYTICS: Mapping[str, Analytics] = MappingProxyType(
    {
        "loyalty": Analytics(_loyalty, (_PERIOD, _AS_OF)),
        "pyramid": Analytics(_pyramid, (_PERIOD, _AS_OF, _MEASURE)),
        "rfm": Analytics(_rfm, (_PERIOD, _AS_OF, _CUSTOMERS)),
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
