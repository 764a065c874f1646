"""What may be chosen in the panel of a process: roles, people, fields, variables, operations, as they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Operation, Process, Role, Segment
from trellis.edition import Edition, EntityView
from trellis.i18n import translator
from trellis.process import assignment, calling, scripts
from trellis.process.diagram import Diagram, DiagramInvalid
from trellis.process.dmn import tables
from trellis.process.elements import PEOPLE
from trellis.process.forms import FormInvalid, form_of
from trellis.process.own import Draft
from trellis.records import types
from trellis.records.expressions import ExpressionInvalid
from trellis.security.people import Position, User

_ = translator("trellis")

MOST = 300
"""People and positions that are offered."""
Option = tuple[str, Any]
NUMBERS = ("number",)


@dataclass(frozen=True)
class Named:
    """Something that a condition may name: its label, and its type where that is known."""

    label: str
    type: types.FieldType | None = None


class Names:
    """What a diagram and its draft may name in one edition. ``diagram`` is None where it cannot be read."""

    def __init__(self, session: Session, edition: Edition, draft: Draft, diagram: Diagram | None) -> None:
        self._session, self.edition = session, edition
        self.draft, self.diagram = draft, diagram

    @property
    def view(self) -> EntityView | None:
        """What the process is about."""
        return self.edition.entities.get(self.draft.entity or "")

    def title_of(self, element: str) -> str:
        """What an element is called."""
        known = self.diagram.elements.get(element) if self.diagram else None
        return known.name if known is not None and known.name else element

    @property
    def roles(self) -> list[Option]:
        return [(name, str(one.title)) for name, one in self.edition.all(Role).items()]

    @cached_property
    def people(self) -> list[Option]:
        """Those who work here, by address."""
        query = sa.select(User.email, User.name).where(User.active, User.deleted_at.is_(None))
        return [(row.email, row.name) for row in self._session.execute(query.order_by(User.name).limit(MOST))]

    @cached_property
    def people_by_id(self) -> list[Option]:
        query = sa.select(User.id, User.name).where(User.active, User.deleted_at.is_(None))
        rows = self._session.execute(query.order_by(User.name).limit(MOST))
        return [(str(row.id), row.name) for row in rows]

    @cached_property
    def positions(self) -> list[str]:
        query = sa.select(Position.name).where(Position.deleted_at.is_(None)).distinct()
        names = self._session.scalars(query.order_by(Position.name).limit(MOST))
        return [one for one in names if "," not in one]

    @property
    def tasks(self) -> list[Option]:
        """The tasks of people in the diagram."""
        found = self.diagram.of_kind(*PEOPLE) if self.diagram else ()
        return [(one.id, one.name or one.id) for one in found]

    def assigned(self) -> Iterator[Option]:
        """For whom a task may be."""
        yield assignment.STARTER, _("Whoever started the process")
        if self.view is not None:
            yield assignment.OWNER, _("The owner of the record")
        yield assignment.RACI, _("Responsibility matrix: who does it (R)")
        yield assignment.ACCOUNTABLE, _("Responsibility matrix: who answers for it (A)")
        for name, title in self.roles:
            yield f"{assignment.ROLE}{name}", _("Role: %(name)s", name=title)
        for name in self.positions:
            yield f"{assignment.POSITION}{name}", _("Position: %(name)s", name=name)
        for email, name in self.people:
            yield f"{assignment.PERSON}{email}", name
        for element, title in self.tasks:
            yield f"{assignment.PERFORMER}{element}", _("Who did “%(task)s”", task=title)

    def fields(self, entity: str | None = None, *, filled: bool = False) -> list[Option]:
        """The fields of records of an entity, or of those the process is about; with ``filled`` those people fill in."""
        view = self.view if entity is None else self.edition.entities.get(entity)
        if view is None:
            return []
        return [(name, str(one.label)) for name, one in view.fields.items() if not (filled and one.read_only)]

    @property
    def operations(self) -> Mapping[str, Operation]:
        return self.edition.all(Operation)

    @property
    def processes(self) -> list[Option]:
        return [(name, str(one.title)) for name, one in self.edition.all(Process).items()]

    @property
    def webhooks(self) -> list[Option]:
        return calling.known(self._session)

    @property
    def entities(self) -> list[Option]:
        known = self.edition.entities.values()
        return sorted(((one.name, str(one.info.title)) for one in known), key=lambda one: one[1].lower())

    @property
    def segments(self) -> list[Option]:
        """The segments of what the process is about."""
        known = self.edition.all(Segment).items()
        return [(name, str(one.title)) for name, one in known if one.entity == self.draft.entity]

    def stages(self, entity: str | None) -> list[Option]:
        """The stages of records of an entity, or of those the process is about."""
        view = self.edition.entities.get(entity or self.draft.entity or "")
        lifecycles = view.lifecycles if view else ()
        return list(
            {
                stage.value: (stage.value, str(stage.title)) for one in lifecycles for stage in one.stages
            }.values()
        )

    def values(self, entity: str | None, field: str) -> list[Option]:
        """The values that a field of an entity has to choose from."""
        view = self.edition.entities.get(entity or self.draft.entity or "")
        known = view.fields.get(field) if view else None
        if known is not None and isinstance(known.type, types.Choice):
            return [(one.value, str(one.label)) for one in known.type.options]
        staged = view is not None and any(one.field == field for one in view.lifecycles)
        return self.stages(entity) if staged else []

    @property
    def lines(self) -> list[Option]:
        """The records that refer to those the process is about, by their reference."""
        found = self.edition.referring(self.draft.entity) if self.draft.entity else ()
        return [(f"{view.name}.{one.name}", f"{view.info.plural}: {one.label}") for view, one in found]

    @property
    def tables(self) -> list[Option]:
        """The decision tables in the file."""
        try:
            known = tables(self.diagram.text) if self.diagram else {}
        except DiagramInvalid:
            return []
        return [(name, name) for name in known]

    @cached_property
    def named(self) -> dict[str, Named]:
        """What conditions may name: variables of the diagram, and fields of the record."""
        found: dict[str, Named] = {}
        for element in self.diagram.elements.values() if self.diagram else ():
            for name in scripts.variables(element):
                found.setdefault(name, Named(name))
            try:
                own = form_of(element).own
            except (FormInvalid, ExpressionInvalid):
                continue
            found |= {name: Named(str(one.label), one.type) for name, one in own.items()}
        for name, one in (self.view.fields if self.view else {}).items():
            found[f"record.{name}"] = Named(
                f"{self.view.info.title}: {one.label}" if self.view else "", one.type
            )
        return found
