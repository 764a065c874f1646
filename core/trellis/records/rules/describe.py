"""Rules in words, in the reader's language: City is “Malmö” and (Amount is at least 1 000 or Owner is me)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trellis import naming
from trellis.i18n import (
    Text,
    format_date,
    format_datetime,
    format_number,
    format_percent,
    plural_translator,
    translator,
)
from trellis.records.entity import Field
from trellis.records.rules.nodes import (
    All,
    AnyOf,
    InSegment,
    Leaf,
    Me,
    Measure,
    Node,
    Not,
    OfFigure,
    Operator,
    Period,
    Related,
    Relative,
    Unit,
)
from trellis.records.types import Percent, Reference

if TYPE_CHECKING:
    from trellis.edition import Edition

_ = translator("trellis")
_n = plural_translator("trellis")

Names = Callable[[str, int], str]
"""The title of a record, by entity and id."""


def describe(node: Node, edition: Edition, names: Names | None = None) -> str:
    """The rule as a phrase. ``names`` gives titles of referred records; without it they are ``#17``."""
    return _Words(edition, names).of(node)


@dataclass(frozen=True)
class _Words:
    """Says rules, with the titles that the edition gives to values."""

    edition: Edition
    names: Names | None

    def of(self, node: Node) -> str:
        match node:
            case All(()):
                return str(_("always"))
            case AnyOf(()):
                return str(_("never"))
            case All(rules):
                return f" {_('and')} ".join(self.part(rule, len(rules)) for rule in rules)
            case AnyOf(rules):
                return f" {_('or')} ".join(self.part(rule, len(rules)) for rule in rules)
            case Not(InSegment(_name, title)):
                return str(_("not in the segment “%(title)s”", title=title))
            case Not(rule):
                return str(_("not (%(rule)s)", rule=self.of(rule)))
            case Leaf():
                field = " › ".join(str(field.label) for field in (*node.path.hops, node.path.field))
                return self.leaf(node, field)
            case InSegment(_name, title):
                return str(_("in the segment “%(title)s”", title=title))
            case OfFigure(title=title):
                return str(_("counted in “%(title)s”", title=title))
            case Related():
                return self.related(node)

    def part(self, node: Node, siblings: int) -> str:
        text = self.of(node)
        grouped = isinstance(node, All | AnyOf) and len(node.rules) > 1 and siblings > 1
        return f"({text})" if grouped else text

    def related(self, node: Related) -> str:
        title = figure_title(node.measure, node.records, node.field)
        if node.part is not None:
            title = _("%(records)s: share with “%(part)s”", records=node.records, part=self.of(node.part))
        said = self.leaf(node.result, str(title))
        if node.where == All(()):
            return said
        return str(_("%(phrase)s (of those with %(rule)s)", phrase=said, rule=self.of(node.where)))

    def leaf(self, leaf: Leaf, field: str) -> str:
        value, kind = leaf.value, leaf.path.field
        if leaf.operator is Operator.BETWEEN:
            low, high = (self.value(kind, item) for item in value)
            return str(_("%(field)s is from %(low)s to %(high)s", field=field, low=low, high=high))
        if isinstance(value, bool):
            said = _yes_or_no(
                value, negated=leaf.operator is Operator.NE, required=not leaf.path.may_be_empty
            )
            return str(_("%(field)s: %(value)s", field=field, value=said))
        if isinstance(value, tuple):
            words = ", ".join(self.value(kind, item) for item in value) or str(_("nothing"))
        else:
            words = "" if value is None else self.value(kind, value)
        return str(_phrase(leaf, field, words))

    def value(self, field: Field, value: Any) -> str:
        kind = field.type
        match value:
            case Me():
                return str(_("me"))
            case Relative():
                return _relative(value)
            case Period():
                return str(period_title(value))
            case bool():
                return _yes_or_no(value)
            case int() if isinstance(kind, Reference):
                return self.names(kind.entity, value) if self.names else f"#{value}"
            case datetime():
                return format_datetime(value)
            case date():
                return format_date(value)
            case Decimal() | int():
                return _number(Decimal(value), percent=isinstance(kind, Percent))
            case _:
                title = naming.titles(self.edition, field).get(value)
                return str(title or _("“%(value)s”", value=value))


