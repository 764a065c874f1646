"""The one door for writing records. It validates, checks permission, audits and emits the event in one transaction."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition, EntityView
from trellis.errors import (
    Conflict,
    PermissionRefused,
    PluginError,
    RecordInvalid,
    RecordNotFound,
    StaleVersion,
    TrellisError,
)
from trellis.guard import Stopwatch, TookTooLong, abandon, inside, limited
from trellis.i18n import translator
from trellis.plugins import CORE, Fault
from trellis.records import conditions, schema
from trellis.records.bulk import insert_rows, new_ids
from trellis.records.entity import Field, default_value
from trellis.records.events import Action, BeforeSave, Change, Saved
from trellis.records.lifecycles import check_move
from trellis.records.query import ListQuery, Page, Record
from trellis.records.references import check_references, check_unique, resolve_external
from trellis.records.values import created, decode, difference, encode
from trellis.search.index import is_spoken
from trellis.search.matching import searchable
from trellis.search.vocabulary import learn
from trellis.security.actor import Actor
from trellis.system import Event

_ = translator("trellis")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Write:
    """One record to save: a new one, or changes to the record ``id`` (at ``version``, if the caller knows it)."""

    values: Mapping[str, Any]
    id: int | None = None
    version: int | None = None


class BatchInvalid(RecordInvalid):
    """Some of several writes are not valid; ``failures`` maps the position of a write to its error."""

    def __init__(self, failures: Mapping[int, RecordInvalid]) -> None:
        flat = {
            f"{index}.{field}": msgs
            for index, error in failures.items()
            for field, msgs in error.errors.items()
        }
        super().__init__(flat)
        self.failures = dict(failures)


@dataclass
class _Draft:
    """A write on its way: checked values, and what the record held before."""

    write: Write
    values: dict[str, Any]
    before: dict[str, Any]
    row: Mapping[str, Any]
    id: int | None = None


_Row = tuple[int, int, Mapping[str, Any]]
"""A row to be changed: its id, the version it has now, the columns that change."""


@dataclass(frozen=True)
class _Plan:
    """What every record of an entity is completed with and must have; made once for an edition."""

    defaults: tuple[Field, ...]
    required: tuple[str, ...]


def _plan(edition: Edition, view: EntityView) -> _Plan:
    def make() -> _Plan:
        fields = view.fields.values()
        return _Plan(
            tuple(field for field in fields if field.default is not None),
            tuple(field.name for field in fields if field.always_required and not field.read_only),
        )

    return edition.cached(("plan", view.name), make)  # type: ignore[no-any-return]


class Records:
    """Reads and writes the records of one workspace for one actor, inside the transaction of ``session``.

    ``written`` is what the last :meth:`save` changed; ``faults`` are those of plugins that were called.
    """

    def __init__(self, session: Session, edition: Edition, actor: Actor) -> None:
        self.session = session
        self.edition = edition.whole
        self.actor = actor
        self._seen = actor.sees(edition)
        self.faults: builtins.list[Fault] = []
        self._watch = Stopwatch()
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

    def create(self, entity: str, values: Mapping[str, Any]) -> Record:
        """Writes a new record and returns it. Raises RecordInvalid, PermissionRefused."""
        return self._one(entity, Write(values=values))

    def update(
        self, entity: str, record_id: int, values: Mapping[str, Any], version: int | None = None
    ) -> Record:
        """Changes a record. Raises StaleVersion when ``version`` is given and is not the present one."""
        return self._one(entity, Write(id=record_id, values=values, version=version))

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
        """Saves many records, all or none, with a fixed number of statements for new ones; returns their ids.

        Raises BatchInvalid that names each wrong write, StaleVersion, PermissionRefused, RecordNotFound.
        """
        view = self.edition.entity(entity)
        drafts = self._draft(view, writes)
        created = [draft for draft in drafts if draft.write.id is None]
        updated = [draft for draft in drafts if draft.write.id is not None]
        changes: builtins.list[Change] = []
        try:
            if created:
                changes += self._insert(view, created)
            changes += self._update(view, updated)
        except sa.exc.IntegrityError as error:
            raise Conflict(_("Another record with these values was saved at the same moment")) from error
        self._log(view, changes)
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
            for plugin, function in self.edition.hooks.implementations("trellis_after_commit"):
                call = partial(function, event=event)
                try:
                    call() if plugin == CORE else limited(call)
                except Exception as error:  # a plugin may raise anything; the write is done
                    self.faults.append(Fault.of(plugin, "trellis_after_commit", error))
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
        return self.get(entity, record_id)

    def _draft(self, view: EntityView, writes: Sequence[Write]) -> builtins.list[_Draft]:
        if any(write.id is None for write in writes):
            self.actor.require(view.name, "create")
        current = self._current(view, [write.id for write in writes if write.id is not None], "update")
        failures: dict[int, RecordInvalid] = {}
        drafts: dict[int, _Draft] = {}
        for index, write in enumerate(writes):
            row = current[write.id] if write.id is not None else {}
            if write.version is not None and row.get("version") != write.version:
                raise StaleVersion(row["version"])
            try:
                values = schema.load(self._seen, self._seen.entity(view.name), write.values)
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
        values = {index: draft.values for index, draft in drafts.items()}
        steps: builtins.list[Callable[[], dict[int, RecordInvalid]]] = [
            lambda: resolve_external(self.session, self.edition, self.actor, view, values),
            lambda: self._hosting(
                "trellis_before_save",
                lambda: self._each(drafts, lambda draft: self._complete(view, draft)),
            ),
            lambda: check_references(self.session, self.edition, self.actor, view, values),
            lambda: check_unique(self.session, view, {i: (d.id, d.values) for i, d in drafts.items()}),
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

    def _each(
        self, drafts: Mapping[int, _Draft], check: Callable[[_Draft], None]
    ) -> dict[int, RecordInvalid]:
        failures = {}
        for index, draft in drafts.items():
            try:
                check(draft)
            except RecordInvalid as error:
                failures[index] = error
        return failures

    def _complete(self, view: EntityView, draft: _Draft) -> None:
        new = draft.write.id is None
        plan = _plan(self.edition, view)
        if new:
            for field in plan.defaults:
                if field.name not in draft.values:
                    draft.values[field.name] = default_value(field)
            if draft.values.get("owner") is None and self.actor.user_id is not None and view.name != "user":
                draft.values["owner"] = self.actor.user_id
            if draft.values.get("unit") is None and self.actor.units:
                draft.values["unit"] = self.actor.units[0]
        self._before_save(view, draft, "created" if new else "updated")
        merged = {**draft.before, **draft.values}
        check_move(view, draft.before, merged)
        missing = [name for name in plan.required if merged.get(name) is None]
        missing += conditions.missing(self.edition, self.actor, view, merged)
        if missing:
            raise RecordInvalid({name: [_("This field needs a value")] for name in missing})

    def _before_save(self, view: EntityView, draft: _Draft, action: Action) -> None:
        event = BeforeSave(
            entity=view.name,
            action=action,
            values=draft.values,
            before=draft.before,
            session=self.session,
            edition=self.edition,
            actor=self.actor,
            id=draft.id,
        )
        for plugin, function in self.edition.hooks.implementations("trellis_before_save"):
            self._guarded(plugin, "trellis_before_save", function, event)

    def _guarded(self, plugin: str, hook: str, function: Callable[..., None], event: object) -> None:
        """Calls a hook inside the transaction. What a plugin refuses is an error of the record; a crash is its fault."""
        if plugin == CORE:
            function(event=event)
            return
        try:
            self._watch.start(plugin, hook)
            with inside(self.session):
                function(event=event)
        except TrellisError:
            raise
        except Exception as error:
            self.faults.append(Fault.of(plugin, hook, error))
            raise PluginError(plugin, hook, f"{type(error).__name__}: {error}") from error
        finally:
            self._watch.stop()

    def _hosting(self, hook: str, work: Callable[[], T]) -> T:
        """Does work in which plugins are called: in a thread that is left behind when one of them takes too long."""
        if all(plugin == CORE for plugin, _function in self.edition.hooks.implementations(hook)):
            return work()
        try:
            return limited(work, self._watch)
        except TookTooLong as error:
            plugin, hook = self._watch.at_work or (CORE, hook)
            self.faults.append(Fault.of(plugin, hook, error))
            abandon(self.session)
            raise PluginError(plugin, hook, str(error)) from error

    def _insert(self, view: EntityView, drafts: Sequence[_Draft]) -> builtins.list[Change]:
        table = cast(sa.Table, view.entity.__table__)
        now = datetime.now(UTC)
        stamp: dict[str, Any] = {"created_at": now, "updated_at": now, "created_by_id": self.actor.user_id}
        stamp |= {"updated_by_id": self.actor.user_id, "version": 1}
        encoded = [encode(view, draft.values, {}) for draft in drafts]
        blank: dict[str, Any] = {name: None for columns in encoded for name in columns} | {"extra": {}}
        rows = []
        for draft, columns, record_id in zip(
            drafts, encoded, new_ids(self.session, table, len(drafts)), strict=True
        ):
            draft.id = record_id
            rows.append({**blank, **columns, "id": record_id})
        insert_rows(self.session, table, stamp, rows)
        return [Change(one.id or 0, "created", created(view, one.values)) for one in drafts]

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
        alike: dict[tuple[str, ...], builtins.list[dict[str, Any]]] = {}
        for record_id, version, columns in rows:
            row = {"at_id": record_id, "at_version": version, **stamp, "version": version + 1, **columns}
            alike.setdefault(tuple(sorted(row)), []).append(row)
        here = (table.c.id == sa.bindparam("at_id"), table.c.version == sa.bindparam("at_version"))
        for written in alike.values():
            result = self.session.execute(sa.update(table).where(*here), written)
            if result.rowcount != len(written):  # type: ignore[attr-defined]
                raise StaleVersion(written[0]["version"])

    def _learn(self, view: EntityView, changes: Sequence[Change]) -> None:
        """Tells the vocabulary of the search what was written; its index is kept by the database."""
        spoken = [field.name for field in searchable(view) if is_spoken(field)]
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
        failures = self._hosting(
            "trellis_before_save",
            lambda: self._each(drafts, lambda draft: self._before_save(view, draft, action)),
        )
        if failures:
            raise BatchInvalid({index: self._told(view, error) for index, error in failures.items()})
        moment = datetime.now(UTC) if deleted else None
        self._write_rows(view, [(one, current[one]["version"], {"deleted_at": moment}) for one in versions])
        self._log(view, [Change(one, action, {}) for one in versions])

    def _current(
        self, view: EntityView, ids: Sequence[int], act: Any, *, deleted: bool = False
    ) -> dict[int, Mapping[str, Any]]:
        """The rows to be changed. RecordNotFound for what the actor may not see, PermissionRefused for what it may not change."""
        if not ids:
            return {}
        entity, table = view.entity, view.entity.__table__
        bin_state = entity.deleted_at.is_not(None) if deleted else entity.deleted_at.is_(None)
        statement = sa.select(table, self.actor.visible(entity, act).label("_may"))
        statement = statement.where(entity.id.in_(ids), bin_state, self.actor.visible(entity))
        found = {row["id"]: row for row in self.session.execute(statement).mappings()}
        if set(ids) - found.keys():
            raise RecordNotFound()
        for row in found.values():
            if not row["_may"]:
                raise PermissionRefused()
        return found  # type: ignore[return-value]

    def _log(self, view: EntityView, changes: Sequence[Change]) -> None:
        """Writes the events and tells plugins, still inside the transaction."""
        if not changes:
            return
        common = {
            "at": datetime.now(UTC),
            "actor_id": self.actor.user_id,
            "actor_name": self.actor.name,
            "source": self.actor.source,
            "entity": view.name,
        }
        rows = [
            {"record_id": change.id, "action": change.action, "changes": change.changes} for change in changes
        ]
        insert_rows(self.session, cast(sa.Table, Event.__table__), common, rows)
        self._learn(view, changes)
        event = Saved(
            entity=view.name,
            changes=tuple(changes),
            session=self.session,
            edition=self.edition,
            actor=self.actor,
        )
        self._hosting("trellis_after_save", lambda: self._after_save(event))
        self._committed.append(event)

    def _after_save(self, event: Saved) -> None:
        for plugin, function in self.edition.hooks.implementations("trellis_after_save"):
            self._guarded(plugin, "trellis_after_save", function, event)
