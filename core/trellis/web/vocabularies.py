"""Names that some texts hold, as choices with titles: entities, roles, fields of the records that a report is about.

A field says which by ``Text(names=...)``; some depend on what else the record holds, and are not known without it. Those
that need no reader are in :mod:`trellis.naming`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import g

from trellis import naming
from trellis.contributions import Kpi, Process
from trellis.crm.sales.channels import SalesChannel, offered
from trellis.crm.sales.reports.definition import FIGURES, names_in
from trellis.edition import EntityView
from trellis.i18n import translator
from trellis.kpi.periods import PeriodInvalid, parse
from trellis.kpi.splits import split_names, split_of
from trellis.process import versions
from trellis.process.responsibilities import steps_of
from trellis.records.grouping import SEPARATOR, may_group
from trellis.records.rules.nodes import Unit
from trellis.records.types import Text

_ = translator("trellis")

PERIOD = "period"
"""The name of a text that holds the code of a period."""
Choices = Iterator[tuple[str, str]]

_UNITS = {
    Unit.DAY: _("by day"),
    Unit.WEEK: _("by week"),
    Unit.MONTH: _("by month"),
    Unit.QUARTER: _("by quarter"),
    Unit.YEAR: _("by year"),
}


def choices(declared: Text, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a text may be, with titles in the reader's language; nothing where that depends on what is not there."""
    make = _KNOWN.get(declared.names)
    if make is not None:
        return list(make(values))
    return [(name, str(title)) for name, title in naming.names(g.edition, declared.names).items()]


def words(declared: Text, text: str, known: Mapping[str, str]) -> str:
    """A text of names as people read it, by their titles; what is unknown stays as it is written."""
    if declared.names == PERIOD:
        return _period(text)
    names = names_in(text) if declared.many else [text]
    return ", ".join(known.get(one, one) for one in names)


def _period(text: str) -> str:
    """``2026-11`` as “November 2026”."""
    try:
        return parse(text, g.edition.settings.fiscal_month).title
    except PeriodInvalid:
        return text


def _entities(_values: Mapping[str, Any]) -> Choices:
    found = [
        (one.name, str(one.info.plural))
        for one in g.edition.entities.values()
        if g.actor.may(one.name, "read")
    ]
    yield from sorted(found, key=lambda one: one[1].casefold())


def _channels(_values: Mapping[str, Any]) -> Choices:
    """The organisation's sales channels, then those that every edition or a plugin knows."""
    if g.actor.may("sales_channel", "read"):
        yield from ((name, name) for name in offered(g.session, g.actor.visible(SalesChannel)))
    yield from ((name, str(title)) for name, title in naming.names(g.edition, naming.CHANNEL).items())


def _subjects(values: Mapping[str, Any]) -> Choices:
    yield FIGURES, str(_("Figures (KPIs)"))
    yield from _entities(values)


def _breakdowns(values: Mapping[str, Any]) -> Choices:
    """What all KPIs of a report can be broken down by."""
    kpis = [g.edition.all(Kpi)[name] for name in names_in(values.get("kpis")) if name in g.edition.all(Kpi)]
    each = [split_names(g.edition, one) for one in kpis or g.edition.all(Kpi).values()]
    labels = {
        name: str(split_of(g.edition, kpi, name).label or name)
        for kpi in kpis
        for name in split_names(g.edition, kpi)
    }
    common = [name for name in (each[0] if each else ()) if all(name in other for other in each)]
    yield from ((name, labels.get(name, name)) for name in common)


def _view(values: Mapping[str, Any]) -> EntityView | None:
    name = values.get("of_entity") or ""
    if name not in g.edition.entities or not g.actor.may(name, "read"):
        return None
    view: EntityView = g.edition.entity(name)
    return view


def _fields(values: Mapping[str, Any]) -> Choices:
    view = _view(values)
    if view is not None:
        yield from ((one.name, str(one.label)) for one in view.fields.values() if one.type.kind != "json")


def _customer_fields(_values: Mapping[str, Any]) -> Choices:
    yield from _fields({"of_entity": "customer"})


def _steps(values: Mapping[str, Any]) -> Choices:
    """The tasks of people in the diagram of a process."""
    process = g.edition.all(Process).get(values.get("process") or "")
    if process is not None:
        for step, title in steps_of(versions.present(g.edition, process)).items():
            yield step, str(versions.words(g.edition, process, title))


def _sorts(values: Mapping[str, Any]) -> Choices:
    for name, label in _fields(values):
        yield name, label
        yield f"-{name}", str(_("%(field)s, descending", field=label))


def _totals(values: Mapping[str, Any]) -> Choices:
    view = _view(values)
    if view is not None:
        yield from ((one.name, str(one.label)) for one in view.fields.values() if one.type.adds_up)


def _groups(values: Mapping[str, Any]) -> Choices:
    view = _view(values)
    for one in view.fields.values() if view is not None else ():
        if not may_group(one):
            continue
        if one.type.kind not in ("date", "datetime"):
            yield one.name, str(one.label)
            continue
        for unit, title in _UNITS.items():
            yield f"{one.name}{SEPARATOR}{unit}", f"{one.label}, {title}"


_KNOWN: Mapping[str, Callable[[Mapping[str, Any]], Choices]] = {
    naming.ENTITY: _entities,
    naming.CHANNEL: _channels,
    "subject": _subjects,
    "breakdown": _breakdowns,
    "field": _fields,
    "customer_field": _customer_fields,
    "sort": _sorts,
    "total": _totals,
    "group": _groups,
    "step": _steps,
}