def figure_title(measure: Measure, records: Text, field: Field | None = None) -> Text:
    """What a figure of related records is called: Orders: sum of Amount."""
    said = {"records": records, "field": field.label if field else ""}
    days = field is not None and field.type.kind != "number"
    match measure:
        case Measure.COUNT:
            return _("%(records)s: number", **said)
        case Measure.SUM:
            return _("%(records)s: sum of %(field)s", **said)
        case Measure.MIN:
            return (
                _("%(records)s: earliest %(field)s", **said)
                if days
                else _("%(records)s: least %(field)s", **said)
            )
        case Measure.MAX:
            return (
                _("%(records)s: latest %(field)s", **said)
                if days
                else _("%(records)s: greatest %(field)s", **said)
            )
        case _:
            return _("%(records)s: share", **said)


def _yes_or_no(value: bool, *, negated: bool = False, required: bool = True) -> str:
    """Yes or no; where it is not to be one of them, the other, or none."""
    said = _("yes") if value is not negated else _("no")
    return str(_("%(value)s, or empty", value=said) if negated and not required else said)


def _phrase(leaf: Leaf, field: str, value: str) -> Text:
    if isinstance(leaf.value, Period):
        return _period_phrase(leaf.operator, field, value)
    if isinstance(leaf.value, Relative) and leaf.value != Relative():
        value = _counted(leaf.operator, leaf.value, value)
        if leaf.operator is not Operator.NE:
            return _("%(field)s is %(value)s", field=field, value=value)
    if leaf.path.field.type.kind in ("date", "datetime"):
        match leaf.operator:
            case Operator.LT:
                return _("%(field)s is before %(value)s", field=field, value=value)
            case Operator.LTE:
                return _("%(field)s is on or before %(value)s", field=field, value=value)
            case Operator.GT:
                return _("%(field)s is after %(value)s", field=field, value=value)
            case Operator.GTE:
                return _("%(field)s is on or after %(value)s", field=field, value=value)
    phrases = {
        Operator.EQ: _("%(field)s is %(value)s", field=field, value=value),
        Operator.NE: _("%(field)s is not %(value)s", field=field, value=value),
        Operator.WITHIN: _("%(field)s is %(value)s or part of it", field=field, value=value),
        Operator.LT: _("%(field)s is less than %(value)s", field=field, value=value),
        Operator.LTE: _("%(field)s is at most %(value)s", field=field, value=value),
        Operator.GT: _("%(field)s is more than %(value)s", field=field, value=value),
        Operator.GTE: _("%(field)s is at least %(value)s", field=field, value=value),
        Operator.IN: _("%(field)s is one of: %(value)s", field=field, value=value),
        Operator.NOT_IN: _("%(field)s is none of: %(value)s", field=field, value=value),
        Operator.CONTAINS: _("%(field)s contains %(value)s", field=field, value=value),
        Operator.STARTS_WITH: _("%(field)s starts with %(value)s", field=field, value=value),
        Operator.IS_EMPTY: _("%(field)s is empty", field=field),
        Operator.IS_NOT_EMPTY: _("%(field)s is not empty", field=field),
    }
    return phrases[leaf.operator]


def _period_phrase(operator: Operator, field: str, value: str) -> Text:
    phrases = {
        Operator.EQ: _("%(field)s: %(period)s", field=field, period=value),
        Operator.NE: _("%(field)s: not %(period)s", field=field, period=value),
        Operator.LT: _("%(field)s: before this period: %(period)s", field=field, period=value),
        Operator.LTE: _("%(field)s: to the end of this period: %(period)s", field=field, period=value),
        Operator.GT: _("%(field)s: after this period: %(period)s", field=field, period=value),
        Operator.GTE: _("%(field)s: from the start of this period: %(period)s", field=field, period=value),
    }
    return phrases[operator]


def _number(value: Decimal, *, percent: bool) -> str:
    digits = max(0, -int(value.normalize().as_tuple().exponent))
    return format_percent(value, max(0, digits - 2)) if percent else format_number(value, digits)


