"""The analytics by name, as the command line and REST give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from trellis.crm.analytics import options
from trellis.crm.analytics.abc import ASSUMPTIONS as ABC
from trellis.crm.analytics.abc import abc, abc_items
from trellis.crm.analytics.clv import Asked, clv, lines
from trellis.crm.analytics.counted import Made, told
from trellis.crm.analytics.cross_sell import BASKETS, CUSTOMER, ITEMS, cross_sell
from trellis.crm.analytics.items import CUSTOMERS, KINDS
from trellis.crm.analytics.keeping import Keeping, keeping
from trellis.crm.analytics.lifecycle import ORDER, lifecycle, moved
from trellis.crm.analytics.lifetime import Unit
from trellis.crm.analytics.loyalty import loyalty
from trellis.crm.analytics.moves import moves
from trellis.crm.analytics.options import Option, OptionInvalid
from trellis.crm.analytics.portfolio import CATEGORIES, GROWTH_FROM, SHARE_FROM, portfolio
from trellis.crm.analytics.portfolio import KINDS as PORTFOLIO_KINDS
from trellis.crm.analytics.product_figures import ASSUMPTIONS as PRODUCT_LIFE
from trellis.crm.analytics.product_life import product_life
from trellis.crm.analytics.programme import effectiveness as programme_effectiveness
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.rfm import rfm, rfm_customers
from trellis.crm.analytics.satisfaction import satisfaction
from trellis.crm.analytics.significance import ASSUMPTIONS as SIGNIFICANCE
from trellis.crm.analytics.significance import significance, significant_customers
from trellis.crm.analytics.survey_answers import SEGMENT, SPLITS
from trellis.crm.analytics.survey_scores import ASSUMPTIONS as SATISFACTION
from trellis.crm.analytics.window import MEASURES, Window, coverage
from trellis.crm.sales.counting import Scope, funnel_named, last_months
from trellis.crm.sales.effectiveness import SPLITS as SALES_SPLITS
from trellis.crm.sales.effectiveness import effectiveness
from trellis.crm.sales.funnel import funnel
from trellis.crm.sales.planning import Asked as AskedPlan
from trellis.crm.sales.planning import sales_plan
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.kpi.below import EVERYBODY, LEVELS, WHOM, Whom
from trellis.kpi.periods import Grain, Period, containing, parse, today_in
from trellis.kpi.splits import PERSON
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
        return self._in_calendar("period")

    def _in_calendar(self, name: str) -> Period | None:
        """An option that is a period, in the fiscal calendar of the workspace."""
        asked = self.options.get(name)
        return parse(asked.code, self.edition.settings.fiscal_month) if asked is not None else None

    @property
    def compared(self) -> Period | None:
        """The period to compare with."""
        return self._in_calendar("compare")

    @property
    def window(self) -> Window:
        """The days of the period, or the last twelve months."""
        return Window.of(self.period) if self.period else Window.until(self.today)


@dataclass(frozen=True)
class Analytics:
    """One of the analytics: how it is answered, and the options it takes.

    ``kept`` where the answer is made of what was computed for all customers before: scores, tiers, segments. ``made``
    says of figures of customers what goes in; None for figures of something else.
    """

    compute: Callable[[Question], dict[str, Any]]
    options: tuple[Option, ...]
    kept: bool = False
    made: Made | None = None

    def answer(self, asked: Question) -> dict[str, Any]:
        """The answer, with a sentence on what of customers it counts (``scope``); it has none where that is everything."""
        found = self.compute(asked)
        return found if self.made is None else found | _scope(asked, self.made)

    def read(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The values of all options from the texts given for some. Raises OptionInvalid, also for a name it has not."""
        for name in texts:
            if name not in {one.name for one in self.options}:
                raise OptionInvalid(name, _("There is no option “%(name)s” here", name=name[:80]))
        return {
            one.name: one.read(texts[one.name]) if one.name in texts else one.default for one in self.options
        }


