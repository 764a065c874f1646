"""KPIs that the organisation defines without code: an aggregate over records of an entity, or a formula over other KPIs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.contributions import Cell, Direction, Kpi, Level, Unit
from trellis.edition import OWN, Edition, EntityView
from trellis.errors import Conflict, Message, RecordInvalid, TrellisError
from trellis.i18n import Text as Label
from trellis.i18n import as_written, translator
from trellis.kpi.arithmetic import average, ratio
from trellis.kpi.checks import check_kpi
from trellis.kpi.composite import check_formula, parts_of
from trellis.kpi.query import KpiQuery
from trellis.records import setup
from trellis.records.entity import Base, Entity, Field
from trellis.records.joins import Joins
from trellis.records.rules import RuleContext, parse, segments_in, to_sql
from trellis.records.types import FixedPoint, JsonData, Money, Text, ValueInvalid
from trellis.security.actor import Actor
from trellis.workspace_state import raise_revision

_ = translator("trellis")

AGGREGATES: Mapping[str, Label] = {
    "count": _("Number of records"),
    "distinct": _("Number of different values"),
    "sum": _("Sum"),
    "average": _("Average"),
    "minimum": _("Smallest"),
    "maximum": _("Largest"),
    "share": _("Share of the records that fit the rule"),
    "formula": _("Formula over other KPIs"),
}
WITHOUT_FIELD = ("count", "share", "formula")
_NUMBERS = ("number",)
_VALUES = ("choice", "reference", "text")
LONGEST_TITLE, LONGEST_TEXT = 120, 2000
NAME = "^(own\\.)?[a-z][a-z0-9_]{0,59}$"
"""What a KPI may be called; the prefix stands before it in any case."""


class OwnKpi(Base):
    """A KPI of the organisation; ``declaration`` is its JSON form, ``version`` rises with each change of what is counted."""

    __tablename__ = "own_kpi"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    declaration: Mapped[dict[str, Any]] = mapped_column(JsonData)
    version: Mapped[int] = mapped_column(sa.Integer, default=1)


def own_kpis(session: Session) -> list[Kpi]:
    """The KPIs kept in the workspace; those over entities that are not installed are left out."""
    rows = session.scalars(sa.select(OwnKpi).order_by(OwnKpi.name))
    made = (from_json(row.name, row.declaration, row.version) for row in rows)
    return [one for one in made if one is not None]


def from_json(name: str, declaration: Mapping[str, Any], version: int = 1) -> Kpi | None:
    """A KPI as kept: ``{"title": "Large orders", "entity": "order", "aggregate": "count", "rule": {...}, "date": "ordered_at", ...}``.

    None where its entity is not known to this process.
    """
    common: dict[str, Any] = {
        "name": name,
        "title": as_written(declaration["title"]),
        "cell": Cell(Direction(declaration["direction"]), Level(declaration["level"])),
        "unit": Unit(declaration["unit"]),
        "higher_is_better": declaration.get("higher_is_better", True),
        "version": version,
        "owner": OWN,
    }
    if declaration["aggregate"] == "formula":
        text = declaration["expression"]
        return Kpi(**common, expression=text, formula=as_written(text))
    entity = _entity_class(declaration["entity"])
    if entity is None:
        return None
    return Kpi(
        **common,
        entity=entity,
        date=getattr(entity, declaration["date"], None),
        select=_selecting(dict(declaration)),
        breakdowns={name: name for name in declaration.get("breakdowns") or ()},
        rule=declaration.get("rule") if declaration["aggregate"] != "share" else None,
        formula=as_written(declaration.get("about") or "") or None,
    )


def _entity_class(name: str) -> type[Entity] | None:
    for mapper in Base.registry.mappers:
        if issubclass(mapper.class_, Entity) and mapper.class_.__entity__.name == name:
            return mapper.class_
    return None


def _selecting(declaration: dict[str, Any]) -> Callable[[KpiQuery], sa.Select[Any]]:
    """The select of a declared KPI."""

    def select(q: KpiQuery) -> sa.Select[Any]:
        view = q.edition.entity(declaration["entity"])
        entity, date = view.entity, getattr(view.entity, declaration["date"])
        joins = Joins(entity, view, q.edition, q.actor)
        rule = declaration.get("rule")
        context = RuleContext(edition=q.edition, actor=q.actor, today=q.today)
        node = parse(rule or {"all": []}, view, q.edition)
        q.segments.update(segments_in(node))
        fits = to_sql(node, joins, context)
        kind = declaration["aggregate"]
        value = (
            ratio(sa.func.count().filter(fits), sa.func.count())
            if kind == "share"
            else _aggregate(q, view, kind, declaration.get("field"))
        )
        statement = joins.add_to(sa.select(value).select_from(entity))
        statement = statement.where(q.during(date), q.visible(entity))
        return statement if kind == "share" else statement.where(fits)

    return select


def _aggregate(q: KpiQuery, view: EntityView, kind: str, name: str | None) -> Any:
    if kind == "count":
        return sa.func.count(view.entity.id)
    if kind == "distinct":
        return sa.func.count(view.fields[str(name)].of(view.entity).distinct())
    column = _amount(q, view, view.fields[str(name)])
    match kind:
        case "sum":
            return sa.func.coalesce(sa.func.sum(column), 0)
        case "average":
            divide = average if isinstance(column.type, FixedPoint) else ratio
            return divide(sa.func.sum(column), sa.func.count(column))
        case "minimum":
            return sa.func.min(column)
        case _:
            return sa.func.max(column)


def _amount(q: KpiQuery, view: EntityView, field: Field) -> Any:
    """A number of a record; an amount of money in the workspace's currency."""
    column = field.of(view.entity)
    currency = view.fields.get(field.type.currency) if isinstance(field.type, Money) else None
    return q.money(column, currency.of(view.entity)) if currency is not None else column


