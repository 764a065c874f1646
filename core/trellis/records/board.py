"""Boards: the records of an entity in columns, one a stage of its lifecycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Lifecycle, Rule, Stage
from trellis.edition import Edition, EntityView
from trellis.kpi import rates
from trellis.records.entity import Field
from trellis.records.query import ListQuery, Record
from trellis.records.rules import today_in
from trellis.records.types import Money
from trellis.security.actor import Actor

CARDS = 20


@dataclass(frozen=True)
class Column:
    """A stage with its records: how many, their sum, the sum weighted by the stage's probability, and the first cards.

    Sums are in the workspace's currency at the rates of the day; ``left_out`` are those whose currency has none.
    """

    stage: Stage
    count: int
    amount: Decimal | None
    left_out: int
    weighted: Decimal | None
    share: float
    cards: Sequence[Record]

    @property
    def more(self) -> int:
        """How many records the column has beyond its cards."""
        return self.count - len(self.cards)


@dataclass(frozen=True)
class Board:
    """All columns of a lifecycle: the open stages, and the closed ones, which fold."""

    lifecycle: Lifecycle
    open: tuple[Column, ...]
    closed: tuple[Column, ...]

    @property
    def count(self) -> int:
        """Open records."""
        return sum(column.count for column in self.open)

    @property
    def left_out(self) -> int:
        """Open records that no sum counts: there is no rate for their currency."""
        return sum(column.left_out for column in self.open)

    @property
    def amount(self) -> Decimal | None:
        """Sum of the open records, or None where nothing is summed."""
        amounts = [column.amount for column in self.open if column.amount is not None]
        return sum(amounts, Decimal(0)) if amounts else None


def board(
    session: Session,
    edition: Edition,
    actor: Actor,
    lifecycle: Lifecycle,
    rule: Rule | None = None,
    cards: int = CARDS,
) -> Board:
    """The board of a lifecycle: one query for the totals, one for the cards of each open stage, whatever the number of rows."""
    actor.require(lifecycle.entity, "read")
    edition = actor.sees(edition)
    view = edition.entity(lifecycle.entity)
    totals = _totals(session, edition, actor, view, lifecycle, rule)
    largest = max((amount or count for count, amount, _left_out in totals.values()), default=0)
    columns = []
    for stage in lifecycle.stages:
        count, amount, left_out = totals.get(stage.value, (0, None, 0))
        shown = (
            _cards(session, edition, actor, view, lifecycle, stage, rule, cards)
            if count and stage.kind == "open"
            else ()
        )
        weighted = (
            amount * Decimal(str(stage.probability))
            if amount is not None and stage.probability is not None
            else None
        )
        share = float((amount or count) / largest) if largest else 0.0
        columns.append(Column(stage, count, amount, left_out, weighted, share, shown))
    return Board(
        lifecycle,
        tuple(column for column in columns if column.stage.kind == "open"),
        tuple(column for column in columns if column.stage.kind != "open"),
    )


def board_rule(lifecycle: Lifecycle, rule: Rule | None = None, stage: str | None = None) -> dict[str, Any]:
    """The rule that a lifecycle's records (in one stage) fulfil, with another rule if given."""
    parts: list[Mapping[str, Any]] = [rule] if rule else []
    if lifecycle.when is not None:
        parts.append({"field": lifecycle.when[0], "op": "eq", "value": lifecycle.when[1]})
    if stage is not None:
        parts.append({"field": lifecycle.field, "op": "eq", "value": stage})
    return {"all": parts}


def _totals(
    session: Session,
    edition: Edition,
    actor: Actor,
    view: EntityView,
    lifecycle: Lifecycle,
    rule: Rule | None,
) -> dict[str, tuple[int, Decimal | None, int]]:
    stage = view.fields[lifecycle.field].of(view.entity)
    only = ListQuery(view, edition, actor, rule=board_rule(lifecycle, rule))
    amount = view.fields.get(view.info.amount_field or "")
    if amount is None:
        query = only.select(stage, sa.func.count()).group_by(stage)
        return {value: (count, None, 0) for value, count in session.execute(query)}
    value, named = amount.of(view.entity), _currency(view, amount)
    keys = {"stage": stage} | ({"currency": named.of(view.entity)} if named else {})
    sums = (
        sa.func.count().label("count"),
        sa.func.count(value).label("known"),
        sa.func.sum(value).label("amount"),
    )
    labels = (key.label(name) for name, key in keys.items())
    # summed by currency first: a rate is looked up for each of these, not for each record
    part = only.select(*labels, *sums).group_by(*keys.values()).subquery().c
    today = sa.literal(today_in(edition), sa.Date())
    own = rates.converted(edition, part.amount, part.currency, today) if named else part.amount
    left_out = sa.case((own.is_(None), part.known), else_=0)
    whole = sa.select(part.stage, sa.func.sum(part["count"]), sa.func.sum(own), sa.func.sum(left_out))
    rows = session.execute(whole.group_by(part.stage))
    return {value: (int(count), total, int(without)) for value, count, total, without in rows}


def own_money(edition: Edition, view: EntityView, amount: Field, day: Any) -> sa.ColumnElement[Any]:
    """Amounts of records in the workspace's currency at the rate of ``day``; NULL where there is none."""
    value: Any = amount.of(view.entity)
    named = _currency(view, amount)
    return value if named is None else rates.converted(edition, value, named.of(view.entity), day)


def _currency(view: EntityView, amount: Field) -> Field | None:
    """The field that names the currency of an amount; None where that is the workspace's."""
    return view.fields.get(amount.type.currency) if isinstance(amount.type, Money) else None


def _cards(
    session: Session,
    edition: Edition,
    actor: Actor,
    view: EntityView,
    lifecycle: Lifecycle,
    stage: Stage,
    rule: Rule | None,
    limit: int,
) -> Sequence[Record]:
    sort = f"-{view.info.amount_field}" if view.info.amount_field else view.info.sort
    only = board_rule(lifecycle, rule, stage.value)
    return (
        ListQuery(view, edition, actor, rule=only, sort=(sort,) if sort else (), limit=limit)
        .page(session)
        .items
    )
