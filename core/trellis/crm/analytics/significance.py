"""Significance of a customer (CU4): a weighted score 0 to 100, and the class that follows from it.

The organisation weighs terms. Scores of recency, frequency and value are already ranks: 1 counts 0, 5 counts 100. Any
other figure becomes a percentile rank among the customers that have it (equal ones share the mean of their places), or
its place between the 1st and the 99th percentile, beyond which it is cut off. A term that a customer does not have is
dropped and the others weigh more; without any there is no score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from trellis.crm.analytics.assumptions import Assumptions, Errors, Values, assumption
from trellis.crm.analytics.window import customers_of
from trellis.crm.customers.entities import SIGNIFICANCE, Customer
from trellis.edition import Edition
from trellis.errors import PermissionRefused
from trellis.i18n import Text, translator
from trellis.kpi.arithmetic import average, days_between
from trellis.records.days import bucket
from trellis.records.entity import Field
from trellis.records.types import Choice, Integer, JsonData, Option
from trellis.records.types import Decimal as Exact
from trellis.security.actor import Actor

_ = translator("trellis")

RANK, RANGE = "rank", "range"
SCORED = ("rfm_r", "rfm_f", "rfm_m")
TENURE = "first_order_at"
TERMS = {"rfm_r": 10, "rfm_f": 15, "rfm_m": 15, "revenue_12m": 20, "margin_12m": 30, TENURE: 10}
"""The core's terms, fields of the customer, with their weights at first."""
LABELS: Mapping[str, Text] = {TENURE: _("Time since the first purchase")}
"""Terms that are named otherwise than their field."""
CLASSES = tuple(option.value for option in SIGNIFICANCE)
_TITLES = {"rfm_r": _("Recency score"), "rfm_f": _("Frequency score"), "rfm_m": _("Monetary score")}
_TITLES |= {"revenue_12m": _("Revenue, 12 months"), "margin_12m": _("Margin, 12 months"), **LABELS}
_WEIGHT = Integer(minimum=0, maximum=100)
_SCORE = Integer(minimum=0, maximum=100)


def _own_terms(edition: Edition) -> list[Field]:
    """Numbers of the customer that verticals or the organisation brought: not weighed until somebody says so."""
    fields = edition.entity("customer").fields.values()
    numbers = [one for one in fields if one.is_extension and isinstance(one.type, Integer | Exact)]
    return [assumption(one.name, _WEIGHT, one.label, 0) for one in numbers]


def _check(values: Values) -> Errors:
    if not any(weight for name, weight in values.items() if name not in ("norm", *CLASSES)):
        return {next(iter(TERMS)): [_("Give at least one term a weight")]}
    if not values["key"] > values["important"] > values["ordinary"]:
        return {"key": [_("Each class must begin above the next")]}
    return {}


_NORMS = (
    Option(RANK, _("Percentile rank")),
    Option(RANGE, _("Place between the 1st and the 99th percentile")),
)
ASSUMPTIONS = Assumptions(
    name="significance",
    title=_("Significance"),
    about=_("What makes a customer significant: a weight from 0 to 100 for each term, of any sum"),
    fields=(
        *(assumption(name, _WEIGHT, _TITLES[name], weight) for name, weight in TERMS.items()),
        assumption("norm", Choice(_NORMS), _("Amounts count by their"), RANK),
        assumption("key", _SCORE, _("Key from"), 75),
        assumption("important", _SCORE, _("Important from"), 50),
        assumption("ordinary", _SCORE, _("Ordinary from"), 25),
    ),
    more=_own_terms,
    check=_check,
)


@dataclass(frozen=True, kw_only=True)
class Term:
    """One term of one customer's score: ``norm`` is 0 to 100, or None where the customer does not have it."""

    name: str
    title: str
    weight: int
    norm: float | None


def weights_of(edition: Edition) -> dict[str, int]:
    """The terms that have a weight, with it; the usual ones where all that had one went with a plugin."""
    values = ASSUMPTIONS.of(edition)
    names = [*TERMS, *(one.name for one in _own_terms(edition))]
    return {name: values[name] for name in names if values[name]} or dict(TERMS)


def terms_of(edition: Edition, norms: Mapping[str, float | None] | None) -> list[Term]:
    """Why a customer has its score: the terms by weight, from the norms that are kept with it."""
    fields = edition.entity("customer").fields
    known = norms or {}
    terms = [
        Term(
            name=name,
            title=str(LABELS.get(name) or fields[name].label),
            weight=weight,
            norm=known.get(name),
        )
        for name, weight in weights_of(edition).items()
        if name in fields
    ]
    return sorted(terms, key=lambda one: -one.weight)


class _Pairs(FunctionElement[Any]):
    """A JSON object of names and values that follow each other."""

    inherit_cache = True
    type = JsonData


