"""The conformance kit: what every plugin must be able to do, in a workspace of its own.

A vendor runs it as ``trellis plugin check NAME``, or in a test::

    from trellis.testing.conformance import check_plugin

    def test_conformance(tmp_path):
        assert check_plugin("gym", tmp_path) == []
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from babel.messages.pofile import read_po

from trellis import enabling, migration
from trellis.config import Config
from trellis.contributions import Contribution, Demo, Manifest
from trellis.demo import DemoContext
from trellis.edition import HOOK_OF, Edition, Settings
from trellis.errors import TrellisError
from trellis.i18n import LANGUAGES, Text
from trellis.installation import Installation
from trellis.plugins import PluginRegistry
from trellis.records.door import Records
from trellis.records.entity import Base
from trellis.search.matching import WORDS
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

WORKSPACE = "check"
DEMO_DAY = date(2026, 6, 15)


@dataclass(frozen=True)
class Finding:
    """Something that a plugin should mend: which check found it, and what it is."""

    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}"


def check_plugin(name: str, home: Path, plugins: PluginRegistry | None = None) -> list[Finding]:
    """Runs all checks on an installed plugin, in a fresh installation under ``home``. An empty list is a pass."""
    installation = Installation(Config(home=home), plugins)
    try:
        workspace = installation.create_workspace(WORKSPACE, Settings(title="Check"))
        return [
            Finding(check.__name__, message)
            for check in CHECKS
            for message in _messages(check, workspace, name)
        ]
    finally:
        installation.close()


def _messages(check: Callable[[Workspace, str], Iterator[str]], workspace: Workspace, name: str) -> list[str]:
    try:
        return list(check(workspace, name))
    except Exception as error:  # whatever a plugin raises is a finding, not the end of the report
        return [str(error) if isinstance(error, TrellisError) else f"{type(error).__name__}: {error}"]


def _enabled(workspace: Workspace, name: str) -> Edition:
    """The edition with the plugin and with what it requires."""
    for required in workspace.plugins.load(name).manifest.requires:
        enabling.enable(workspace, required)
    enabling.enable(workspace, name)
    with workspace.read() as session:
        return workspace.edition(session)


def enables_cleanly(workspace: Workspace, name: str) -> Iterator[str]:
    """Its contributions fit, and its migrations run."""
    edition = _enabled(workspace, name)
    yield from (str(fault.error()) for fault in edition.faults if fault.plugin == name)


def migrations_match_the_entities(workspace: Workspace, name: str) -> Iterator[str]:
    """The tables that its revisions make are those that its classes declare."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with workspace.namespace.connection() as connection:
        options: dict[str, Any] = {
            "include_name": lambda table, kind, _parents: kind != "table" or _ours(table, name),
            "include_object": lambda _item, found, kind, _r, _o: (
                _ours(found, name) if kind == "table" else found != WORDS
            ),
        }
        context = MigrationContext.configure(connection, opts=options)
        for difference in compare_metadata(context, Base.metadata):
            if not _is_extension_index(difference):
                yield f"the migrations lack: {difference}"


def _ours(table: str | None, name: str) -> bool:
    return bool(table) and str(table).startswith(f"{name}_")


def _is_extension_index(difference: object) -> bool:
    return isinstance(difference, tuple) and str(getattr(difference[-1], "name", "")).startswith("xf_")


def has_a_place_in_the_model(workspace: Workspace, name: str) -> Iterator[str]:
    """Every contribution that people see says where it stands in the CRM model."""
    edition = _enabled(workspace, name)
    for kind in HOOK_OF:
        for one in edition.all(kind).values():
            if one.owner == name and one.cell is None and kind.__name__ not in _WITHOUT_PLACE:
                yield f"{kind.__name__} {one.name} has no cell"


_WITHOUT_PLACE = frozenset(
    {
        "Demo",
        "ImportMapping",
        "MenuItem",
        "NotificationKind",
        "RestEndpoint",
        "IncomeSource",
        "Dashboard",
        "Panel",
        "Page",
    }
)


