"""Answers to surveys as sums: what satisfaction is computed from.

Of a customer only the last answer of each period counts, of those that give a figure at all; answers without a customer
count each. Everything is a count or a sum of whole numbers, so that nothing is rounded before the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.crm.analytics.window import Window
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.surveys import SurveyAnswer
from trellis.crm.products.entities import Product
from trellis.edition import Edition
from trellis.kpi.periods import midnight
from trellis.records.days import bucket
from trellis.records.membership import SEGMENT_MEMBER
from trellis.security.actor import Actor

QUESTIONS = ("q1", "q2", "q3")
DRIVERS = ("image", "expectation", "quality", "value")
DROP, MEAN = "drop", "mean"
SEGMENT, TIER, CHANNEL, PRODUCT = "segment", "tier", "channel", "product"
SPLITS = (SEGMENT, TIER, CHANNEL, PRODUCT)


@dataclass(frozen=True)
class Asked:
    """Whose answers are looked at, in which windows that follow each other, under which assumptions.

    ``edition`` is as the actor sees it. With ``survey`` only the answers to that survey count.
    """

    session: Session
    edition: Edition
    actor: Actor
    slots: tuple[Window, ...]
    values: Mapping[str, Any]
    survey: int | None = None


@dataclass(frozen=True)
class Moments:
    """Number, sums and sums of products of some figures over the same answers: mean, variance and correlation."""

    n: int
    sums: tuple[Fraction, ...]
    products: dict[tuple[int, int], Fraction]

    def mean(self, one: int) -> Fraction:
        """The mean of a figure; there must be answers."""
        return self.sums[one] / self.n

    def covariance(self, one: int, other: int) -> Fraction:
        """The sample covariance of two figures (the variance of one with itself); of two answers or more."""
        product = self.products[min(one, other), max(one, other)]
        return (product - self.sums[one] * self.sums[other] / self.n) / (self.n - 1)


NO_ANSWERS = Moments(0, (), {})


def last_answers(asked: Asked, given: sa.ColumnElement[bool], by: str | None = None) -> sa.Subquery:
    """The last answer of each customer in each slot, of those that fulfil ``given``; ``slot`` is its index.

    ``by`` products it is the last one about each of them.
    """
    zone = ZoneInfo(asked.edition.settings.timezone)
    bounds = [(midnight(one.first, zone), midnight(one.end, zone)) for one in asked.slots]
    slot = bucket(SurveyAnswer.answered_at, bounds)
    who = sa.func.coalesce(SurveyAnswer.customer_id, -SurveyAnswer.id)
    latest = (SurveyAnswer.answered_at.desc(), SurveyAnswer.id.desc())
    apart = (who, slot, SurveyAnswer.product_id) if by == PRODUCT else (who, slot)
    place = sa.func.row_number().over(partition_by=apart, order_by=latest)
    table = SurveyAnswer.__table__.c
    names = ("customer_id", "product_id", "channel", *QUESTIONS, "nps", "csat", "ces", *DRIVERS)
    ranked = (
        sa.select(*(table[name] for name in names), slot.label("slot"), place.label("place"))
        .where(
            SurveyAnswer.deleted_at.is_(None),
            asked.actor.visible(SurveyAnswer),
            SurveyAnswer.asked_in_id == asked.survey if asked.survey is not None else sa.true(),
            SurveyAnswer.answered_at >= bounds[0][0],
            SurveyAnswer.answered_at < bounds[-1][1],
            given,
        )
        .subquery("ranked")
    )
    columns = [column for column in ranked.c if column.name != "place"]
    return sa.select(*columns).where(ranked.c.place == 1, ranked.c.slot >= 0).subquery("answer")


def split_key(asked: Asked, answer: sa.Subquery, by: str) -> tuple[Any, list[sa.ColumnElement[bool]]]:
    """What answers are split by, and how it is joined to them."""
    if by == SEGMENT:
        names = sorted(name for name, one in asked.edition.all(Segment).items() if one.entity == "customer")
        member = SEGMENT_MEMBER.c
        return member.segment, [member.record_id == answer.c.customer_id, member.segment.in_(names)]
    if by == TIER:
        living = [Customer.deleted_at.is_(None), Customer.tier.is_not(None)]
        return Customer.tier, [Customer.id == answer.c.customer_id, *living]
    if by == PRODUCT:
        known = [Product.deleted_at.is_(None), asked.actor.visible(Product)]
        return Product.id, [Product.id == answer.c.product_id, *known]
    return answer.c.channel, [answer.c.channel.is_not(None)]


def moment_columns(figures: Sequence[Any]) -> list[sa.Label[Any]]:
    """The columns from which :func:`moments_of` makes :class:`Moments`."""
    columns = [sa.func.count().label("n")]
    columns += [sa.func.sum(one).label(f"s{index}") for index, one in enumerate(figures)]
    pairs = combinations_with_replacement(range(len(figures)), 2)
    columns += [sa.func.sum(figures[i] * figures[j]).label(f"p{i}_{j}") for i, j in pairs]
    return columns


def moments_of(row: Any, figures: int, scale: int = 1) -> Moments:
    """The moments in a row of :func:`moment_columns`; the figures were ``scale`` times what they mean."""
    if not row.n:
        return NO_ANSWERS
    pairs = combinations_with_replacement(range(figures), 2)
    return Moments(
        n=row.n,
        sums=tuple(Fraction(int(getattr(row, f"s{index}")), scale) for index in range(figures)),
        products={(i, j): Fraction(int(getattr(row, f"p{i}_{j}")), scale**2) for i, j in pairs},
    )


def completed(answer: Any, rule: str) -> tuple[list[Any], sa.ColumnElement[bool]]:
    """Twice the three answers to the questions of the index, and which respondents count.

    Twice, because the mean of the two others may be a half. By ``drop`` all three must be given, by ``mean`` one.
    """
    questions = [answer.c[name] for name in QUESTIONS]
    if rule == DROP:
        return [one * 2 for one in questions], sa.and_(*(one.is_not(None) for one in questions))
    filled = []
    for one in questions:
        first, second = (other for other in questions if other is not one)
        others = sa.func.coalesce(first + second, first * 2, second * 2)
        filled.append(sa.func.coalesce(one * 2, others))
    return filled, sa.or_(*(one.is_not(None) for one in questions))


def has_index() -> sa.ColumnElement[bool]:
    """The answer says something for the index."""
    return sa.or_(*(getattr(SurveyAnswer, name).is_not(None) for name in QUESTIONS))


def on_scale(answer: sa.Subquery, values: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    """Answers above the best of the scale belong to another survey."""
    return sa.and_(*(sa.func.coalesce(answer.c[name], 1) <= values["scale"] for name in QUESTIONS))
