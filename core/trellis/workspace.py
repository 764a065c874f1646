"""A workspace: one organisation's database namespace, its edition, and the way to its records."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import migration
from trellis.composing import compose
from trellis.contributions import Contribution, Manifest
from trellis.database import Namespace, OnConnection
from trellis.edition import Edition, Settings
from trellis.errors import PluginError
from trellis.kpi.own import own_kpis
from trellis.kpi.rates import rated
from trellis.plugins import CORE, Fault, PluginRegistry
from trellis.process.own import own_processes
from trellis.quarantine import keep_faults
from trellis.records import setup
from trellis.records.entity import Field
from trellis.records.events import FOLLOWED
from trellis.scripts.own import own_scripts
from trellis.search import index as search
from trellis.security.actor import SYSTEM, Actor
from trellis.security.roles import own_roles
from trellis.segments.own import own_segments
from trellis.settings.conditions import field_conditions
from trellis.settings.fields import own_fields
from trellis.settings.funnels import own_funnels
from trellis.settings.stages import own_rules
from trellis.system import PluginState, WorkspaceState
from trellis.webhooks import followed, wake
from trellis.workspace_state import enabled_plugins, lock, raise_revision, settings_of

log = logging.getLogger(__name__)

STAGED = frozenset({"stage_rules", "stage_terms", "funnels"})
"""Settings that the log calls stages and funnels."""

_REVISION = sa.select(cast(sa.Table, WorkspaceState.__table__).c.revision)


class Workspace:
    """One customer organisation. Safe to share between threads; sessions are not."""

    def __init__(self, name: str, namespace: Namespace, plugins: PluginRegistry) -> None:
        self.name = name
        self.namespace = namespace
        self.plugins = plugins
        self._edition: Edition | None = None
        self._lock = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading."""
        with self.namespace.read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for writing, committed at the end of the block. Whoever follows what is written is woken then."""
        with self.namespace.write() as session:
            yield session
        if session.info.get(FOLLOWED):
            wake(self)

    def initialise(self, settings: Settings) -> None:
        """Makes the tables and the first state of a new workspace."""
        with self.namespace.connection() as connection:
            self._upgrade(connection, CORE)
            connection.execute(
                sa.insert(WorkspaceState).values(id=1, revision=1, settings=dataclasses.asdict(settings))
            )
            self.keep_search(connection)

    def create_tables(self, connection: sa.Connection, revisions: Mapping[str, str | None]) -> None:
        """Makes the tables of the core and of plugins as they were at these revisions."""
        for owner, revision in sorted(revisions.items(), key=lambda one: (one[0] != CORE, one[0])):
            place = migration.revisions_of(
                owner, None if owner == CORE else self.plugins.load(owner).manifest
            )
            if place is not None and revision is not None:
                migration.upgrade(connection, owner, place, revision)

    def upgrade(self) -> list[str]:
        """Brings the tables of the core and of the enabled plugins up to date; returns what was upgraded."""
        with self.namespace.connection() as connection:
            lock(connection)
            before = self.revisions(connection)
            self._upgrade(connection, CORE)
            for name in connection.scalars(sa.select(PluginState.name).where(PluginState.enabled)):
                self._upgrade(connection, name, self.plugins.load(name).manifest)
            changed = [
                owner
                for owner, revision in self.revisions(connection).items()
                if before.get(owner) != revision
            ]
            if changed:
                raise_revision(connection)
            self.keep_search(connection)
            return changed

    def keep_search(self, connection: sa.Connection) -> None:
        """Makes the search index of entities anew whose fields are others than before."""
        with OnConnection(connection) as session:
            edition = self.compose(session)
        search.keep(connection, edition)

    def behind(self) -> list[str]:
        """The owners whose tables are older than the installed code; empty when all is up to date."""
        with self.read() as session:
            known = self.revisions(session.connection())
            enabled = set(enabled_plugins(session)) | {CORE}
        found = []
        for owner in sorted(enabled):
            revisions = migration.revisions_of(
                owner, None if owner == CORE else self.plugins.load(owner).manifest
            )
            if revisions is not None and known.get(owner) != migration.newest_revision(revisions):
                found.append(owner)
        return found

    def revisions(self, connection: sa.Connection) -> dict[str, str | None]:
        """The Alembic revision of the core and of each plugin known here."""
        owners = [CORE]
        if sa.inspect(connection).has_table(PluginState.__tablename__):
            owners += connection.scalars(sa.select(PluginState.name))
        return {owner: migration.current_revision(connection, owner) for owner in owners}

    def edition(self, session: Session, revision: int | None = None) -> Edition:
        """The edition of this workspace now. Built when the revision has risen, in whatever process that happened.

        ``revision`` is the present one, where the caller has read it in this transaction.
        """
        if revision is None:
            revision = session.scalar(_REVISION)
        known = self._edition
        if known is not None and known.revision == revision:
            return known
        with self._lock:
            if self._edition is None or self._edition.revision != revision:
                self._edition = self.compose(session)
            return self._edition

    def compose(self, session: Session, enabled: Sequence[str] | None = None) -> Edition:
        """Builds the edition, or the one there would be with exactly these plugins ``enabled``."""
        from trellis.checks import CHECKS, READS
        from trellis.kpi.behind import FIGURES

        state = session.get_one(WorkspaceState, 1)
        settings = settings_of(state.settings)
        names = enabled if enabled is not None else enabled_plugins(session)
        manifests, faults = self._load(names)
        own: list[Contribution | Field] = [
            *own_fields(session),
            *own_roles(session),
            *own_segments(session),
            *own_kpis(session),
            *own_processes(session),
            *own_scripts(session),
            *own_rules(settings),
            *own_funnels(settings),
        ]
        edition = compose(
            workspace=self.name,
            revision=state.revision,
            settings=dataclasses.replace(settings, rated=rated(session)),
            manifests=manifests,
            hooks=self.plugins.hooks([manifest.name for manifest in manifests]),
            own=own,
            conditions=field_conditions(session),
            followed=followed(session),
            checks=CHECKS,
            reads=READS,
            figures=FIGURES,
        )
        return dataclasses.replace(edition, faults=(*faults, *edition.faults))

    def record_faults(self, faults: Sequence[Fault]) -> None:
        """Keeps the faults of plugins for the administrator. Never raises: a fault must not become another.

        A plugin that failed too often of late is put into quarantine.
        """
        if not faults:
            return
        try:
            with self.write() as session:
                left_out = keep_faults(session, faults)
            if left_out:
                with self.namespace.connection() as connection:
                    self.keep_search(connection)
        except sa.exc.SQLAlchemyError:
            log.exception("faults of plugins in %s could not be kept", self.name)

    def save_settings(self, session: Session, changes: Mapping[str, Any], actor: Actor = SYSTEM) -> None:
        """Changes the organisation's settings."""
        state = session.get_one(WorkspaceState, 1)
        before = dataclasses.asdict(settings_of(state.settings))
        state.settings = {**state.settings, **changes}
        session.flush()
        after = dataclasses.asdict(settings_of(state.settings))
        for kind, named in (
            (setup.SETTINGS, changes.keys() - STAGED),
            (setup.STAGES, changes.keys() & STAGED),
        ):
            old, new = ({name: one[name] for name in sorted(named & one.keys())} for one in (before, after))
            setup.note(session, actor, kind, old, new)
        raise_revision(session.connection())

    def _load(self, names: Sequence[str]) -> tuple[list[Manifest], list[Fault]]:
        manifests, faults = [], []
        for name in names:
            try:
                manifests.append(self.plugins.load(name).manifest)
            except PluginError as error:
                faults.append(Fault.of(name, error.hook, error))
        return manifests, faults

    def _upgrade(self, connection: sa.Connection, owner: str, manifest: Manifest | None = None) -> None:
        revisions = migration.revisions_of(owner, manifest)
        if revisions is None:
            return
        if migration.current_revision(connection, owner) != migration.newest_revision(revisions):
            migration.upgrade(connection, owner, revisions)
