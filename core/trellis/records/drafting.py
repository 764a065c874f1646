"""From what is asked to be written to drafts of whole records that passed every check."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from trellis.edition import Edition, EntityView
from trellis.errors import RecordInvalid, StaleVersion
from trellis.i18n import translator
from trellis.records import conditions, numbering, schema
from trellis.records.current import current_rows
from trellis.records.entity import default_value
from trellis.records.events import Action, BeforeSave, Beside
from trellis.records.lifecycles import check_move
from trellis.records.plan import Plan, plan_of
from trellis.records.references import check_references, check_unique, resolve_external
from trellis.records.telling import Telling
from trellis.records.trees import check_circles
from trellis.records.values import decode
from trellis.records.writes import BatchInvalid, Write
from trellis.security.actor import Actor

_ = translator("trellis")


@dataclass
class Draft:
    """A write on its way: checked values, and what the record held before."""

    write: Write
    values: dict[str, Any]
    before: dict[str, Any]
    row: Mapping[str, Any]
    id: int | None = None
    beside: list[Beside] = field(default_factory=list)


class Drafting:
    """Makes drafts for one actor; ``seen`` is the edition without what they may not read."""

    def __init__(self, session: Session, actor: Actor, seen: Edition, telling: Telling) -> None:
        self._session = session
        self._actor = actor
        self._seen = seen
        self._edition = seen.whole
        self._telling = telling

    def checked(self, view: EntityView, writes: Sequence[Write]) -> list[Draft]:
        """Drafts of writes, all of them right. Raises BatchInvalid that names each wrong one, StaleVersion, PermissionRefused, RecordNotFound."""
        if any(write.id is None for write in writes):
            self._actor.require(view.name, "create")
        current = current_rows(
            self._session, self._actor, view, [write.id for write in writes if write.id is not None], "update"
        )
        failures: dict[int, RecordInvalid] = {}
        drafts: dict[int, Draft] = {}
        seen = self._seen.entity(view.name)
        for index, write in enumerate(writes):
            row = current[write.id] if write.id is not None else {}
            if write.version is not None and row.get("version") != write.version:
                raise StaleVersion(row["version"])
            try:
                values = schema.load(self._seen, seen, write.values)
                values.update(write.kept)
                before = decode(view, row) if row else {}
                drafts[index] = Draft(write, values, before, row, write.id)
            except RecordInvalid as error:
                failures[index] = error
        self._check(view, drafts, failures)
        if failures:
            raise BatchInvalid(failures)
        return list(drafts.values())

    def _check(self, view: EntityView, drafts: dict[int, Draft], failures: dict[int, RecordInvalid]) -> None:
        """The checks of whole records: references, defaults, plugins, stages, required fields, uniqueness."""
        plan = plan_of(self._edition, view)
        values = {index: draft.values for index, draft in drafts.items()}
        given = {index: draft.values for index, draft in drafts.items() if draft.write.values}

        def written() -> dict[int, tuple[int | None, dict[str, Any]]]:
            return {index: (draft.id, draft.values) for index, draft in drafts.items()}

        steps: list[Callable[[], dict[int, RecordInvalid]]] = [
            lambda: resolve_external(self._session, self._edition, self._actor, plan, given),
            lambda: self._complete(view, plan, drafts),
            lambda: check_references(self._session, self._edition, self._actor, plan, values),
            lambda: check_unique(self._session, self._seen, self._actor, plan, view, written()),
            lambda: check_circles(self._session, view, written()),
        ]
        for step in steps:
            found = step()
            failures.update({index: self.told(view, error) for index, error in found.items()})
            for index in found:
                drafts.pop(index, None)
                values.pop(index, None)

    def told(self, view: EntityView, error: RecordInvalid) -> RecordInvalid:
        """The error without the fields that are withheld from the actor."""
        hidden = view.fields.keys() - self._seen.entity(view.name).fields.keys()
        told = {name: found for name, found in error.errors.items() if name not in hidden}
        if len(told) < len(error.errors):
            told["_record"] = [_("This needs a value in a field that your role does not open")]
        return RecordInvalid(told)

    def _complete(
        self, view: EntityView, plan: Plan, drafts: Mapping[int, Draft]
    ) -> dict[int, RecordInvalid]:
        """Fills in defaults, asks plugins, and looks whether what is there now is a whole record."""
        new = [draft.values for draft in drafts.values() if draft.id is None]
        for values in new:
            self._fill_in(view, plan, values)
        if view.info.numbered:
            numbering.give(self._session, view, new)
        refused = self.ask(view, drafts)
        conditional = conditions.missing(self._edition, self._actor, view)
        imported = self._actor.source == "import"
        for index, draft in drafts.items():
            if index in refused:
                continue
            merged = {**draft.before, **draft.values} if draft.before else draft.values
            missing = [name for name in plan.required if merged.get(name) is None]
            missing += conditional(merged)
            try:
                check_move(view, draft.before, merged, told=imported and draft.id is None)
            except RecordInvalid as error:
                refused[index] = error
            else:
                if missing:
                    refused[index] = RecordInvalid(
                        {name: [_("This field needs a value")] for name in missing}
                    )
        return refused

    def _fill_in(self, view: EntityView, plan: Plan, values: dict[str, Any]) -> None:
        """What a new record has where nothing is given."""
        for one in plan.defaults:
            if one.name not in values:
                values[one.name] = default_value(one)
        if values.get("owner") is None and self._actor.user_id is not None and view.name != "user":
            values["owner"] = self._actor.user_id
        if values.get("unit") is None and self._actor.units:
            values["unit"] = self._actor.units[0]

    def ask(
        self, view: EntityView, drafts: Mapping[int, Draft], action: Action | None = None
    ) -> dict[int, RecordInvalid]:
        """Asks plugins about records that are about to be written; by default created or updated."""
        if not self._telling.is_asked(view.name):
            return {}
        taken: set[Hashable] = set()
        events = {
            index: BeforeSave(
                entity=view.name,
                action=action or ("created" if draft.id is None else "updated"),
                values=draft.values,
                before=draft.before,
                session=self._session,
                edition=self._edition,
                actor=self._actor,
                id=draft.id,
                beside=draft.beside,
                taken=taken,
            )
            for index, draft in drafts.items()
        }
        return self._telling.before_save(view.name, events)