def _scope(asked: Question, made: Made) -> dict[str, Any]:
    scope = told(asked.edition, asked.actor, made)
    return {} if scope is None else {"scope": str(scope)}


def _pyramid(asked: Question) -> dict[str, Any]:
    found = pyramid(asked.session, asked.edition, asked.actor, asked.window, asked.options["measure"])
    answer = found.to_json()
    if asked.compared is not None:
        before = Window.of(asked.compared)
        moved = moves(asked.session, asked.edition, asked.actor, before, asked.window, found.measure)
        answer["moves"] = moved.to_json()
    return answer


def _abc(asked: Question) -> dict[str, Any]:
    items = KINDS[asked.options["of"]]
    who = asked.session, asked.edition, asked.actor, asked.window, asked.today
    found = abc(*who, asked.options["measure"], items)
    answer = {"of": asked.options["of"], **found.to_json(), "assumptions": ABC.to_json(asked.edition)}
    if asked.options["customers"]:
        answer["lines"] = [line.to_json() for line in abc_items(*who, found.measure, items)]
    return answer | _scope(asked, Made.SALES) if items is CUSTOMERS else answer


def _significance(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor
    answer = significance(*who).to_json() | {"assumptions": SIGNIFICANCE.to_json(asked.edition)}
    if asked.options["customers"]:
        answer["lines"] = [line.to_json() for line in significant_customers(*who)]
    return answer


def _satisfaction(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor
    found = satisfaction(*who, asked.window, asked.options["by"], asked.options["survey"])
    return found.to_json() | {"assumptions": SATISFACTION.to_json(asked.edition)}


def _programme(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor
    return programme_effectiveness(*who, asked.today, asked.options["programme"]).to_json()


def _product_lifecycle(asked: Question) -> dict[str, Any]:
    found = product_life(asked.session, asked.edition, asked.actor, asked.today)
    return found.to_json() | {"assumptions": PRODUCT_LIFE.to_json(asked.edition)}


def _bcg(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor, asked.window
    chosen = {name: asked.options[name] for name in ("of", "growth_from", "share_from")}
    return {"of": chosen["of"], **portfolio(*who, **chosen).to_json()}


def _cross_sell(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor, asked.window
    return cross_sell(*who, *(asked.options[name] for name in ("of", "by", "items"))).to_json()


def _rfm(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor, asked.window
    answer = rfm(*who).to_json() | {"left_out": [one.to_json() for one in coverage(*who).left_out]}
    if asked.options["customers"]:
        answer["lines"] = [line.to_json() for line in rfm_customers(*who)]
    return answer


def _lifecycle(asked: Question) -> dict[str, Any]:
    who = asked.session, asked.edition, asked.actor, asked.window
    answer = lifecycle(*who).to_json()
    if asked.options["customers"]:
        chosen = asked.options["stage"], asked.options["went_to"]
        answer["lines"] = [line.to_json() for line in moved(*who, *chosen)]
    return answer


def _loyalty(asked: Question) -> dict[str, Any]:
    period = asked.period or containing(asked.today, Grain.YEAR, asked.edition.settings.fiscal_month)
    found = loyalty(asked.session, asked.edition, asked.actor, period, asked.today)
    return found.to_json() | kept_as_asked(asked).to_json()


def kept_as_asked(asked: Question) -> Keeping:
    """Staying over a year and a lifetime, up to the end of the period or today."""
    until = min(asked.period.last, asked.today) if asked.period else asked.today
    taken = {"change": "change", "years": "years", "inactive": "inactive_after"}
    given = {name: asked.options[option] for name, option in taken.items()}
    return keeping(asked.session, asked.edition, asked.actor, until, **given)


def asked_lifetime(asked: Question) -> Asked:
    """What is asked of lifetime value: by default, learnt from all days to today."""
    taken = {name: asked.options[option] for name, option in _LIFETIME.items()}
    taken |= {"unit": Unit(asked.options["unit"]), "acquired": asked.period}
    return Asked(until=asked.options["calibrate_to"] or asked.today, today=asked.today, **taken)


def _clv(asked: Question) -> dict[str, Any]:
    found = clv(asked.session, asked.edition, asked.actor, asked_lifetime(asked))
    answer = found.to_json()
    if asked.options["customers"]:
        answer["lines"] = list(lines(asked.session, asked.actor, found))
    return answer


def sales_scope(asked: Question) -> Scope:
    """The opportunities that are asked about: of the period, or of the last twelve months. Raises FunnelUnknown."""
    fiscal_month = asked.edition.settings.fiscal_month
    return Scope(
        session=asked.session,
        edition=asked.edition,
        actor=asked.actor,
        lifecycle=funnel_named(asked.session, asked.edition, asked.actor, asked.options["funnel"]),
        period=asked.period or last_months(asked.today, fiscal_month),
        today=asked.today,
    )


def _funnel(asked: Question) -> dict[str, Any]:
    return funnel(sales_scope(asked)).to_json()


def _effectiveness(asked: Question) -> dict[str, Any]:
    return effectiveness(sales_scope(asked), asked.options["by"]).to_json()


def asked_plan(asked: Question) -> AskedPlan:
    """The sales plan that is asked for: of the running quarter where no period is given."""
    quarter = containing(asked.today, Grain.QUARTER, asked.edition.settings.fiscal_month)
    return AskedPlan(
        session=asked.session,
        edition=asked.edition,
        actor=asked.actor,
        period=asked.period or quarter,
        today=asked.today,
        whom=asked.options["whom"],
        wanted=asked.options["kpi"],
        wanted_by=asked.options["by"],
    )


def _plan(asked: Question) -> dict[str, Any]:
    return sales_plan(asked_plan(asked)).to_json()


_PERIOD = options.period(_("2026, 2026-Q3, 2026-10, 2026-W41 or 2026-10-23"))
_AS_OF = options.day("as_of", _("The day, today by default"))
_CUSTOMERS = options.flag("customers", _("Also a line for each customer"))
_MEASURE = options.choice("measure", MEASURES, _("By margin or revenue"))
_COMPARE = replace(options.period(_("Also the moves between tiers since this period")), name="compare")
_OF = options.choice("of", list(KINDS), _("What is classed: customers or products"), "customers")
_BY = options.choice("by", SPLITS, _("By segment, tier, channel or product"), SEGMENT)
_SURVEY = options.whole("survey", 1, 2**63 - 1, _("Id of a survey: only answers to it"))
_PROGRAMME = options.whole("programme", 1, 2**63 - 1, _("Id of the loyalty programme; the latest by default"))

_CHANGE = options.number("change", -1, 1, _("Change of retention in the what-if: 0.05 is 5 points"), 0.05)
_YEARS = options.whole("years", 1, 50, _("Years of the what-if"), 5)
_INACTIVE = options.whole(
    "inactive_after", 1, 3650, _("Days without a purchase after which a customer counts as lost"), 180
)

_LIFETIME = {
    "horizon": "horizon",
    "discount": "discount_rate",
    "margin": "margin",
    "retention": "retention",
    "growth": "growth",
    "years": "years",
    "acquisition": "acquisition_cost",
}
_OF_LIFETIME = (
    options.day("calibrate_to", _("The last day that is learnt from, today by default")),
    options.choice(
        "unit", [unit.value for unit in Unit], _("Unit of time of the parameters"), Unit.WEEK.value
    ),
    options.period(_("Only customers who first bought in this period")),
    options.whole("horizon", 1, 120, _("Months ahead"), 12),
    options.number("discount_rate", 0, 1, _("Discount a month: 0.01 is 1 %"), 0.01),
    options.number("margin", -1, 1, _("Share of revenue that is margin, 0.4 is 40 %; by default as it was")),
    options.number("retention", 0, 1, _("Retention a year for the formula; by default as it was")),
    options.number("growth", -0.9, 1, _("Growth of margin a year for the formula"), 0.0),
    options.whole("years", 1, 100, _("Years of the formula; without end by default")),
    options.number("acquisition_cost", 0, 1e9, _("Cost of winning a customer"), 0.0),
)

_OF_LIFECYCLE = (
    options.choice("stage", ORDER, _("Lines of those who entered this stage in the period")),
    options.choice("went_to", ORDER, _("Lines of those who went on to this stage")),
)
_OF_PORTFOLIO = options.choice("of", PORTFOLIO_KINDS, _("Of products or of their categories"), CATEGORIES)
_OF_BCG = (
    options.number(
        "growth_from", -1, 10, _("Growth of the market that counts as high: 0.1 is 10 %"), GROWTH_FROM
    ),
    options.number("share_from", 0.01, 100, _("Relative share that counts as high"), SHARE_FROM),
)
_OF_CROSS_SELL = (
    options.choice("by", BASKETS, _("What was bought together: by one customer, or in one order"), CUSTOMER),
    options.whole("items", 2, 30, _("So many of what most have bought"), ITEMS),
)
_FUNNEL = options.word("funnel", _("The name of a funnel; by default the one with most opportunities"))
_SPLIT = options.choice("by", list(SALES_SPLITS), _("By person, unit or channel"), PERSON)

_KPI = options.word("kpi", _("The name of a KPI of sales that is a sum; won sales by default"))
_WHOM = Option(
    name="whom",
    help=_("unit-3 or person-5; the whole organisation by default"),
    schema={"type": "string", "pattern": WHOM},
    parse=Whom.read,
    expected=_("a unit or a person: unit-3, person-5"),
    default=EVERYBODY,
)
_LEVEL = options.choice("by", list(LEVELS), _("By what the plan is handed down"))

ANALYTICS: Mapping[str, Analytics] = MappingProxyType(
    {
        "loyalty": Analytics(_loyalty, (_PERIOD, _AS_OF, _CHANGE, _YEARS, _INACTIVE), made=Made.SALES),
        "pyramid": Analytics(_pyramid, (_PERIOD, _AS_OF, _MEASURE, _COMPARE), made=Made.SALES),
        "lifecycle": Analytics(
            _lifecycle, (_PERIOD, _AS_OF, *_OF_LIFECYCLE, _CUSTOMERS), kept=True, made=Made.CUSTOMERS
        ),
        "rfm": Analytics(_rfm, (_PERIOD, _AS_OF, _CUSTOMERS), made=Made.SALES),
        "clv": Analytics(_clv, (*_OF_LIFETIME, _AS_OF, _CUSTOMERS), made=Made.SALES),
        "abc": Analytics(_abc, (_PERIOD, _AS_OF, _MEASURE, _OF, _CUSTOMERS)),
        "significance": Analytics(_significance, (_CUSTOMERS,), kept=True, made=Made.SCORES),
        "satisfaction": Analytics(
            _satisfaction, (_PERIOD, _AS_OF, _BY, _SURVEY), kept=True, made=Made.CUSTOMERS
        ),
        "programme": Analytics(_programme, (_PROGRAMME, _AS_OF), kept=True, made=Made.SALES),
        "product_lifecycle": Analytics(_product_lifecycle, (_AS_OF,)),
        "bcg": Analytics(_bcg, (_PERIOD, _AS_OF, _OF_PORTFOLIO, *_OF_BCG)),
        "cross_sell": Analytics(_cross_sell, (_PERIOD, _AS_OF, _OF_PORTFOLIO, *_OF_CROSS_SELL)),
        "funnel": Analytics(_funnel, (_PERIOD, _FUNNEL)),
        "plan": Analytics(_plan, (_PERIOD, _AS_OF, _KPI, _WHOM, _LEVEL)),
        "effectiveness": Analytics(_effectiveness, (_PERIOD, _FUNNEL, _SPLIT)),
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
