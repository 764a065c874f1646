"""What a template of a mail may name, as its writer may see it, and how values are written in it."""

from __future__ import annotations

from datetime import date
from typing import Any

from trellis.edition import Edition
from trellis.i18n import format_date, format_money, format_percent, format_time
from trellis.process.expressions import Argument, Expression, Path, said
from trellis.process.paths import RecordFacts
from trellis.records import types
from trellis.records.door import Records
from trellis.records.entity import Field
from trellis.records.query import Record

_LONG_AGO = date(1, 1, 1)
"""Days are written with their year, and not as today: nobody knows when a mail is read."""
RECORD, SENDER = "record", "sender"


class LetterFacts(RecordFacts):
    """The record that a mail is written from, and who writes it; read with the writer's rights."""

    def __init__(self, records: Records, entity: str, record_id: int) -> None:
        me = records.actor.user_id
        sender = ("user", me) if me is not None else None
        super().__init__(records, {RECORD: (entity, record_id), SENDER: sender})

    def told(self, path: Path) -> str:
        """The value at a path as people read it. Raises KeyError."""
        found = self.find(path) if len(path) > 1 else None
        if found is None:
            return ""
        record, field = found
        return str(record.id) if field is None else worded(self._seen, record, field)


def worded(edition: Edition, record: Record, field: Field) -> str:
    """A value of a record in words: choices and references by their titles, money with its currency."""
    value: Any = record.values.get(field.name)
    if value is None:
        return ""
    match field.type:
        case types.Reference():
            return record.titles.get(field.name, "")
        case types.Choice() as choice:
            option = choice.option(str(value))
            return str(option.label) if option else str(value)
        case types.Money(currency=named):
            return format_money(value, str(record.values.get(named) or edition.settings.currency))
        case types.Percent():
            return format_percent(value)
        case types.Date():
            return format_date(value, _LONG_AGO)
        case types.DateTime():
            return f"{format_date(value, _LONG_AGO)}, {format_time(value)}"
    lifecycle = edition.entity(record.entity).lifecycle(record.values)
    if lifecycle is not None and lifecycle.field == field.name:
        return next((str(one.title) for one in lifecycle.stages if one.value == value), str(value))
    return said(value)


def written(argument: Argument, facts: LetterFacts) -> str:
    """A text with what stands in its braces. Raises KeyError, ExpressionFailed."""
    return "".join(one if isinstance(one, str) else told_part(one, facts) for one in argument.parts)


def told_part(expression: Expression, facts: LetterFacts) -> str:
    """A field alone is written as people read it; what is reckoned, as it comes out."""
    if {expression.text} == {".".join(path) for path in expression.paths}:
        return facts.told(next(iter(expression.paths)))
    return said(expression(facts))