@compiles(_Pairs, "sqlite")
def _pairs_on_sqlite(element: _Pairs, compiler: SQLCompiler, **kw: Any) -> str:
    return f"JSON_OBJECT({compiler.process(element.clauses, **kw)})"


@compiles(_Pairs)
def _pairs_as_usual(element: _Pairs, compiler: SQLCompiler, **kw: Any) -> str:
    return f"JSONB_BUILD_OBJECT({compiler.process(element.clauses, **kw)})"


def scoring(session: Session, edition: Edition, as_of: Any) -> sa.Select[Any]:
    """A row for each customer that is not in the bin: ``customer_id``, ``significance``, ``significance_class``,
    ``significance_terms``."""
    weights, values = weights_of(edition), ASSUMPTIONS.of(edition)
    names = list(weights)
    figures = {name: _figure(edition, name, as_of) for name in names}
    bounds = _bounds(session, figures, values["norm"])
    alive = Customer.deleted_at.is_(None)
    labels = {name: f"figure_{index}" for index, name in enumerate(names)}
    raw = sa.select(
        Customer.id.label("customer_id"), *(figures[name].label(labels[name]) for name in names)
    ).where(alive)
    row = raw.subquery("raw").c
    norms = [
        _norm(name, row[labels[name]], bounds[name], values["norm"]).label(labels[name]) for name in names
    ]
    normed = sa.select(row.customer_id, *norms).subquery("normed").c
    known = {name: normed[labels[name]] for name in names}
    score = _weighted(known, weights)
    pairs = [part for name in names for part in (_quoted(name), _short(known[name]))]
    scored = sa.select(
        normed.customer_id, average(score, 1).label("significance"), _Pairs(*pairs).label("terms")
    ).subquery("scored")
    column = scored.c
    classed = sa.case(
        (column.significance.is_(None), None),
        *((column.significance >= Decimal(values[name]), name) for name in CLASSES[:-1]),
        else_=CLASSES[-1],
    )
    has_score = column.significance.is_not(None)
    return sa.select(
        column.customer_id,
        column.significance,
        classed.label("significance_class"),
        sa.case((has_score, column.terms)).label("significance_terms"),
    )


def _figure(edition: Edition, name: str, as_of: Any) -> sa.ColumnElement[Any]:
    """A term as a number whose size means something."""
    field = edition.entity("customer").fields[name]
    if name == TENURE:
        return days_between(field.of(Customer), sa.literal(as_of, sa.Date()))
    return field.of(Customer)


@dataclass(frozen=True)
class _Bounds:
    """How many customers have a figure, and its 1st and 99th percentile."""

    number: int
    low: Any = None
    high: Any = None


def _bounds(session: Session, figures: Mapping[str, Any], norm: str) -> dict[str, _Bounds]:
    alive = Customer.deleted_at.is_(None)
    counted = session.execute(sa.select(*(sa.func.count(one) for one in figures.values())).where(alive)).one()
    found = {name: _Bounds(number) for name, number in zip(figures, counted, strict=True)}
    if norm == RANGE:
        for name, one in figures.items():
            if name not in SCORED and found[name].number:
                ends = [_nth(session, one, place) for place in _places(found[name].number)]
                found[name] = _Bounds(found[name].number, *ends)
    return found