def save_kpi(
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    declaration: Mapping[str, Any],
    *,
    new: bool,
) -> Kpi:
    """Keeps a KPI named ``own.<name>``. Raises RecordInvalid by what is wrong, Conflict for a name that is taken."""
    actor.require_administrator()
    full_name = name if name.startswith(f"{OWN}.") else f"{OWN}.{name.strip().lower()}"
    errors = _problems(edition, full_name, declaration)
    if errors:
        raise RecordInvalid(errors)
    row = session.get(OwnKpi, full_name)
    if new and (row is not None or full_name in edition.all(Kpi)):
        raise Conflict(_("The KPI “%(name)s” exists already", name=full_name))
    kpi = from_json(full_name, declaration)
    assert kpi is not None
    _check(edition, kpi)
    made = row is None
    if row is None:
        row = OwnKpi(name=full_name, declaration={}, version=0)
        session.add(row)
    before = None if made else {**row.declaration, "name": full_name}
    if _counted(row.declaration) != _counted(declaration):
        row.version += 1
    row.declaration = dict(declaration)
    session.flush()
    setup.note(session, actor, setup.KPI, before, {**declaration, "name": full_name})
    raise_revision(session.connection())
    return dataclasses.replace(kpi, version=row.version)


def declaration_of(session: Session, name: str) -> Mapping[str, Any]:
    """A KPI as kept. Raises Conflict when it is none of the organisation's."""
    return row_of(session, name).declaration


def left_out(session: Session, edition: Edition) -> list[tuple[str, str]]:
    """Name and title of the KPIs that are kept and not counted now: what they are over is not there."""
    rows = session.scalars(sa.select(OwnKpi).order_by(OwnKpi.name))
    return [(row.name, row.declaration["title"]) for row in rows if row.name not in edition.all(Kpi)]


def remove_kpi(session: Session, edition: Edition, actor: Actor, name: str) -> None:
    """Stops counting a KPI; its targets and snapshots stay. Raises Conflict where a formula is over it."""
    actor.require_administrator()
    row = row_of(session, name)
    for other in edition.all(Kpi).values():
        if other.select is None and name in parts_of(other):
            raise Conflict(_("“%(title)s” is a formula over this KPI", title=other.title))
    setup.note(session, actor, setup.KPI, {**row.declaration, "name": name}, None)
    session.delete(row)
    session.flush()
    raise_revision(session.connection())


def asking_for(session: Session, edition: Edition, segment: str) -> list[str]:
    """The titles of the organisation's KPIs that count only who is in a segment."""
    return [
        one.declaration["title"]
        for one in session.scalars(sa.select(OwnKpi).order_by(OwnKpi.name))
        if one.declaration.get("rule") and segment in _segments_of(edition, one.declaration)
    ]


def _segments_of(edition: Edition, declaration: Mapping[str, Any]) -> list[str]:
    view = edition.entities.get(declaration["entity"])
    return [] if view is None else segments_in(parse(declaration["rule"], view, edition))


def row_of(session: Session, name: str) -> OwnKpi:
    """A KPI as kept, with its version. Raises Conflict when it is none of the organisation's."""
    row = session.get(OwnKpi, name)
    if row is None:
        raise Conflict(_("“%(name)s” is not a KPI of this organisation", name=name))
    return row


