"""The lines of a report: records in their groups, with what the totals of each group and of all come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from trellis import naming
from trellis.crm.sales.reports.definition import Definition
from trellis.edition import Edition, EntityView
from trellis.i18n import format_date, format_money, translator
from trellis.records.entity import Field
from trellis.records.grouping import Grouping
from trellis.records.query import ListQuery, Record
from trellis.records.rules.context import begin
from trellis.records.types import Boolean, Money, Reference
from trellis.security.actor import Actor

_ = translator("trellis")

PAGE = 10_000
"""Each page is found by a sort of its own, and a group need not have an index: so few, and yet flat in memory."""
ROW, GROUP, TOTAL = "row", "group", "total"


@dataclass(frozen=True)
class Line:
    """A record (``cells`` by field), or what a group or all come to (``title``, ``count``, ``cells`` of the totals)."""

    kind: str
    cells: Mapping[str, Any]
    title: str = ""
    count: int = 0


@dataclass
class Sums:
    """Running totals, money by currency."""

    count: int = 0
    sums: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, report: Lines, record: Record) -> None:
        """Counts one record."""
        self.count += 1
        for one in report.totalled:
            value = record.values.get(one.name)
            if value is not None:
                key = one.name, report.currency_of(one, record)
                self.sums[key] = self.sums.get(key, Decimal(0)) + value

    def line(self, report: Lines, kind: str, title: str) -> Line:
        """What has been counted, as a line."""
        return Line(
            kind, {one.name: self._told(report, one.name) for one in report.totalled}, title, self.count
        )

    def _told(self, report: Lines, name: str) -> Any:
        """A number; where there are other currencies than the workspace's, amounts in words."""
        found = {currency: value for (one, currency), value in self.sums.items() if one == name}
        if set(found) <= {"", report.usual}:
            return sum(found.values(), Decimal(0))
        return " + ".join(format_money(value, currency) for currency, value in sorted(found.items()))


class Lines:
    """A report as one person sees it. Raises RecordInvalid, RuleInvalid for what that person does not have."""

    def __init__(self, session: Session, edition: Edition, actor: Actor, definition: Definition) -> None:
        actor.require(definition.entity, "read")
        self._session, self._edition, self._actor = session, actor.sees(edition), actor
        self._definition = definition
        self.view: EntityView = self._edition.entity(definition.entity)
        self.totalled = [
            self.view.fields[name]
            for name in definition.totals
            if name in self.view.fields and self._adds(name)
        ]
        chosen = definition.fields(self.view)
        self.fields = [*chosen, *(one for one in self.totalled if one not in chosen)]
        self.usual: str = edition.settings.currency
        self._zone = ZoneInfo(edition.settings.timezone)
        self._titles = {name: naming.titles(self._edition, one) for name, one in self.view.fields.items()}
        self.grouping: Grouping | None = definition.grouping(self.view)

    def __iter__(self) -> Iterator[Line]:
        """All lines, page by page: memory does not grow with their number."""
        whole = Sums()
        for key, records in groupby(self._records(), self._key):
            sums = Sums()
            for record in records:
                sums.add(self, record)
                whole.add(self, record)
                yield Line(ROW, {one.name: self._cell(one, record) for one in self.fields})
            if self.grouping is not None:
                yield sums.line(self, GROUP, key)
        yield whole.line(self, TOTAL, str(_("Total")))

    def currency_of(self, one: Field, record: Record) -> str:
        """The currency of an amount; empty for a number that is none."""
        if not isinstance(one.type, Money):
            return ""
        return str(record.values.get(one.type.currency) or self.usual)

    def _adds(self, name: str) -> bool:
        """Amounts are not added up for who may not see their currencies."""
        declared = self.view.fields[name].type
        if not isinstance(declared, Money) or not declared.currency:
            return True
        whole = self._edition.whole.entity(self.view.name).fields
        return declared.currency in self.view.fields or declared.currency not in whole

    def _records(self) -> Iterator[Record]:
        cursor: str | None = None
        while True:
            page = self._query(cursor).page(self._session)
            yield from page.items
            if page.next is None:
                return
            cursor = page.next

    def _query(self, cursor: str | None) -> ListQuery:
        grouped = [self.grouping.field.name] if self.grouping is not None else []
        wanted = [*self.fields, *self.totalled]
        money = [one.type.currency for one in wanted if isinstance(one.type, Money)]
        names = dict.fromkeys([*(one.name for one in wanted), *grouped, *money])
        usual = [self.view.info.sort] if self.view.info.sort else []
        known = [name for name in self._definition.sort if name.removeprefix("-") in self.view.fields]
        return ListQuery(
            self.view,
            self._edition,
            self._actor,
            rule=self._definition.rule,
            sort=[*grouped, *(known or usual)],
            fields=[name for name in names if name in self.view.fields],
            cursor=cursor,
            limit=PAGE,
        )

    def _key(self, record: Record) -> str:
        """The group of a record, as it is called."""
        if self.grouping is None:
            return ""
        name, unit = self.grouping.field.name, self.grouping.unit
        value = record.values.get(name)
        if value is None:
            return str(_("None"))
        if unit is not None:
            day = value.astimezone(self._zone).date() if isinstance(value, datetime) else value
            settings = self._edition.settings
            return format_date(begin(day, unit, 0, fiscal_month=settings.fiscal_month))
        return str(self._cell(self.grouping.field, record))

    def _cell(self, one: Field, record: Record) -> Any:
        """A value as people read it: a text, a number, a day or a moment of the workspace's zone; None for nothing."""
        value = record.values.get(one.name)
        if value is None:
            return None
        titles = self._titles[one.name]
        if titles and value in titles:
            return str(titles[value])
        match one.type:
            case Reference():
                return record.titles.get(one.name, f"#{value}")
            case Boolean():
                return str(_("Yes") if value else _("No"))
            case Money() if self.currency_of(one, record) != self.usual:
                return format_money(value, self.currency_of(one, record))
        if isinstance(value, datetime):
            return value.astimezone(self._zone).replace(tzinfo=None)
        return value if isinstance(value, int | Decimal | date) else str(value)


def labels(fields: Sequence[Field]) -> list[str]:
    """The heads of the columns."""
    return [str(one.label) for one in fields]