def _places(number: int) -> tuple[int, int]:
    """Which of ``number`` sorted values are the 1st and the 99th percentile: the places ceil(n/100) and ceil(99n/100)."""
    return -(-number // 100) - 1, -(-number * 99 // 100) - 1


def _nth(session: Session, figure: Any, place: int) -> Any:
    query = sa.select(figure).where(Customer.deleted_at.is_(None), figure.is_not(None))
    return session.scalar(query.order_by(figure).offset(place).limit(1))


def _norm(name: str, figure: Any, bounds: _Bounds, norm: str) -> Any:
    """A term from 0 to 100; NULL where there is nothing to tell customers apart by."""
    if name in SCORED:
        return (figure - 1) * sa.literal_column("25.0", sa.Float)
    if bounds.number < 2 or (norm == RANGE and bounds.low == bounds.high):
        return sa.cast(sa.null(), sa.Float)
    if norm == RANGE:
        low, high = (sa.literal(one, figure.type) for one in (bounds.low, bounds.high))
        inside = sa.case((figure < low, low), (figure > high, high), else_=figure)
        part = sa.cast(inside - low, sa.Float) / sa.cast(high - low, sa.Float)
        return part * sa.literal_column("100.0", sa.Float)
    over = {"partition_by": figure.is_(None), "order_by": figure}
    first, last = sa.func.rank().over(**over), sa.func.count().over(**over)
    middle = sa.cast(first + last - 2, sa.Float) / sa.literal_column(f"{2 * (bounds.number - 1)}.0", sa.Float)
    return sa.case((figure.is_not(None), middle * sa.literal_column("100.0", sa.Float)))


def _weighted(norms: Mapping[str, Any], weights: Mapping[str, int]) -> Any:
    def total(parts: Sequence[Any]) -> Any:
        return sum(parts[1:], start=parts[0])

    zero = sa.literal_column("0.0", sa.Float)
    parts = [sa.func.coalesce(one * _number(weights[name]), zero) for name, one in norms.items()]
    weighed = [sa.case((one.is_not(None), _number(weights[name])), else_=zero) for name, one in norms.items()]
    return total(parts) / sa.func.nullif(total(weighed), zero)


def _number(weight: int) -> sa.ColumnElement[float]:
    return sa.literal_column(f"{weight}.0", sa.Float)


def _quoted(name: str) -> sa.ColumnElement[str]:
    text = name.replace("'", "''").replace(":", "\\:")
    return sa.literal_column(f"'{text}'", sa.String)


def _short(norm: Any) -> sa.ColumnElement[Any]:
    return sa.func.round(sa.cast(norm, sa.Numeric), 1)


@dataclass(frozen=True, kw_only=True)
class Significance:
    """How many customers have each class, and how many a score in each tenth. ``terms`` are the weights."""

    classes: dict[str, int]
    tenths: tuple[int, ...]
    without: int
    flagged: int
    terms: tuple[Term, ...]

    @property
    def customers(self) -> int:
        """How many have a score."""
        return sum(self.classes.values())

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics significance``, but for its assumptions."""
        whole = self.customers
        return {
            "customers": whole,
            "without_score": self.without,
            "with_missing_terms": self.flagged,
            "classes": [
                {"class": name, "customers": count, "share": round(count / whole, 6) if whole else None}
                for name, count in self.classes.items()
            ],
            "terms": [
                {"term": one.name, "weight": one.weight, "share": share}
                for one, share in zip(self.terms, shares(self.terms), strict=True)
            ],
        }


def shares(terms: Sequence[Term]) -> list[float]:
    """The part of each weight in all of them."""
    whole = sum(one.weight for one in terms)
    return [round(one.weight / whole, 6) for one in terms]


def significance(session: Session, edition: Edition, actor: Actor) -> Significance:
    """The scores, as they were computed last, of the customers that the reader may see."""
    require_significance(edition, actor)
    tenth = bucket(Customer.significance, [(Decimal(low), Decimal(low + 10)) for low in range(0, 100, 10)])
    names = list(weights_of(edition))
    flagged = sa.or_(*(Customer.significance_terms[name].as_string().is_(None) for name in names))
    one = sa.select(Customer.significance_class, tenth.label("tenth"), flagged.label("flagged"))
    row = one.where(customers_of(actor)).subquery("row").c
    counts = (sa.func.count(), sa.func.count().filter(row.flagged))
    query = sa.select(row.significance_class, row.tenth, *counts).group_by(row.significance_class, row.tenth)
    classes, tenths, without, missing = dict.fromkeys(CLASSES, 0), [0] * 10, 0, 0
    found: Iterator[Any] = iter(session.execute(query))
    for name, place, count, some in found:
        if name is None:
            without += count
            continue
        classes[name] += count
        tenths[place] += count  # 100 stands beyond the last tenth, at -1, and so counts to it
        missing += some
    return Significance(
        classes=classes,
        tenths=tuple(tenths),
        without=without,
        flagged=missing,
        terms=tuple(terms_of(edition, None)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """One customer with its score and what it is made of."""

    id: int
    external_id: str | None
    name: str
    significance: Decimal
    significance_class: str
    terms: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """One line of ``analytics significance --customers``."""
        return {
            "id": self.id,
            "external_id": self.external_id,
            "name": self.name,
            "score": float(self.significance),
            "class": self.significance_class,
            "terms": self.terms,
        }


def significant_customers(
    session: Session, edition: Edition, actor: Actor, most: int | None = None
) -> Iterator[Scored]:
    """The customers with a score, from the most significant down: ``most`` of them, or all."""
    require_significance(edition, actor)
    names = ("id", "external_id", "name", "significance", "significance_class", "significance_terms")
    query = (
        sa.select(*(getattr(Customer, name) for name in names))
        .where(customers_of(actor), Customer.significance.is_not(None))
        .order_by(Customer.significance.desc(), Customer.id)
        .limit(most)
    )
    visible = {one.name for one in terms_of(actor.sees(edition), None)}
    for row in session.execute(query, execution_options={"yield_per": 2000}):
        terms = {name: norm for name, norm in (row.significance_terms or {}).items() if name in visible}
        yield Scored(
            id=row.id,
            external_id=row.external_id,
            name=row.name,
            significance=row.significance,
            significance_class=row.significance_class,
            terms=terms,
        )


def require_significance(edition: Edition, actor: Actor) -> None:
    """Raises PermissionRefused for who may not read customers, or not these fields of them."""
    actor.require("customer", "read")
    fields = actor.sees(edition).entity("customer").fields
    if not {"significance", "significance_class", "significance_terms"} <= fields.keys():
        raise PermissionRefused()
