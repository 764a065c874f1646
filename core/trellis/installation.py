"""An installation: the control database, the installed plugins, and the way into each workspace."""

from __future__ import annotations

import fcntl
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from trellis import migration
from trellis.config import Config
from trellis.control import WorkspaceEntry
from trellis.crm import register
from trellis.database import Namespace, namespace_number, postgresql_engine, sqlite_engine
from trellis.edition import Settings
from trellis.errors import Conflict, RecordInvalid, WorkspaceNotFound
from trellis.i18n import LANGUAGES, Text, translator
from trellis.jobs.bells import Bell, FileBell, ListenBell
from trellis.journeys.checking import sending_faults
from trellis.plugins import PluginRegistry
from trellis.workspace import Workspace

_ = translator("trellis")

MAKERS = 7_355_436
"""Class of the advisory locks of PostgreSQL under which workspaces are made, beside that of their writers."""
_CONTROL_SCHEMA = "trellis_control"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_RESERVED = frozenset({"api", "static", "healthz", "readyz", "metrics", "login", "logout", "s"})


class Installation:
    """Everything that one server process knows. Made once by the command line or the application factory."""

    def __init__(self, config: Config, plugins: PluginRegistry | None = None) -> None:
        self.config = config
        self.plugins = plugins or PluginRegistry()
        register(self.plugins)
        self._workspaces: dict[str, Workspace] = {}
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        config.home.mkdir(parents=True, exist_ok=True)
        self.control = self._open_control()

    def workspace(self, name: str) -> Workspace:
        """The workspace of that name, or :class:`WorkspaceNotFound`."""
        with self._lock:
            known = self._workspaces.get(name)
        if known is not None:
            return known
        with self.control.read() as session:
            if session.get(WorkspaceEntry, name) is None:
                raise WorkspaceNotFound(name)
        return self._remember(Workspace(name, self._namespace(name), self.plugins))

    def workspaces(self) -> list[WorkspaceEntry]:
        """All workspaces, by name."""
        with self.control.read() as session:
            entries = list(session.scalars(sa.select(WorkspaceEntry).order_by(WorkspaceEntry.name)))
            session.expunge_all()
            return entries

    def create_workspace(self, name: str, settings: Settings) -> Workspace:
        """Creates and migrates a workspace. Raises RecordInvalid for a bad name or setting, Conflict if it exists."""
        check_settings(name, settings)
        with self.new_workspace(name, settings.title or name) as workspace:
            workspace.initialise(settings)
        return workspace

    @contextmanager
    def new_workspace(self, name: str, title: str) -> Iterator[Workspace]:
        """A place for a workspace, to be filled inside the block; it exists when the block ends, and leaves nothing if
        that raises. Raises RecordInvalid for a bad name, Conflict if there is one of that name, or one is being made.
        """
        self.require_free(name)
        with self._alone(name):
            self.require_free(name)
            self._drop(name)  # what the making of one left that was killed
            workspace = Workspace(name, self._namespace(name, create=True), self.plugins)
            try:
                yield workspace
                with self.control.write() as session:
                    session.add(WorkspaceEntry(name=name, title=title))
            except BaseException:
                workspace.namespace.dispose()
                self._drop(name)
                raise
        self._remember(workspace)

    def require_free(self, name: str) -> None:
        """Raises RecordInvalid unless a workspace may be called so, Conflict if one is."""
        problem = _name_problem(name)
        if problem:
            raise RecordInvalid({"name": [problem]})
        if any(entry.name == name for entry in self.workspaces()):
            raise Conflict(_("There is a workspace “%(name)s” already", name=name))

    def delete_workspace(self, name: str) -> None:
        """Deletes a workspace with all its data."""
        workspace = self.workspace(name)
        with self.control.write() as session:
            session.delete(session.get_one(WorkspaceEntry, name))
        with self._lock:
            self._workspaces.pop(name, None)
        workspace.namespace.dispose()
        self._drop(name)
        shutil.rmtree(self.archives(name), ignore_errors=True)

    def archives(self, name: str) -> Path:
        """The folder of what plugins left that were purged from a workspace by its pages; a workspace of that name that comes
        later finds none."""
        return self.config.home / "archives" / name

    def sqlite_path(self, name: str) -> Path:
        """The file of a workspace on SQLite."""
        return self.config.home / "workspaces" / f"{name}.db"

    def bell(self) -> Bell:
        """What tells a worker of jobs that some workspace may have something to do."""
        if self.config.on_postgresql:
            return ListenBell(self.config.database_url, _schema(""))
        return FileBell(self.sqlite_path("").parent)

    def close(self) -> None:
        """Closes all connections."""
        with self._lock:
            for workspace in self._workspaces.values():
                workspace.namespace.dispose()
            self._workspaces.clear()
        self.control.dispose()
        if self._engine is not None:
            self._engine.dispose()

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Lets one process at a time make a workspace of this name; the lock of one that is killed is gone with it."""
        busy = Conflict(_("A workspace “%(name)s” is being made", name=name))
        if self.config.on_postgresql:
            key = namespace_number(_schema(name))
            with self._postgresql().connect() as made:
                connection = made.execution_options(isolation_level="AUTOCOMMIT")
                if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(MAKERS, key))):
                    raise busy
                try:
                    yield
                finally:
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(MAKERS, key)))
            return
        path = self.config.home / "locks" / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise busy from None
            yield

    def _drop(self, name: str) -> None:
        """Removes the tables of a workspace, if there are any."""
        if self.config.on_postgresql:
            with self._postgresql().begin() as connection:
                connection.execute(sa.schema.DropSchema(_schema(name), cascade=True, if_exists=True))
        else:
            for suffix in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    self.sqlite_path(name).with_name(f"{name}.db{suffix}").unlink()

    def _remember(self, workspace: Workspace) -> Workspace:
        with self._lock:
            return self._workspaces.setdefault(workspace.name, workspace)

    def _namespace(self, name: str, *, create: bool = False) -> Namespace:
        if not self.config.on_postgresql:
            path = self.sqlite_path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            return Namespace(sqlite_engine(path))
        if create:
            with self._postgresql().begin() as connection:
                connection.execute(sa.schema.CreateSchema(_schema(name), if_not_exists=True))
        return Namespace(self._postgresql(), _schema(name))

    def _open_control(self) -> Namespace:
        if self.config.on_postgresql:
            with self._postgresql().begin() as connection:
                connection.execute(sa.schema.CreateSchema(_CONTROL_SCHEMA, if_not_exists=True))
            control = Namespace(self._postgresql(), _CONTROL_SCHEMA)
        else:
            control = Namespace(sqlite_engine(self.config.home / "control.db"))
        revisions = migration.revisions_of("control")
        assert revisions is not None
        with control.read() as session:
            current = migration.current_revision(session.connection(), "control")
        if current != migration.newest_revision(revisions):
            with control.connection() as connection:
                migration.upgrade(connection, "control", revisions)
        return control

    def _postgresql(self) -> Engine:
        if self._engine is None:
            self._engine = postgresql_engine(self.config.database_url)
        return self._engine


def _schema(name: str) -> str:
    return f"ws_{name}"


def _name_problem(name: str) -> Text | None:
    """Why a workspace cannot be called so."""
    if name in _RESERVED:
        return _("“%(name)s” is an address of Trellis itself; choose another name", name=name)
    if _NAME.fullmatch(name):
        return None
    return _("Use 1 to 40 small latin letters, digits, - and _, starting with a letter")


def check_settings(name: str, settings: Settings) -> None:
    """Raises RecordInvalid that names each bad setting of the workspace ``name``, and the way to mend it."""
    from zoneinfo import available_timezones

    from babel.numbers import is_currency

    problem = _name_problem(name)
    errors: dict[str, list[str]] = {"name": [str(problem)]} if problem else {}
    if settings.language not in LANGUAGES:
        errors["locale"] = [str(_("Choose one of: %(known)s", known=", ".join(LANGUAGES)))]
    if not is_currency(settings.currency):
        errors["currency"] = [str(_("Use a three-letter currency code such as EUR"))]
    if settings.timezone not in available_timezones():
        errors["timezone"] = [str(_("Use a time zone name such as Europe/Prague"))]
    if settings.first_weekday not in range(7):
        errors["first_weekday"] = [str(_("Use a number from 0 (Monday) to 6 (Sunday)"))]
    if settings.fiscal_month not in range(1, 13):
        errors["fiscal_month"] = [str(_("Use a number from 1 to 12"))]
    if settings.mailing:
        for name, told in sending_faults(settings.mailing):
            errors[name] = [str(told)]
    if errors:
        raise RecordInvalid(errors)