def _counted(declaration: Mapping[str, Any]) -> dict[str, Any]:
    """What of a declaration decides what is counted."""
    return {
        key: declaration.get(key)
        for key in ("entity", "aggregate", "field", "date", "rule", "unit", "expression")
    }


def _check(edition: Edition, kpi: Kpi) -> None:
    """Builds the KPI as the edition will. Raises RecordInvalid that names the part that is wrong."""
    part = "expression" if kpi.expression else "rule"
    try:
        check_formula(edition, kpi) if kpi.expression else check_kpi(edition, kpi)
    except TrellisError as error:
        raise RecordInvalid({part: [str(error)]}) from None


def _problems(edition: Edition, name: str, declaration: Mapping[str, Any]) -> dict[str, list[Message]]:
    errors: dict[str, list[Message]] = {}
    if not re.fullmatch(NAME, name):
        errors["name"] = [_("Use small latin letters, digits and _, starting with a letter")]
    if not str(declaration.get("title") or "").strip():
        errors["title"] = [_("Give the KPI a title")]
    elif len(declaration["title"]) > LONGEST_TITLE:
        errors["title"] = [_("At most %(most)s characters", most=LONGEST_TITLE)]
    for key in ("title", "about", "expression"):
        try:
            Text(LONGEST_TEXT).check(declaration.get(key))
        except ValueInvalid as error:
            errors.setdefault(key, [error.message])
    for key, known in (("unit", Unit), ("direction", Direction), ("level", Level)):
        if declaration.get(key) not in [one.value for one in known]:
            errors[key] = [_("Choose one of: %(known)s", known=", ".join(one.value for one in known))]
    kind = declaration.get("aggregate")
    if kind not in AGGREGATES:
        errors["aggregate"] = [_("Choose one of: %(known)s", known=", ".join(AGGREGATES))]
    elif kind == "formula":
        if not str(declaration.get("expression") or "").strip():
            errors["expression"] = [_("Write a formula over other KPIs: revenue / orders")]
        if declaration.get("breakdowns"):
            errors["breakdowns"] = [
                _("A formula can be broken down by what all its KPIs can; leave this empty")
            ]
    else:
        errors |= _problems_of_records(edition, declaration)
    return errors


def _problems_of_records(edition: Edition, declaration: Mapping[str, Any]) -> dict[str, list[Message]]:
    view = edition.entities.get(str(declaration.get("entity")))
    if view is None or view.info.confidential:
        return {"entity": [_("Choose what is counted")]}
    errors: dict[str, list[Message]] = {}
    if declaration.get("date") not in [one.column for one in dates_of(view)]:
        errors["date"] = [_("Choose the date by which records belong to a period")]
    kind = declaration["aggregate"]
    fitting = values_of(view) if kind == "distinct" else numbers_of(view)
    if kind not in WITHOUT_FIELD and declaration.get("field") not in [one.name for one in fitting]:
        errors["field"] = [
            _("Choose the field whose different values are counted: a text, a choice or another record")
            if kind == "distinct"
            else _("Choose the number that is summed or compared")
        ]
    known = [one.name for one in keys_of(view)]
    wrong = [str(one) for one in declaration.get("breakdowns") or () if one not in known]
    if wrong:
        named = {"name": wrong[0][:80], "known": ", ".join(known) or "–"}
        errors["breakdowns"] = [
            _("Nothing can be broken down by “%(name)s” here; choose: %(known)s", **named)
        ]
    if kind == "share" and not declaration.get("rule"):
        errors["rule"] = [_("Add a comparison to the rule")]
    return errors


def dates_of(view: EntityView) -> list[Field]:
    """The fields by which records of an entity can belong to a period."""
    return [one for one in view.fields.values() if one.column and one.type.kind in ("date", "datetime")]


def keys_of(view: EntityView) -> list[Field]:
    """The fields by which a KPI over an entity can be broken down, beside what every KPI knows (unit, person, channel)."""
    usual = ("unit", "owner", "channel", "external_id", view.info.title_field)
    return [one for one in values_of(view) if one.name not in usual]


def numbers_of(view: EntityView) -> list[Field]:
    """The fields that can be summed and averaged."""
    return [one for one in view.fields.values() if one.type.kind in _NUMBERS]


def values_of(view: EntityView) -> list[Field]:
    """The fields whose different values can be counted: the customers of orders."""
    return [one for one in view.fields.values() if one.type.kind in _VALUES]