def speaks_all_languages(workspace: Workspace, name: str) -> Iterator[str]:
    """Every text of its contributions has a translation in every language."""
    manifest = workspace.plugins.load(name).manifest
    edition = _enabled(workspace, name)
    for language in LANGUAGES[1:]:
        path = Path(str(files(manifest.package))) / "locale" / language / "LC_MESSAGES" / "messages.po"
        if not path.is_file():
            yield f"there is no catalogue {path.relative_to(path.parents[4])}"
            continue
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        translated = {
            message.id if isinstance(message.id, str) else message.id[0]
            for message in catalogue
            if message.string
        }
        for text in sorted({text.message for text in _texts(edition, name, manifest)} - translated):
            yield f"{language} lacks “{text}”"


def _texts(edition: Edition, name: str, manifest: Manifest) -> Iterator[Text]:
    yield manifest.title
    for view in edition.entities.values():
        if view.owner == name:
            yield from (view.info.title, view.info.plural)
        yield from (
            one.label for one in view.fields.values() if one.owner == name and one.label.domain != "trellis"
        )
    for kind in HOOK_OF:
        for one in edition.all(kind).values():
            if one.owner == name:
                yield from _texts_of(one)


def _texts_of(one: Contribution) -> Iterator[Text]:
    values = [getattr(one, field) for field in one.__dataclass_fields__]
    yield from (value for value in values if isinstance(value, Text) and value.domain != "trellis")


def loads_its_demo(workspace: Workspace, name: str) -> Iterator[str]:
    """Its demo data pass the door."""
    edition = _enabled(workspace, name)
    demos = [demo for demo in edition.all(Demo).values() if demo.owner == name]
    with workspace.write() as session:
        records = Records(session, edition, SYSTEM)
        user = records.create("user", {"name": "Demo", "email": "demo@example.com"}).id
        users = dict.fromkeys(("administrator", "manager", "agent"), user)
        for demo in demos:
            context = DemoContext(
                records=records, random=random.Random(1), today=DEMO_DAY, customers=30, users=users
            )
            demo.load(context)
    if not demos:
        yield "it brings no demo data"


def keeps_data_when_disabled(workspace: Workspace, name: str) -> Iterator[str]:
    """Disabling hides and enabling brings back; the core can be read in between."""
    edition = _enabled(workspace, name)
    tables = [view.entity.__table__ for view in edition.entities.values() if view.owner == name]
    before = _counts(workspace, tables)
    enabling.disable(workspace, name)
    with workspace.read() as session:
        plain = workspace.edition(session)
        Records(session, plain, SYSTEM).list("customer")
    left = [view.name for view in plain.entities.values() if view.owner == name]
    if left:
        yield f"still there when disabled: {', '.join(left)}"
    enabling.enable(workspace, name)
    if _counts(workspace, tables) != before:
        yield "rows were lost by disabling"


def _counts(workspace: Workspace, tables: list[sa.FromClause]) -> list[int]:
    with workspace.read() as session:
        return [session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables]


def can_be_purged_and_installed_again(workspace: Workspace, name: str) -> Iterator[str]:
    """Purging leaves no table and no revision behind; enabling afterwards works."""
    _enabled(workspace, name)
    enabling.disable(workspace, name)
    with TemporaryDirectory() as folder:
        enabling.purge(workspace, name, Path(folder) / f"{name}.zip")
    with workspace.read() as session:
        connection = session.connection()
        left = [table for table in sa.inspect(connection).get_table_names() if _ours(table, name)]
        if left or migration.current_revision(connection, name) is not None:
            yield f"left after purging: {', '.join(left) or 'its version table'}"
    enabling.enable(workspace, name)


CHECKS: tuple[Callable[[Workspace, str], Iterator[str]], ...] = (
    enables_cleanly,
    migrations_match_the_entities,
    has_a_place_in_the_model,
    speaks_all_languages,
    loads_its_demo,
    keeps_data_when_disabled,
    can_be_purged_and_installed_again,
)
"""All checks, in the order in which they run on one workspace."""
