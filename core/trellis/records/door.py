"""The one door for writing records. It validates, checks permission, audits and emits the event in one transaction."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Scope
from trellis.edition import Edition, EntityView
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound, StaleVersion
from trellis.i18n import translator
from trellis.records import conditions, exits, numbering, schema
from trellis.records.bulk import change_rows, insert_beside, insert_row, insert_rows, new_ids, rows_by
from trellis.records.entity import default_value
from trellis.records.events import FOLLOWED, Action, BeforeSave, Beside, Change, Saved
from trellis.records.journal import EVENTS, keep, signed
from trellis.records.lifecycles import check_move
from trellis.records.plan import Plan, plan_of
from trellis.records.query import ListQuery, Page, Record
from trellis.records.references import check_references, check_unique, resolve_external
from trellis.records.telling import Telling
from trellis.records.trees import check_circles
from trellis.records.values import created, decode, difference, encode
from trellis.records.writes import BatchInvalid, Write
from trellis.search.vocabulary import learn
from trellis.security.actor import Act, Actor

_ = translator("trellis")

__all__ = ["BatchInvalid", "Records", "Write"]


@dataclass
class _Draft:
    """A write on its way: checked values, and what the record held before."""

    write: Write
    values: dict[str, Any]
    before: dict[str, Any]
    row: Mapping[str, Any]
    id: int | None = None
    beside: list[Beside] = field(default_factory=list)


_Row = tuple[int, int, Mapping[str, Any]]
"""A row to be changed: its id, the version it has now, the columns that change."""


class Records:
    """Reads and writes the records of one workspace for one actor, inside the transaction of ``session``.

    ``written`` is what the last :meth:`save` changed; ``faults`` are those of plugins that were called.
    """

    def __init__(self, session: Session, edition: Edition, actor: Actor) -> None:
        self.session = session
        self.edition = edition.whole
        self.actor = actor
        self._seen = actor.sees(edition)
        self._telling = Telling(session, self.edition)
        self.faults = self._telling.faults
        self.written: builtins.list[Change] = []
        self._committed: builtins.list[Saved] = []

    # --- Reading ---

    def list(self, entity: str, **options: Any) -> Page:
        """One page of records; the options are those of :class:`ListQuery` (rule, sort, fields, text, limit, cursor)."""
        self.actor.require(entity, "read")
        return ListQuery(self.edition.entity(entity), self.edition, self.actor, **options).page(self.session)

    def count(self, entity: str, *, rule: Mapping[str, Any] | None = None, text: str | None = None) -> int:
        """How many records of ``entity`` the actor may see, under ``rule``."""
        self.actor.require(entity, "read")
        query = ListQuery(self.edition.entity(entity), self.edition, self.actor, rule=rule, text=text)
        return query.count(self.session)

    def get(self, entity: str, record_id: int, *, deleted: bool = False) -> Record:
        """One record, or :class:`RecordNotFound` (also when the actor may not see it)."""
        view = self.edition.entity(entity)
        if not self.actor.may(entity, "read"):
            raise RecordNotFound()
        found = ListQuery(view, self.edition, self.actor, ids=[record_id], deleted=deleted, limit=1).page(
            self.session
        )
        if not found.items:
            raise RecordNotFound()
        return found.items[0]

    # --- Writing ---

    def create(
        self, entity: str, values: Mapping[str, Any], kept: Mapping[str, Any] = MappingProxyType({})
    ) -> Record:
        """Writes a new record and returns it. Raises RecordInvalid, PermissionRefused."""
        return self._one(entity, Write(values=values, kept=kept))

    def update(
        self,
        entity: str,
        record_id: int,
        values: Mapping[str, Any],
        version: int | None = None,
        kept: Mapping[str, Any] = MappingProxyType({}),
    ) -> Record:
        """Changes a record. Raises StaleVersion when ``version`` is given and is not the present one."""
        return self._one(entity, Write(id=record_id, values=values, version=version, kept=kept))

    def move(
        self,
        entity: str,
        record_id: int,
        stage: str,
        values: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> Record:
        """Moves a record to another stage of its lifecycle, with the values that the stage asks for."""
        lifecycle = self.edition.entity(entity).lifecycle(self.get(entity, record_id).values)
        if lifecycle is None:
            raise Conflict(_("This record has no stages"))
        return self.update(entity, record_id, {**(values or {}), lifecycle.field: stage}, version)

    def save(self, entity: str, writes: Sequence[Write]) -> builtins.list[int]:
        """Saves many records, all or none, new ones by few statements however many they are; returns their ids.

        Raises BatchInvalid that names each wrong write, StaleVersion, PermissionRefused, RecordNotFound.
        """
        view = self.edition.entity(entity)
        drafts = self._draft(view, writes)
        created = [draft for draft in drafts if draft.write.id is None]
        updated = [draft for draft in drafts if draft.write.id is not None]
        changes: builtins.list[Change] = []
        try:
            if len(drafts) == len(created) == 1:
                changes = [self._insert_one(view, drafts[0])]
            elif created:
                changes = self._insert(view, created)
            if updated:
                changes += self._moved_on(view, drafts)
        except sa.exc.IntegrityError as error:
            raise Conflict(_("Another record with these values was saved at the same moment")) from error
        if len(drafts) > 1 or updated:
            keep(self.session, self.actor, view.name, changes)
        self._announce(view, changes)
        self.written = changes
        return [draft.id for draft in drafts if draft.id is not None]

    def delete(self, entity: str, record_id: int, version: int | None = None) -> None:
        """Moves a record to the bin."""
        self._bin_one(entity, record_id, version, deleted=True)

    def delete_many(self, entity: str, ids: Sequence[int]) -> None:
        """Moves many records to the bin, all or none. Raises BatchInvalid that names each that a plugin keeps."""
        self._bin(entity, dict.fromkeys(ids), deleted=True)

    def restore(self, entity: str, record_id: int) -> Record:
        """Brings a record back from the bin."""
        self._bin_one(entity, record_id, None, deleted=False)
        return self.get(entity, record_id)

    def restore_many(self, entity: str, ids: Sequence[int]) -> None:
        """Brings many records back from the bin, all or none. Raises BatchInvalid as :meth:`delete_many`."""
        self._bin(entity, dict.fromkeys(ids), deleted=False)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All that is written inside, or nothing of it when an error ends it."""
        told = len(self._committed)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self._committed[told:]
            raise

    def committed(self) -> None:
        """Tells plugins what was committed. The face calls it after the transaction; a fault changes nothing."""
        for event in self._committed:
            self._telling.committed(event)
        self._committed.clear()

    def take_over(self, other: Records) -> None:
        """Tells plugins, after the commit, what was written by another door in the same transaction."""
        self._committed += other._committed
        self.faults += other.faults
        other._committed.clear()

    def tell(self, entity: str, changes: Sequence[Change]) -> None:
        """Puts changes that an engine made by itself into the log, and tells plugins of them."""
        self._log(self.edition.entity(entity), changes)

    # --- Steps of a write ---

    def _one(self, entity: str, write: Write) -> Record:
        try:
            (record_id,) = self.save(entity, [write])
        except BatchInvalid as error:
            raise RecordInvalid(error.failures[0].errors) from None
        return self._written_last(entity, record_id)

    def _written_last(self, entity: str, record_id: int) -> Record:
        """A record that was just written; also where it was given away, out of the actor's sight."""
        grant = self.actor.grants.get(entity) or self.actor.grants.get("*")
        try:
            return self.get(entity, record_id)
        except RecordNotFound:
            if grant is None or not self.actor.may(entity, "read"):
                raise
        grants = {**self.actor.grants, entity: replace(grant, entity=entity, read=Scope.ALL)}
        wider = replace(self.actor, grants=grants, within=())
        query = ListQuery(self.edition.entity(entity), self.edition, wider, ids=[record_id], limit=1)
        found = query.page(self.session).items
        if not found:
            raise RecordNotFound()
        return found[0]

    def _draft(self, view: EntityView, writes: Sequence[Write]) -> builtins.list[_Draft]:
        if any(write.id is None for write in writes):
            self.actor.require(view.name, "create")
        current = self._current(view, [write.id for write in writes if write.id is not None], "update")
        failures: dict[int, RecordInvalid] = {}
        drafts: dict[int, _Draft] = {}
        seen = self._seen.entity(view.name)
        for index, write in enumerate(writes):
            row = current[write.id] if write.id is not None else {}
            if write.version is not None and row.get("version") != write.version:
                raise StaleVersion(row["version"])
            try:
                values = schema.load(self._seen, seen, write.values)
                values.update(write.kept)
                before = decode(view, row) if row else {}
                drafts[index] = _Draft(write, values, before, row, write.id)
            except RecordInvalid as error:
                failures[index] = error
        self._check(view, drafts, failures)
        if failures:
            raise BatchInvalid(failures)
        return list(drafts.values())

    def _check(self, view: EntityView, drafts: dict[int, _Draft], failures: dict[int, RecordInvalid]) -> None:
        """The checks of whole records: references, defaults, plugins, stages, required fields, uniqueness."""
        plan = plan_of(self.edition, view)
        values = {index: draft.values for index, draft in drafts.items()}
        given = {index: draft.values for index, draft in drafts.items() if draft.write.values}
        steps: builtins.list[Callable[[], dict[int, RecordInvalid]]] = [
            lambda: resolve_external(self.session, self.edition, self.actor, plan, given),
            lambda: self._complete(view, plan, drafts),
            lambda: check_references(self.session, self.edition, self.actor, plan, values),
            lambda: check_unique(self.session, view, plan, {i: (d.id, d.values) for i, d in drafts.items()}),
            lambda: check_circles(self.session, view, {i: (d.id, d.values) for i, d in drafts.items()}),
        ]
        for step in steps:
            found = step()
            failures.update({index: self._told(view, error) for index, error in found.items()})
            for index in found:
                drafts.pop(index, None)
                values.pop(index, None)

    def _told(self, view: EntityView, error: RecordInvalid) -> RecordInvalid:
        """The error without the fields that are withheld from the actor."""
        hidden = view.fields.keys() - self._seen.entity(view.name).fields.keys()
        told = {name: found for name, found in error.errors.items() if name not in hidden}
        if len(told) < len(error.errors):
            told["_record"] = [_("This needs a value in a field that your role does not open")]
        return RecordInvalid(told)

    def _complete(
        self, view: EntityView, plan: Plan, drafts: Mapping[int, _Draft]
    ) -> dict[int, RecordInvalid]:
        """Fills in defaults, asks plugins, and looks whether what is there now is a whole record."""
        new = [draft.values for draft in drafts.values() if draft.id is None]
        for values in new:
            self._fill_in(view, plan, values)
        if view.info.numbered:
            numbering.give(self.session, view, new)
        refused = self._ask(view, drafts)
        conditional = conditions.missing(self.edition, self.actor, view)
        for index, draft in drafts.items():
            if index in refused:
                continue
            merged = {**draft.before, **draft.values} if draft.before else draft.values
            missing = [name for name in plan.required if merged.get(name) is None]
            missing += conditional(merged)
            try:
                check_move(view, draft.before, merged)
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
        if values.get("owner") is None and self.actor.user_id is not None and view.name != "user":
            values["owner"] = self.actor.user_id
        if values.get("unit") is None and self.actor.units:
            values["unit"] = self.actor.units[0]

    def _ask(
        self, view: EntityView, drafts: Mapping[int, _Draft], action: Action | None = None
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
                session=self.session,
                edition=self.edition,
                actor=self.actor,
                id=draft.id,
                beside=draft.beside,
                taken=taken,
            )
            for index, draft in drafts.items()
        }
        return self._telling.before_save(view.name, events)

    def _insert(self, view: EntityView, drafts: Sequence[_Draft]) -> builtins.list[Change]:
        table = cast(sa.Table, view.entity.__table__)
        encoded = [encode(view, draft.values, {}) for draft in drafts]
        ids = new_ids(self.session, table, len(drafts))
        for draft, columns, record_id in zip(drafts, encoded, ids, strict=True):
            draft.id = columns["id"] = record_id
        insert_rows(self.session, table, {**self._stamp(), "extra": {}}, encoded)
        insert_beside(self.session, [(one.id or 0, beside) for one in drafts for beside in one.beside])
        forms = plan_of(self.edition, view).forms
        return [Change(one.id or 0, "created", created(forms, one.values)) for one in drafts]

    def _insert_one(self, view: EntityView, draft: _Draft) -> Change:
        """Writes a new record together with its event and what plugins put beside it."""
        table = cast(sa.Table, view.entity.__table__)
        row = {**self._stamp(), "extra": {}, **encode(view, draft.values, {})}
        changes = created(plan_of(self.edition, view).forms, draft.values)
        event = {**signed(self.actor, view.name), "action": "created", "changes": changes}
        beside = [*draft.beside, Beside(EVENTS, "record_id", event)]
        draft.id = insert_row(self.session, table, row, beside)
        return Change(draft.id, "created", changes)

    def _stamp(self) -> dict[str, Any]:
        """What all new records have in common."""
        now, me = datetime.now(UTC), self.actor.user_id
        return {"created_at": now, "updated_at": now, "created_by_id": me, "updated_by_id": me, "version": 1}

    def _moved_on(self, view: EntityView, drafts: Sequence[_Draft]) -> builtins.list[Change]:
        """Changes records; nothing of it when one leaves a stage whose exit rule it does not fit."""
        updated = {place: draft for place, draft in enumerate(drafts) if draft.write.id is not None}
        moves = (
            (place, one.write.id or 0, one.before, {**one.before, **one.values})
            for place, one in updated.items()
        )
        left = exits.leaving(view, moves)
        if not left:
            return self._update(view, list(updated.values()))
        with self.whole():
            changes = self._update(view, list(updated.values()))
            failures = exits.refused(self.session, self.edition, self.actor, view, left)
            if failures:
                raise BatchInvalid({place: self._told(view, one) for place, one in failures.items()})
        return changes

    def _update(self, view: EntityView, drafts: Sequence[_Draft]) -> builtins.list[Change]:
        rows: builtins.list[_Row] = []
        changes: builtins.list[Change] = []
        for draft in drafts:
            changed = difference(view, draft.before, draft.values)
            if not changed or draft.id is None:
                continue
            columns = encode(view, {name: draft.values[name] for name in changed}, draft.row["extra"] or {})
            rows.append((draft.id, draft.row["version"], columns))
            changes.append(Change(draft.id, "updated", changed))
        self._write_rows(view, rows)
        return changes

    def _write_rows(self, view: EntityView, rows: Sequence[_Row]) -> None:
        """Changes rows at the versions that were read: one statement, run many times, for each set of columns."""
        table = cast(sa.Table, view.entity.__table__)
        stamp = {"updated_at": datetime.now(UTC), "updated_by_id": self.actor.user_id}
        alike: dict[tuple[str, ...], builtins.list[_Row]] = {}
        for record_id, version, columns in rows:
            row = {**stamp, "version": version + 1, **columns}
            alike.setdefault(tuple(sorted(row)), []).append((record_id, version, row))
        for written in alike.values():
            if change_rows(self.session, table, written) != len(written):
                raise StaleVersion(written[0][1] + 1)

    def _learn(self, view: EntityView, changes: Sequence[Change]) -> None:
        """Tells the vocabulary of the search what was written; its index is kept by the database."""
        spoken = plan_of(self.edition, view).spoken
        written = [change.changes[name][1] for change in changes for name in spoken if name in change.changes]
        known: set[str] = self.edition.cached("search words", set)
        learn(self.session, [text for text in written if text], known)

    def _bin_one(self, entity: str, record_id: int, version: int | None, *, deleted: bool) -> None:
        try:
            self._bin(entity, {record_id: version}, deleted=deleted)
        except BatchInvalid as error:
            raise RecordInvalid(error.failures[0].errors) from None

    def _bin(self, entity: str, versions: Mapping[int, int | None], *, deleted: bool) -> None:
        view = self.edition.entity(entity)
        current = self._current(view, list(versions), "delete", deleted=not deleted)
        action: Action = "deleted" if deleted else "restored"
        drafts = {}
        for index, (record_id, version) in enumerate(versions.items()):
            row = current[record_id]
            if version is not None and row["version"] != version:
                raise StaleVersion(row["version"])
            drafts[index] = _Draft(Write(values={}), {}, decode(view, row), row, record_id)
        failures = self._ask(view, drafts, action)
        if failures:
            raise BatchInvalid({index: self._told(view, error) for index, error in failures.items()})
        moment = datetime.now(UTC) if deleted else None
        self._write_rows(view, [(one, current[one]["version"], {"deleted_at": moment}) for one in versions])
        self._log(view, [Change(one, action, {}) for one in versions])

    def _current(
        self, view: EntityView, ids: Sequence[int], act: Act, *, deleted: bool = False
    ) -> dict[int, Mapping[str, Any]]:
        """The rows to be changed. RecordNotFound for what the actor may not see, PermissionRefused for what it may not change."""
        if not ids:
            return {}
        table = cast(sa.Table, view.entity.__table__)
        columns = [table.c.id, *(column for column in table.columns if column is not table.c.id)]
        keys = [column.key for column in columns]
        rows = [dict(zip(keys, values, strict=True)) for values in rows_by(self.session, columns, ids)]
        found: dict[int, Mapping[str, Any]] = {
            row["id"]: row
            for row in rows
            if (row["deleted_at"] is not None) == deleted and self._sees(view, row, "read")
        }
        if set(ids) - found.keys():
            raise RecordNotFound()
        for row in found.values():
            if not self._sees(view, row, act):
                raise PermissionRefused()
        return found

    def _sees(self, view: EntityView, row: Mapping[str, Any], act: Act) -> bool:
        """The row is in the actor's scope."""
        unit = row["id"] if view.name == "unit" else row["unit_id"]
        return self.actor.reaches(view.name, act, {"id": row["id"], "owner": row["owner_id"], "unit": unit})

    def _log(self, view: EntityView, changes: Sequence[Change]) -> None:
        """Writes the events and tells plugins, still inside the transaction."""
        keep(self.session, self.actor, view.name, changes)
        self._announce(view, changes)

    def _announce(self, view: EntityView, changes: Sequence[Change]) -> None:
        """Tells the search and plugins what was written."""
        if not changes:
            return
        if self.edition.followed:
            self.session.info[FOLLOWED] = True
        self._learn(view, changes)
        event = Saved(
            entity=view.name,
            changes=tuple(changes),
            session=self.session,
            edition=self.edition,
            actor=self.actor,
        )
        self._telling.after_save(event)
        self._committed.append(event)
