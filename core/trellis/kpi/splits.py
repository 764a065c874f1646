"""Breaking a KPI down: by unit, person, channel, segment, or the keys of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from trellis.contributions import Kpi, Segment
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import Text, translator
from trellis.kpi.composite import leaves
from trellis.kpi.income import IncomeDay
from trellis.naming import names, titles
from trellis.records.entity import Entity, Field
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.types import Reference
from trellis.security.actor import Actor

_ = translator("trellis")

UNIT, PERSON, CHANNEL, SEGMENT = "unit", "person", "channel", "segment"
LABELS: Mapping[str, Text] = {
    UNIT: _("Unit"),
    PERSON: _("Employee"),
    CHANNEL: _("Channel"),
    SEGMENT: _("Segment"),
}
NOT_SET = _("Not set")
MOST_ROWS = 500
_MOST_PLACES = 24


class SplitUnknown(TrellisError):
    """The KPI cannot be broken down so."""

    code = "breakdown_unknown"

    def __init__(self, kpi: Kpi, by: str, known: list[str]) -> None:
        if known:
            text = _(
                "%(kpi)s cannot be shown by “%(by)s”; choose: %(known)s",
                kpi=kpi.title,
                by=by[:80],
                known=", ".join(known),
            )
        else:
            text = _("%(kpi)s is counted as a whole and cannot be broken down", kpi=kpi.title)
        super().__init__(text)


@dataclass(frozen=True, kw_only=True)
class Split:
    """How a select is broken down: a ``key`` to group by, what it must join for it, and where the titles come from.

    ``field`` is the field of the KPI's entity that holds the key, where a list can be filtered by it; ``label`` is what
    people call the breakdown.
    """

    by: str
    key: Any
    label: Text | str = ""
    conditions: tuple[sa.ColumnElement[bool], ...] = ()
    reference: str | None = None
    titles: Mapping[Any, Text | str] = field(default_factory=dict)
    field: str | None = None

    def title(self, key: Any, name: str | None) -> str:
        """What people read for a key. ``name`` is that of the record it refers to, if the reader may see it."""
        if key is None:
            return str(NOT_SET)
        if self.reference is not None:
            return name or f"#{key}"
        return str(self.titles.get(key, key))


def split_names(edition: Edition, kpi: Kpi) -> list[str]:
    """What a KPI can be broken down by."""
    return list(splits_of(edition, kpi))


def split_of(edition: Edition, kpi: Kpi, by: str) -> Split:
    """The breakdown called ``by``, or :class:`SplitUnknown`."""
    splits = splits_of(edition, kpi)
    if by not in splits:
        raise SplitUnknown(kpi, by, list(splits))
    return splits[by]


def splits_of(edition: Edition, kpi: Kpi) -> dict[str, Split]:
    """All breakdowns of a KPI by their names."""
    if kpi.select is None:
        return _common(edition, kpi)
    if kpi.entity is None:
        return {}
    carrier, conditions = _carrier(edition, kpi)
    found: dict[str, Split] = {}
    for by, name, reference in (
        (UNIT, "unit_id", "unit"),
        (PERSON, "owner_id", "user"),
        (CHANNEL, "channel", None),
    ):
        column = getattr(carrier, name, None)
        if column is not None:
            own = _field_name(column) if carrier is kpi.entity else None
            found[by] = Split(
                by=by,
                key=column,
                label=LABELS[by],
                conditions=conditions,
                reference=reference,
                titles=names(edition, by),
                field=own,
            )
    customer = _customer_key(edition, kpi)
    if customer is not None:
        found[SEGMENT] = _by_segment(edition, customer)
    for by, source in kpi.breakdowns.items():
        split = _declared(edition, kpi, by, source)
        if split is not None:
            found[by] = split
    return found


def _common(edition: Edition, kpi: Kpi) -> dict[str, Split]:
    """What all leaves of a formula can be broken down by."""
    each = [splits_of(edition, one) for one in leaves(edition, kpi)]
    first = each[0] if each else {}
    return {by: split for by, split in first.items() if all(by in other for other in each)}


def _carrier(edition: Edition, kpi: Kpi) -> tuple[Any, tuple[sa.ColumnElement[bool], ...]]:
    """The entity that has unit and owner: that of the KPI, or the customer behind income."""
    if kpi.entity is not IncomeDay:
        return kpi.entity, ()
    customer = edition.entity("customer").entity
    return customer, (customer.id == IncomeDay.customer_id,)


def _customer_key(edition: Edition, kpi: Kpi) -> Any:
    if kpi.entity is edition.entity("customer").entity:
        return kpi.entity.id
    return getattr(kpi.entity, "customer_id", None)


def _by_segment(edition: Edition, customer: Any) -> Split:
    segments = {name: one.title for name, one in edition.all(Segment).items() if one.entity == "customer"}
    member = SEGMENT_MEMBER.c
    conditions = (member.record_id == customer, member.segment.in_(sorted(segments)))
    return Split(
        by=SEGMENT, key=member.segment, label=LABELS[SEGMENT], conditions=conditions, titles=segments
    )


def _declared(edition: Edition, kpi: Kpi, by: str, source: Any) -> Split | None:
    """None where it is by a field that is no more."""
    if isinstance(source, str):
        view = edition.entity(cast(type[Entity], kpi.entity).__entity__.name)
        if source not in view.fields:
            return None
        source = view.fields[source]
    key: Any
    field_type: Any
    own: str | None
    if isinstance(source, Field):
        key, field_type, label = source.of(cast(type[Entity], kpi.entity)), source.type, source.label
        own = source.name
    else:
        declared = _declaration(source)
        key, field_type = source, declared.get("type")
        label = LABELS.get(by) or declared.get("label", by)
        own = field_path(edition, kpi, source)
    if isinstance(field_type, Reference):
        return Split(by=by, key=key, label=label, reference=field_type.entity, field=own)
    return Split(by=by, key=key, label=label, titles=_titles(edition, source), field=own)


def _titles(edition: Edition, source: Any) -> Mapping[Any, Text | str]:
    """What people read for the values of a field, or of the field that a mapped column holds; stages and funnels have names too."""
    if isinstance(source, Field):
        return titles(edition, source)
    info = getattr(source.class_, "__entity__", None) if isinstance(source, InstrumentedAttribute) else None
    view = edition.entities.get(info.name) if info is not None else None
    known = view.fields.get(_field_name(source) or "") if view is not None else None
    if known is not None:
        return titles(edition, known)
    return names(edition, getattr(_declaration(source).get("type"), "names", ""))


def field_path(edition: Edition, kpi: Kpi, column: Any) -> str | None:
    """How a rule on the KPI's entity names a mapped column: ``ordered_at``, or ``order.ordered_at`` through a reference.

    None where it is no field, or more than one reference leads there.
    """
    name = _field_name(column)
    if name is None or kpi.entity is None or column.class_ is kpi.entity:
        return name
    view = edition.entities.get(kpi.entity.__entity__.name) if issubclass(kpi.entity, Entity) else None
    target = column.class_.__entity__.name if issubclass(column.class_, Entity) else None
    if view is None or target is None:
        return None
    ways = [one for one, field in view.references.items() if cast(Reference, field.type).entity == target]
    return f"{ways[0]}.{name}" if len(ways) == 1 else None


def _declaration(column: Any) -> Mapping[str, Any]:
    """How the field that a mapped column holds was declared."""
    if isinstance(column, InstrumentedAttribute):
        return column.property.columns[0].info.get("field") or {}
    return {}


def _field_name(column: Any) -> str | None:
    """The REST name of the field that a mapped column holds."""
    if not isinstance(column, InstrumentedAttribute):
        return None
    return (
        column.key.removesuffix("_id")
        if isinstance(_declaration(column).get("type"), Reference)
        else column.key
    )


def within(
    edition: Edition, kpi: Kpi, statement: sa.Select[Any], by: str, keys: Sequence[Any]
) -> sa.Select[Any]:
    """``statement`` of a KPI limited to some rows of its breakdown ``by``."""
    split = split_of(edition, kpi, by)
    given = [key for key in keys if key is not None]
    of_them = split.key.in_(given)
    if len(given) < len(keys):
        of_them = sa.or_(of_them, split.key.is_(None)) if given else split.key.is_(None)
    return statement.where(*split.conditions, of_them)


def grouped(
    statement: sa.Select[Any], split: Split, edition: Edition, actor: Actor, place: Any = None
) -> sa.Select[Any]:
    """(key, value, name of the record that the key refers to): groups first, then joins names to the few rows left.

    With ``place`` (the index of a period) the groups are those of each period, and ``place`` is the fourth column.
    """
    extra = [] if place is None else [place.label("split_place")]
    keyed = statement.add_columns(split.key.label("split_key"), *extra).where(*split.conditions)
    rows = keyed.group_by(split.key, *(sa.literal_column("split_place") for _one in extra)).subquery("rows")
    value, key, *places = rows.c
    order = (value.desc().nulls_last(), key)
    most = MOST_ROWS if place is None else MOST_ROWS * _MOST_PLACES
    if split.reference is None:
        return sa.select(key, value, sa.null(), *places).order_by(*order).limit(most)
    target = edition.entity(split.reference).entity
    name = getattr(target, target.__entity__.title_field)
    readable = sa.and_(target.id == key, replace(actor, within=()).visible(target))
    named = sa.select(key, value, name, *places).outerjoin_from(rows, target, readable)
    return named.order_by(*order).limit(most)
