"""Bonus schemes with their parts, and what they came to: runs, statements and lines, which Trellis alone writes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as Number
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.contributions import BonusKind
from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import (
    Boolean,
    Choice,
    Currency,
    Date,
    DateTime,
    Integer,
    Json,
    LongText,
    Money,
    Option,
    Percent,
    Reference,
    Rule,
    Text,
)

_ = translator("trellis")

_WHO = _("Who takes part")
MONTHLY, QUARTERLY = "month", "quarter"
RHYTHMS = (Option(MONTHLY, _("Every month")), Option(QUARTERLY, _("Every quarter")))
KINDS = (
    Option(BonusKind.PERCENT, _("Percent of a figure")),
    Option(BonusKind.TIERS, _("Tiers of plan attainment")),
    Option(BonusKind.TEAM, _("Share in the figure of the unit")),
    Option(BonusKind.FORMULA, _("Amount by a formula")),
    Option(BonusKind.MULTIPLIER, _("Multiplier of what is above")),
    Option(BonusKind.CAP, _("At most this amount")),
)
CORRECTION = "correction"
LINE_KINDS = (*KINDS, Option(CORRECTION, _("Correction of a closed period")))
EQUALLY, BY_FIGURE = "equally", "by_figure"
SHARINGS = (Option(EQUALLY, _("Equally")), Option(BY_FIGURE, _("By their own figures")))
OPEN, CLOSED = "open", "closed"
STATES = (Option(OPEN, _("Still open"), "info"), Option(CLOSED, _("Closed for good"), "good"))


class BonusScheme(Entity):
    """By what rules a group of people earns a bonus in each period."""

    __tablename__ = "bonus_scheme"
    __entity__ = EntityInfo(
        name="bonus_scheme",
        title=_("Bonus scheme"),
        plural=_("Bonus schemes"),
        about=_(
            "A scheme says by which rules a group of people earns a bonus. Schemes of the edition "
            "can be taken over"
        ),
        new=_("New bonus scheme"),
        icon="percent",
        direction="sales",
        level="tactics",
        row="SA4",
        sort="name",
        confidential=True,
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    about: Mapped[str | None] = column(LongText(), label=_("Description"))
    rhythm: Mapped[str] = column(
        Choice(RHYTHMS), label=_("How often"), required=True, default=MONTHLY, in_list=True
    )
    active: Mapped[bool] = column(Boolean(), label=_("In use"), default=True, in_list=True)
    valid_from: Mapped[date | None] = column(
        Date(),
        label=_("Holds from"),
        help=_("For periods that begin on this day or later"),
        in_list=True,
    )
    valid_to: Mapped[date | None] = column(
        Date(), label=_("Holds until"), help=_("For periods that begin on this day or earlier"), in_list=True
    )
    of_unit_id: Mapped[int | None] = column(
        Reference("unit"),
        label=_("People of the unit"),
        help=_("With the units below it; everybody when empty"),
        group=_WHO,
        in_list=True,
    )
    people: Mapped[dict[str, Any] | None] = column(
        Rule(over="user"), label=_("Rule for people"), help=_("A rule over users, as in filters"), group=_WHO
    )


class BonusPart(Entity):
    """One line of the reckoning; parts follow each other by their place."""

    __tablename__ = "bonus_part"
    __entity__ = EntityInfo(
        name="bonus_part",
        title=_("Part of a scheme"),
        plural=_("Parts of schemes"),
        new=_("New part"),
        icon="list-ordered",
        direction="sales",
        level="tactics",
        parent="scheme",
        subtitle_field="scheme",
        sort="place",
        confidential=True,
    )

    scheme_id: Mapped[int] = column(
        Reference("bonus_scheme", "CASCADE"), label=_("Bonus scheme"), required=True, in_list=True
    )
    place: Mapped[int] = column(
        Integer(minimum=1, maximum=1000, additive=False),
        label=_("Place"),
        required=True,
        default=1,
        in_list=True,
    )
    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    kind: Mapped[str] = column(
        Choice(KINDS), label=_("Kind"), required=True, default=BonusKind.PERCENT, in_list=True
    )
    kpi: Mapped[str | None] = column(
        Text(160, names="kpi"),
        label=_("KPI"),
        help=_("One that is a sum: revenue, margin"),
        in_list=True,
        visible_when={"field": "kind", "op": "in", "value": ["percent", "tiers", "team"]},
    )
    rate: Mapped[Number | None] = column(
        Percent(minimum=0),
        label=_("Percent"),
        in_list=True,
        visible_when={"field": "kind", "op": "in", "value": ["percent", "team"]},
    )
    tiers: Mapped[str | None] = column(
        Text(300),
        label=_("Tiers"),
        help=_("From which percent of the plan on, which percent of the fact: 0: 3; 100: 5"),
        in_list=True,
        visible_when={"field": "kind", "op": "eq", "value": "tiers"},
    )
    threshold: Mapped[Number | None] = column(
        Percent(minimum=0),
        label=_("Nothing below"),
        help=_("The share of the plan under which this part is nothing"),
        visible_when={"field": "kind", "op": "eq", "value": "tiers"},
    )
    sharing: Mapped[str | None] = column(
        Choice(SHARINGS),
        label=_("Shared"),
        visible_when={"field": "kind", "op": "eq", "value": "team"},
    )
    formula: Mapped[str | None] = column(
        Text(1000),
        label=_("Formula"),
        help=_("Over KPIs of the person, their plans and attainment: when(attainment.revenue >= 1, 500, 0)"),
        visible_when={"field": "kind", "op": "in", "value": ["formula", "multiplier"]},
    )
    amount: Mapped[Number | None] = column(
        Money(minimum=0),
        label=_("Amount"),
        visible_when={"field": "kind", "op": "eq", "value": "cap"},
    )
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"), read_only=True)
    rule: Mapped[dict[str, Any] | None] = column(
        Rule(by="kpi"),
        label=_("Rule for records"),
        help=_("Which records of the KPI count, as in filters"),
        visible_when={"field": "kind", "op": "in", "value": ["percent", "tiers", "team"]},
    )


class BonusRun(Entity):
    """What a scheme came to in a period. Once closed it stays: what changes later is a line of the next open one."""

    __tablename__ = "bonus_run"
    __entity__ = EntityInfo(
        name="bonus_run",
        title=_("Bonus run"),
        plural=_("Bonus runs"),
        about=_("A run appears when a scheme is reckoned for a period"),
        by_hand=False,
        made_at="bonuses",
        kept=True,
        new=_("New bonus run"),
        icon="calculator",
        direction="sales",
        level="tactics",
        row="SA4",
        title_field="title",
        amount_field="total",
        sort="-begins_on",
        confidential=True,
    )
    __table_args__ = (sa.Index("ix_bonus_run_scheme_period", "scheme_id", "period", unique=True),)

    title: Mapped[str] = column(Text(300), label=_("Title"), required=True, searchable=True)
    scheme_id: Mapped[int] = column(
        Reference("bonus_scheme", ""), label=_("Bonus scheme"), required=True, in_list=True
    )
    period: Mapped[str] = column(Text(10, names="period"), label=_("Period"), required=True, in_list=True)
    begins_on: Mapped[date] = column(Date(), label=_("Begins"), required=True, indexed=True)
    state: Mapped[str] = column(Choice(STATES), label=_("State"), required=True, default=OPEN, in_list=True)
    statements: Mapped[int] = column(Integer(), label=_("Statements"), required=True, default=0, in_list=True)
    total: Mapped[Number] = column(Money(), label=_("Total"), required=True, default=0, in_list=True)
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"))
    reckoned_at: Mapped[datetime | None] = column(DateTime(), label=_("Reckoned"), in_list=True)
    closed_at: Mapped[datetime | None] = column(DateTime(), label=_("Closed"), in_list=True)
    closed_by_id: Mapped[int | None] = column(Reference("user", ""), label=_("Closed by"))
    terms: Mapped[dict[str, Any] | None] = column(
        Json(), label=_("Terms"), help=_("The scheme and the plans that this was reckoned by")
    )


class BonusStatement(Entity):
    """What a person earned by a scheme in a period: the sum of its lines. It belongs to the person."""

    __tablename__ = "bonus_statement"
    __entity__ = EntityInfo(
        name="bonus_statement",
        title=_("Bonus statement"),
        plural=_("Bonus statements"),
        about=_("A statement says what a person earned in a period. It appears when a scheme is reckoned"),
        by_hand=False,
        made_at="bonuses",
        kept=True,
        new=_("New bonus statement"),
        icon="receipt-text",
        direction="sales",
        level="operations",
        row="SA4",
        title_field="title",
        subtitle_field="period",
        amount_field="total",
        sort="-begins_on",
        parent="run",
        confidential=True,
    )
    __table_args__ = (sa.Index("ix_bonus_statement_run_person", "run_id", "person_id", unique=True),)

    title: Mapped[str] = column(Text(300), label=_("Title"), required=True, searchable=True)
    run_id: Mapped[int] = column(Reference("bonus_run", "CASCADE"), label=_("Bonus run"), required=True)
    person_id: Mapped[int] = column(Reference("user", ""), label=_("Employee"), required=True, in_list=True)
    scheme_id: Mapped[int] = column(
        Reference("bonus_scheme", ""), label=_("Bonus scheme"), required=True, in_list=True
    )
    period: Mapped[str] = column(Text(10, names="period"), label=_("Period"), required=True, in_list=True)
    begins_on: Mapped[date] = column(Date(), label=_("Begins"), required=True, indexed=True)
    state: Mapped[str] = column(Choice(STATES), label=_("State"), required=True, default=OPEN, in_list=True)
    total: Mapped[Number] = column(Money(), label=_("Total"), required=True, default=0, in_list=True)
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"))


class BonusLine(Entity):
    """One line of a statement, with what it was reckoned from."""

    __tablename__ = "bonus_line"
    __entity__ = EntityInfo(
        name="bonus_line",
        title=_("Bonus line"),
        plural=_("Bonus lines"),
        about=_("Lines are the parts of a statement. They appear when a scheme is reckoned"),
        by_hand=False,
        made_at="bonuses",
        kept=True,
        new=_("New bonus line"),
        icon="list",
        direction="sales",
        level="operations",
        parent="statement",
        subtitle_field="statement",
        amount_field="amount",
        sort="place",
        confidential=True,
    )

    statement_id: Mapped[int] = column(
        Reference("bonus_statement", "CASCADE"), label=_("Bonus statement"), required=True, in_list=True
    )
    place: Mapped[int] = column(
        Integer(additive=False), label=_("Place"), required=True, default=1, in_list=True
    )
    name: Mapped[str] = column(Text(), label=_("Name"), required=True, in_list=True, searchable=True)
    kind: Mapped[str] = column(
        Choice(LINE_KINDS), label=_("Kind"), required=True, default=BonusKind.PERCENT, in_list=True
    )
    period: Mapped[str] = column(
        Text(10, names="period"),
        label=_("Period"),
        help=_("An earlier one for a correction"),
        required=True,
        in_list=True,
    )
    amount: Mapped[Number] = column(Money(), label=_("Amount"), required=True, default=0, in_list=True)
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"))
    basis: Mapped[dict[str, Any] | None] = column(
        Json(), label=_("Reckoned from"), help=_("Figure, plan, rate and factor")
    )