def _relative(value: Relative) -> str:
    if value.months < 0:
        return str(_n("%(num)s month ago", "%(num)s months ago", -value.months))
    if value.months > 0:
        return str(_n("%(num)s month from now", "%(num)s months from now", value.months))
    if value.days < 0:
        return str(_n("%(num)s day ago", "%(num)s days ago", -value.days))
    if value.days > 0:
        return str(_n("%(num)s day from now", "%(num)s days from now", value.days))
    return str(_("today"))


def _counted(operator: Operator, value: Relative, said: str) -> str:
    """The days before or after one that is counted from today: “more than 90 days ago”."""
    match operator:
        case Operator.LTE:
            return str(_("%(day)s or earlier", day=said))
        case Operator.GTE:
            return str(_("%(day)s or later", day=said))
        case Operator.LT | Operator.GT:
            ahead = value.days > 0 or value.months > 0
            return str(_apart(value, ahead=ahead, further=ahead is (operator is Operator.GT)))
    return said


def _apart(value: Relative, *, ahead: bool, further: bool) -> Text:
    """Further from today than ``value``, or nearer."""
    days, months = abs(value.days), abs(value.months)
    match ahead, further, bool(months):
        case False, True, False:
            return _n("more than %(num)s day ago", "more than %(num)s days ago", days)
        case False, False, False:
            return _n("less than %(num)s day ago", "less than %(num)s days ago", days)
        case True, True, False:
            return _n("more than %(num)s day from now", "more than %(num)s days from now", days)
        case True, False, False:
            return _n("less than %(num)s day from now", "less than %(num)s days from now", days)
        case False, True, True:
            return _n("more than %(num)s month ago", "more than %(num)s months ago", months)
        case False, False, True:
            return _n("less than %(num)s month ago", "less than %(num)s months ago", months)
        case True, True, True:
            return _n("more than %(num)s month from now", "more than %(num)s months from now", months)
    return _n("less than %(num)s month from now", "less than %(num)s months from now", months)


PERIODS: Mapping[Period, Text] = {
    Period(Unit.DAY): _("today"),
    Period(Unit.DAY, -1, -1): _("yesterday"),
    Period(Unit.DAY, 1, 1): _("tomorrow"),
    Period(Unit.DAY, -6, 0): _("last 7 days"),
    Period(Unit.DAY, -29, 0): _("last 30 days"),
    Period(Unit.DAY, -89, 0): _("last 90 days"),
    Period(Unit.DAY, 0, 6): _("next 7 days"),
    Period(Unit.DAY, 0, 29): _("next 30 days"),
    Period(Unit.WEEK): _("this week"),
    Period(Unit.WEEK, -1, -1): _("previous week"),
    Period(Unit.WEEK, 1, 1): _("next week"),
    Period(Unit.MONTH): _("this month"),
    Period(Unit.MONTH, -1, -1): _("previous month"),
    Period(Unit.MONTH, 1, 1): _("next month"),
    Period(Unit.QUARTER): _("this quarter"),
    Period(Unit.QUARTER, -1, -1): _("previous quarter"),
    Period(Unit.QUARTER, 1, 1): _("next quarter"),
    Period(Unit.YEAR): _("this year"),
    Period(Unit.YEAR, -1, -1): _("previous year"),
    Period(Unit.YEAR, 1, 1): _("next year"),
}
"""The periods that have a name, in the order in which people choose among them."""


def period_title(period: Period) -> Text:
    """The name of a period; for one without, its units counted from the present one."""
    if period in PERIODS:
        return PERIODS[period]
    span = {"first": period.first, "last": period.last}
    return {
        Unit.DAY: _("days from %(first)s to %(last)s", **span),
        Unit.WEEK: _("weeks from %(first)s to %(last)s", **span),
        Unit.MONTH: _("months from %(first)s to %(last)s", **span),
        Unit.QUARTER: _("quarters from %(first)s to %(last)s", **span),
        Unit.YEAR: _("years from %(first)s to %(last)s", **span),
    }[period.unit]
