"""What lines come to, and what they come to together: orders, opportunities and quotes follow their lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal as Number
from typing import Any

import sqlalchemy as sa
from babel.numbers import get_currency_precision

from trellis.crm.products.amounts import sum_of
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved
from trellis.records.types import FixedPoint

_ = translator("trellis")

CURRENCY_STAYS = _("The lines have prices in the present currency; remove them first")
_LARGEST = Number(10) ** 14 - 1


def rounded(currency: str, *factors: Number) -> Number:
    """What factors come to, to the smallest coin of the currency, half up. Raises RecordInvalid for what is too large."""
    return sum_of(factors, digits=get_currency_precision(currency))


def net(line: Mapping[str, Any], currency: str) -> Number | None:
    """Quantity times price without the discount, rounded once; None where one of the first two is not known."""
    if line.get("quantity") is None or line.get("price") is None:
        return None
    return rounded(currency, line["quantity"], line["price"], 1 - (line.get("discount") or Number(0)))


def require_currency(event: BeforeSave, line: Mapping[str, Any], currency: str | None) -> None:
    """A line that comes back from the bin has its price in the ``currency`` that its record has now. Raises RecordInvalid."""
    now = currency or event.edition.settings.currency
    if line.get("price") is not None and line.get("currency") not in (None, now):
        words = {"old": line["currency"], "now": now}
        text = _("This line has prices in %(old)s, and its record is in %(now)s now", **words)
        raise RecordInvalid({"currency": [text]})


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The columns of a record that are ``sums`` over its ``lines``, which refer to it by ``field``.

    With ``stays``, what the record held stays where no line is left.
    """

    of: type[Entity]
    lines: type[Entity]
    field: str
    sums: Mapping[str, Any]
    stays: bool = False

    def follow(self, event: Saved) -> None:
        """Sums the lines of the records whose lines were touched. Raises RecordInvalid for more than a field holds."""
        reference = getattr(self.lines, f"{self.field}_id")
        touched = sa.select(reference).where(self.lines.id.in_(event.ids))
        left = {one.changes[self.field][0] for one in event.changes if self.field in one.changes} - {None}
        records = sa.or_(self.of.id.in_(touched), self.of.id.in_(sorted(left)))
        self._require_room(event, records)
        values = {name: self._over_lines(name, total) for name, total in self.sums.items()}
        event.session.execute(
            sa.update(self.of).where(records).values(values),
            execution_options={"synchronize_session": False},
        )

    def _require_room(self, event: Saved, records: sa.ColumnElement[bool]) -> None:
        """Looks whether the sums fit, in floats: an exact sum that does not would end the transaction."""
        reference = getattr(self.lines, f"{self.field}_id")
        largest = sa.cast(sa.literal(_LARGEST, FixedPoint()), sa.Float)
        sums = [
            sa.func.abs(sa.func.sum(sa.cast(column, sa.Float))) > largest
            for total in self.sums.values()
            if total.name == "sum"
            for column in total.clauses
        ]
        query = (
            sa.select(reference)
            .join(self.of, self.of.id == reference)
            .where(records, self.lines.deleted_at.is_(None))
            .group_by(reference)
            .having(sa.or_(*sums))
        )
        if event.session.scalar(query.limit(1)) is not None:
            raise RecordInvalid({"quantity": [_("All lines together come to too large an amount")]})

    def _over_lines(self, name: str, total: sa.ColumnElement[Any]) -> Any:
        reference = getattr(self.lines, f"{self.field}_id")
        lines = sa.select(total).where(reference == self.of.id, self.lines.deleted_at.is_(None))
        found = lines.correlate(self.of).scalar_subquery()
        return sa.func.coalesce(found, getattr(self.of, name)) if self.stays else found
