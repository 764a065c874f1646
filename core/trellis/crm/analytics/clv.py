"""Customer lifetime value (AN5): to date, by formula, and by probability; of customers, segments and cohorts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.crm.analytics import lifetime
from trellis.crm.analytics.bounded import Floats
from trellis.crm.analytics.formula import DoesNotConverge, Formula
from trellis.crm.analytics.histories import Histories, histories, learnt_from
from trellis.crm.analytics.lifetime import Assumptions, ForecastInvalid, Model, Unit, Values
from trellis.crm.analytics.staying import Kept, kept_of_year
from trellis.crm.analytics.tracking import Tracked, tracked
from trellis.crm.analytics.window import Coverage, Window, coverage
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.i18n import Text, format_number, translator
from trellis.kpi.periods import Grain, Period, containing
from trellis.records.types import Money
from trellis.security.actor import SYSTEM, Actor
from trellis.segments.engine import members

_ = translator("trellis")

TENTHS = 10


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What lifetime value is asked for. What is None is taken from the organisation's own numbers.

    ``until`` is the last day that is learnt from, ``today`` the one up to which purchases are known. ``discount`` is a
    month, ``growth`` and ``retention`` a year; ``years`` limits the formula.
    """

    until: date
    today: date
    unit: Unit = Unit.WEEK
    acquired: Period | None = None
    horizon: int = 12
    discount: float = 0.01
    margin: float | None = None
    retention: float | None = None
    growth: float = 0.0
    years: int | None = None
    acquisition: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Group:
    """Customers counted together: a tenth, a cohort, a segment. ``value`` is None where nothing could be foreseen."""

    name: str
    title: str
    customers: int
    historic: float
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """The lifetime value of the customers that the reader may see."""

    asked: Asked
    assumed: Assumptions
    currency: str
    known: Histories
    model: Model
    values: Values | None
    coverage: Coverage
    formula: Formula | None
    kept: Kept
    tenths: tuple[Group, ...]
    cohorts: tuple[Group, ...]
    segments: tuple[Group, ...]
    tracked: tuple[Tracked, ...]

    @property
    def historic(self) -> Floats:
        """What each customer brought to date: margin where the cost is known, else revenue by the margin share."""
        return _historic(self.known, self.coverage, self.assumed)

    @property
    def lacking(self) -> Text | None:
        """Why nothing is foreseen."""
        return self.model.lacking

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics clv``."""
        purchases, worth, found = self.model.purchases, self.model.values, self.values
        number = len(self.known)
        return {
            "calibrate_to": self.asked.until.isoformat(),
            "unit": self.asked.unit.value,
            "currency": self.currency,
            "bgnbd": {
                "r": purchases.r,
                "alpha": purchases.alpha,
                "a": purchases.a,
                "b": purchases.b,
                "log_likelihood": purchases.log_likelihood,
            }
            if purchases
            else None,
            "gamma_gamma": {
                "p": worth.p,
                "q": worth.q,
                "gamma": worth.v,
                "log_likelihood": worth.log_likelihood,
                "customers": self.model.valued,
                "correlation": self.model.correlation,
            }
            if worth
            else None,
            "customers": number,
            "repeat_customers": int(np.count_nonzero(self.known.x)),
            "horizon": self.assumed.horizon,
            "discount_rate": self.assumed.discount,
            "margin": round(self.assumed.margin, 6),
            "total": money(float(found.clv.sum())) if found else None,
            "mean": money(float(found.clv.mean())) if found else None,
            "expected_purchases": round(float(found.purchases.sum()), 4) if found else None,
            "not_enough_data": str(self.lacking) if self.lacking else None,
            "warnings": [str(one) for one in self.model.warnings],
            "historic": self._historic_json(),
            "formula": formula_json(self.formula, self.kept),
            "deciles": [_group_json(one, "decile") for one in self.tenths],
            "cohorts": [_group_json(one, "cohort") for one in self.cohorts],
            "segments": [_group_json(one, "segment") for one in self.segments],
            "tracking": [one.to_json() for one in self.tracked],
            **self.coverage.to_json(),
        }

    def _historic_json(self) -> dict[str, Any]:
        made = self.historic
        return {
            "measure": self.coverage.measure,
            "total": money(float(made.sum())),
            "mean": money(float(made.mean())) if len(made) else None,
            "negative": int(np.count_nonzero(made < 0)),
        }


def clv(session: Session, edition: Edition, actor: Actor, asked: Asked) -> Lifetime:
    """The lifetime value as it is asked for."""
    actor.require("customer", "read")
    known = histories(session, edition, actor, asked.until, asked.acquired)
    complete = coverage(session, edition, actor, Window(date(1, 1, 1), asked.until + timedelta(days=1)))
    assumed = Assumptions(
        horizon=asked.horizon,
        discount=asked.discount,
        margin=_margin(float(known.costed.sum()), float(known.margin.sum()), complete)
        if asked.margin is None
        else asked.margin,
    )
    model, values = _foreseen(known, asked.unit, assumed)
    kept = kept_of_year(session, edition, actor, asked.until)
    brought = _historic(known, complete, assumed)
    return Lifetime(
        asked=asked,
        assumed=assumed,
        currency=edition.settings.currency,
        known=known,
        model=model,
        values=values,
        coverage=complete,
        formula=_formula(asked, assumed, kept),
        kept=kept,
        tenths=tuple(_tenths(brought, values)),
        cohorts=tuple(_cohorts(known, brought, values)),
        segments=tuple(_segments(session, edition, actor, known, brought, values)),
        tracked=tuple(tracked(session, edition, actor, known, model, asked.today, asked.acquired)),
    )


def own_assumptions(
    session: Session, edition: Edition, until: date, costed: float, margin: float
) -> Assumptions:
    """The usual assumptions, with the share of margin in the revenue of known cost of all customers."""
    whole = Window(date(1, 1, 1), until + timedelta(days=1))
    return Assumptions(margin=_margin(costed, margin, coverage(session, edition, SYSTEM, whole)))


def lines(session: Session, actor: Actor, found: Lifetime) -> Iterator[dict[str, Any]]:
    """One line for each customer, by id; names are read in portions, so that memory stays flat."""
    query = sa.select(Customer.id, Customer.external_id, Customer.name).where(actor.visible(Customer))
    brought, known, values = found.historic, found.known, found.values
    per = found.asked.unit.days
    index = 0
    for row in session.execute(query.order_by(Customer.id), execution_options={"yield_per": 2000}):
        while index < len(known) and known.id[index] < row.id:
            index += 1
        if index == len(known) or known.id[index] != row.id:
            continue
        yield {
            "id": row.id,
            "external_id": row.external_id,
            "name": row.name,
            "frequency": int(known.x[index]),
            "recency": round(float(known.recency[index]) / per, 4),
            "age": round(float(known.age[index]) / per, 4),
            "monetary": money(float(known.mean[index])),
            "historic": money(float(brought[index])),
            "alive": round(float(values.alive[index]), 6) if values else None,
            "expected_purchases": round(float(values.purchases[index]), 6) if values else None,
            "clv": money(float(values.clv[index])) if values else None,
        }


def money(amount: float) -> str:
    """An amount of many customers as the contract writes money."""
    return str(Money().to_json(Decimal(repr(round(amount, 2) + 0.0))))


def _foreseen(known: Histories, unit: Unit, assumed: Assumptions) -> tuple[Model, Values | None]:
    learnt = learnt_from(known.until, [known])
    model = lifetime.learn(learnt, unit)
    if len(learnt) < len(known):
        told = _("The model is learnt from %(number)s of these customers", number=format_number(len(learnt)))
        model = replace(model, warnings=(*model.warnings, told))
    if model.purchases is None:
        return model, None
    try:
        return model, lifetime.value(model, known, assumed)
    except ForecastInvalid:
        return Model(unit=unit, lacking=ForecastInvalid.title), None


def _margin(costed: float, margin: float, complete: Coverage) -> float:
    """Margin through revenue of what has a known cost; the whole revenue where too little has."""
    if complete.measure == "revenue" or costed <= 0:
        return 1.0
    return float(np.clip(margin / costed, -1, 1))


def _historic(known: Histories, complete: Coverage, assumed: Assumptions) -> Floats:
    return known.margin if complete.measure == "margin" else known.revenue * assumed.margin


def _formula(asked: Asked, assumed: Assumptions, kept: Kept) -> Formula | None:
    """With what the customers of the last year brought, and how many of those of the year before came back."""
    retention = kept.rate if asked.retention is None else asked.retention
    if retention is None or kept.active == 0:
        return None
    return Formula(
        margin=kept.revenue / kept.active * assumed.margin,
        retention=retention,
        discount=(1 + asked.discount) ** 12 - 1,
        growth=asked.growth,
        periods=asked.years,
        acquisition=asked.acquisition,
    )


def formula_json(formula: Formula | None, kept: Kept) -> dict[str, Any] | None:
    """The forms of the formula with what went in; ``refused`` says why there is no value."""
    if formula is None:
        return None
    answer: dict[str, Any] = {
        "margin": money(formula.margin),
        "retention": round(formula.retention, 6),
        "retention_of": kept.before,
        "discount": round(formula.discount, 6),
        "growth": formula.growth,
        "years": formula.periods,
        "acquisition_cost": money(formula.acquisition),
        "simple": money(formula.simple) if formula.simple is not None else None,
    }
    try:
        made = {"following": formula.following(), "including": formula.including(), "net": formula.net()}
    except DoesNotConverge as refused:
        return answer | {"following": None, "including": None, "net": None, "refused": str(refused)}
    return answer | {name: money(amount) for name, amount in made.items()}


def _group(name: str, title: str, chosen: Any, brought: Floats, values: Values | None) -> Group:
    part = brought[chosen]
    value = float(values.clv[chosen].sum()) if values else None
    return Group(name=name, title=title, customers=len(part), historic=float(part.sum()), value=value)


def _tenths(brought: Floats, values: Values | None) -> Iterator[Group]:
    """Customers from the most valuable on, in ten groups of the same size."""
    if values is None:
        return
    order = np.argsort(-values.clv, kind="stable")
    for index, chosen in enumerate(np.array_split(order, TENTHS), 1):
        yield _group(str(index), str(index), chosen, brought, values)


def _cohorts(known: Histories, brought: Floats, values: Values | None) -> Iterator[Group]:
    """Customers by the quarter of the first purchase, the earliest first."""
    if not len(known):
        return
    first = np.datetime64(known.until) - known.age.astype("timedelta64[D]")
    quarters = first.astype("datetime64[M]").astype(np.int64) // 3
    for quarter in np.unique(quarters):
        day = (np.datetime64(int(quarter) * 3, "M")).astype("datetime64[D]").astype(date)
        period = containing(day, Grain.QUARTER)
        yield _group(period.code, period.label, quarters == quarter, brought, values)


def _segments(
    session: Session,
    edition: Edition,
    actor: Actor,
    known: Histories,
    brought: Floats,
    values: Values | None,
) -> Iterator[Group]:
    for name, segment in edition.all(Segment).items():
        if segment.entity != "customer":
            continue
        rows = session.scalars(members(edition, actor, name), execution_options={"yield_per": 20_000})
        ids = np.fromiter(rows, dtype=np.int64)
        yield _group(name, str(segment.title), np.isin(known.id, ids), brought, values)


def _group_json(group: Group, key: str) -> dict[str, Any]:
    mean = group.value / group.customers if group.value is not None and group.customers else None
    return {
        key: group.name,
        **({"title": group.title} if key == "segment" else {}),
        "customers": group.customers,
        "historic": money(group.historic),
        "clv": money(group.value) if group.value is not None else None,
        "mean": money(mean) if mean is not None else None,
    }
