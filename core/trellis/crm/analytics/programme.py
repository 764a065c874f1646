"""Effectiveness of a loyalty programme (AN3): what it brings beyond what members would have brought anyway, and costs.

Income is the uplift of members (:mod:`trellis.crm.analytics.uplift`) in the months that have ended, and its mean per
member and month in those to come, up to the horizon. Costs are those of the programme: setting up in the beginning, the
others each month, and at the end what will be redeemed of the points that are open. Flows are worth less the later they
come, by the discount rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.cash_flow import CENT, Worth, monthly, worth, yearly
from trellis.crm.analytics.uplift import BASE, Uplift, uplift
from trellis.crm.analytics.window import MARGIN, LeftOut, Window, coverage
from trellis.crm.customers.programme import Programme
from trellis.edition import Edition
from trellis.errors import PermissionRefused, RecordNotFound
from trellis.i18n import Text, translator
from trellis.kpi.periods import Grain, Period, containing
from trellis.records.types import Money
from trellis.security.actor import Actor

_ = translator("trellis")

SCENARIOS = ("pessimistic", "base", "optimistic")
MONTHLY = ("platform_cost", "staff_cost", "mailing_cost", "rewards_cost")
ASSUMED = ("expected_redemption", "discount_rate", "horizon", "margin_share", "low_income", "high_income")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One way the programme may go: income as a part of what is expected, and what comes of it."""

    name: str
    share: Decimal
    income: Decimal
    costs: Decimal
    worth: Worth

    @property
    def net(self) -> Decimal:
        """Income less costs."""
        return self.income - self.costs

    @property
    def roi(self) -> float | None:
        """What is left of each unit of cost; None where nothing is spent."""
        return round(float(self.net / self.costs), 6) if self.costs else None


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One month: income and costs; ``ahead`` where the income is expected and not measured. Month 0 is the setting up."""

    month: int
    period: Period | None
    income: Decimal
    costs: Decimal
    ahead: bool

    @property
    def net(self) -> Decimal:
        """Income less costs."""
        return self.income - self.costs


@dataclass(frozen=True, kw_only=True)
class Effectiveness:
    """What a programme brings. ``reason`` says why there are no figures; then there are no scenarios and no flows."""

    id: int | None = None
    name: str = ""
    currency: str
    measure: str = ""
    uplift: Uplift = field(default_factory=Uplift)
    flows: tuple[Flow, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    costs: dict[str, Decimal]
    assumptions: dict[str, Any]
    left_out: tuple[LeftOut, ...] = ()
    reason: Text | None = None

    @property
    def base(self) -> Scenario | None:
        """What is expected."""
        return next((one for one in self.scenarios if one.name == "base"), None)

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics programme``."""
        money = Money().to_json
        base = self.base
        return {
            "programme": self.id,
            "name": self.name,
            "currency": self.currency,
            **_scenario_json(base),
            "reason": str(self.reason) if self.reason else None,
            "measure": self.measure or None,
            "members": self.uplift.matched,
            "members_left_out": self.uplift.unmatched,
            "compared_with": self.uplift.compared,
            "measured_months": len(self.uplift.months),
            "uplift_per_member_month": money(_cents(self.uplift.per_member)),
            "cost_items": {name: money(amount) for name, amount in self.costs.items()},
            "scenarios": [
                {"scenario": one.name, "income_share": float(one.share), **_scenario_json(one)}
                for one in self.scenarios
            ],
            "flows": [
                {
                    "month": one.month,
                    "period": one.period.code if one.period else None,
                    "income": money(_cents(one.income)),
                    "costs": money(_cents(one.costs)),
                    "net": money(_cents(one.net)),
                    "expected": one.ahead,
                }
                for one in self.flows
            ],
            "left_out": [one.to_json() for one in self.left_out],
            "assumptions": self.assumptions,
        }


def programmes(session: Session, actor: Actor) -> Sequence[Programme]:
    """The programmes that the reader may see, the latest first."""
    actor.require("programme", "read")
    query = sa.select(Programme).where(Programme.deleted_at.is_(None), actor.visible(Programme))
    return session.scalars(query.order_by(Programme.started_on.desc(), Programme.id.desc())).all()


def effectiveness(
    session: Session, edition: Edition, actor: Actor, today: date, programme: int | None = None
) -> Effectiveness:
    """What a programme brings, or the latest one. Raises RecordNotFound, PermissionRefused."""
    actor.require("customer", "read")
    known = programmes(session, actor)
    _require_fields(edition, actor)
    if programme is not None and programme not in {one.id for one in known}:
        raise RecordNotFound()
    found = next((one for one in known if programme in (None, one.id)), None)
    if found is None:
        text = _("There is no loyalty programme yet; enter one with its costs and members")
        return Effectiveness(currency=edition.settings.currency, costs={}, assumptions={}, reason=text)
    return _effectiveness(session, edition, actor, today, found)


