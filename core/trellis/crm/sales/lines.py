"""What lines come to, and what they come to together: orders, opportunities and quotes follow their lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP
from decimal import Decimal as Number
from typing import Any

import sqlalchemy as sa
from babel.numbers import get_currency_precision

from trellis.records.entity import Entity
from trellis.records.events import Saved


def rounded(amount: Number, currency: str) -> Number:
    """An amount to the smallest coin of its currency, half up."""
    return amount.quantize(Number(1).scaleb(-get_currency_precision(currency)), ROUND_HALF_UP)


def net(line: Mapping[str, Any], currency: str) -> Number | None:
    """Quantity times price without the discount, rounded once; None where one of the first two is not known."""
    if line.get("quantity") is None or line.get("price") is None:
        return None
    return rounded(line["quantity"] * line["price"] * (1 - (line.get("discount") or Number(0))), currency)


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
        """Sums the lines of the records whose lines were touched, in one statement."""
        reference = getattr(self.lines, f"{self.field}_id")
        touched = sa.select(reference).where(self.lines.id.in_(event.ids))
        left = {one.changes[self.field][0] for one in event.changes if self.field in one.changes} - {None}
        values = {name: self._over_lines(name, total) for name, total in self.sums.items()}
        event.session.execute(
            sa.update(self.of)
            .where(sa.or_(self.of.id.in_(touched), self.of.id.in_(sorted(left))))
            .values(values),
            execution_options={"synchronize_session": False},
        )

    def _over_lines(self, name: str, total: sa.ColumnElement[Any]) -> Any:
        reference = getattr(self.lines, f"{self.field}_id")
        lines = sa.select(total).where(reference == self.of.id, self.lines.deleted_at.is_(None))
        found = lines.correlate(self.of).scalar_subquery()
        return sa.func.coalesce(found, getattr(self.of, name)) if self.stays else found