def _require_fields(edition: Edition, actor: Actor) -> None:
    """All of a programme counts: who may not read one of its figures gets none."""
    seen, whole = actor.sees(edition).entity("programme").fields, edition.whole.entity("programme").fields
    if len(seen) < len(whole):
        raise PermissionRefused()


def _effectiveness(
    session: Session, edition: Edition, actor: Actor, today: date, found: Programme
) -> Effectiveness:
    start = containing(found.started_on, Grain.MONTH)
    months = [start.shifted(place) for place in range(found.horizon)]
    ended = [one for one in months if one.end <= today]
    window = Window(start.shifted(-BASE).first, max(today, start.end))
    complete = coverage(session, edition, actor, window)
    measure = complete.measure
    seen = actor.sees(edition)
    measured = uplift(session, seen, actor, found, measure, ended)
    zero = Decimal(0)
    costs = {name: getattr(found, name) or zero for name in ("setup_cost", *MONTHLY)}
    costs["unredeemed"] = (found.unredeemed or zero) * found.expected_redemption
    common: dict[str, Any] = {
        "id": found.id,
        "name": found.name,
        "currency": edition.settings.currency,
        "measure": measure,
        "uplift": measured,
        "costs": costs,
        "left_out": complete.left_out,
        "assumptions": _assumptions(edition, found),
    }
    reason = _reason(seen, found, measured)
    if reason is not None:
        return Effectiveness(reason=reason, **common)
    share = found.margin_share if measure != MARGIN and found.margin_share is not None else Decimal(1)
    flows = tuple(_flows(found, months, measured, costs, share))
    scenarios = tuple(
        _scenario(name, part, flows, monthly(found.discount_rate))
        for name, part in zip(SCENARIOS, (found.low_income, Decimal(1), found.high_income), strict=True)
    )
    return Effectiveness(flows=flows, scenarios=scenarios, **common)


def _reason(seen: Edition, found: Programme, measured: Uplift) -> Text | None:
    if not found.segment and not found.member_field:
        return _("Not enough data: the programme does not say who is a member; give a segment or a field")
    if found.member_field and found.member_field not in seen.entity("customer").fields:
        return _("Not enough data: the field “%(name)s” is not there", name=found.member_field)
    if not measured.matched and not measured.unmatched:
        return _("Not enough data: nobody is a member")
    if not measured.months:
        return _("Not enough data: no month has ended since the programme started")
    if not measured.matched:
        return _("Not enough data: no member has anybody to be compared with")
    return None


def _flows(
    found: Programme,
    months: Sequence[Period],
    measured: Uplift,
    costs: dict[str, Decimal],
    share: Decimal,
) -> list[Flow]:
    nothing = Decimal(0)
    each = sum((costs[name] for name in MONTHLY), nothing)
    expected = (measured.per_member or nothing) * measured.matched
    flows = [Flow(month=0, period=None, income=nothing, costs=costs["setup_cost"], ahead=False)]
    for number, period in enumerate(months, 1):
        ahead = period not in measured.months
        income = (expected if ahead else measured.months[period]) * share
        last = costs["unredeemed"] if number == len(months) else nothing
        flows.append(Flow(month=number, period=period, income=income, costs=each + last, ahead=ahead))
    return flows


def _scenario(name: str, share: Decimal, flows: Sequence[Flow], rate: Decimal) -> Scenario:
    """Less income is expected where it is a gain; what members cost more than others does not shrink with it."""
    incomes = [flow.income * (share if flow.income > 0 else 1) for flow in flows]
    nets = [income - flow.costs for income, flow in zip(incomes, flows, strict=True)]
    return Scenario(
        name=name,
        share=share,
        income=sum(incomes, Decimal(0)),
        costs=sum((flow.costs for flow in flows), Decimal(0)),
        worth=worth(nets, rate),
    )


def _assumptions(edition: Edition, found: Programme) -> dict[str, Any]:
    fields = edition.entity("programme").fields
    names = ("started_on", "segment", "member_field", "compare_by", *ASSUMED)
    return {name: fields[name].type.to_json(getattr(found, name)) for name in names}


def _scenario_json(one: Scenario | None) -> dict[str, Any]:
    money = Money().to_json
    return {
        "income": money(_cents(one.income)) if one else None,
        "costs": money(_cents(one.costs)) if one else None,
        "net": money(_cents(one.net)) if one else None,
        "npv": money(_cents(one.worth.npv)) if one else None,
        "irr": yearly(one.worth.irr) if one else None,
        "irr_monthly": one.worth.irr if one else None,
        "several_irr": one.worth.several_irr if one else False,
        "roi": one.roi if one else None,
        "payback_months": one.worth.payback if one else None,
        "discounted_payback_months": one.worth.discounted_payback if one else None,
        "profitability_index": one.worth.profitability if one else None,
    }


def _cents(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(CENT, ROUND_HALF_UP)
