"""Alembic, once per owner: the core and each plugin have revisions and a version table of their own in a workspace."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trellis.contributions import Manifest
from trellis.plugins import CORE

if TYPE_CHECKING:
    from alembic.config import Config

# Indexes of extension fields go with their table; nobody who purges a plugin needs to hear of them.
warnings.filterwarnings(
    "ignore", "Skipped unsupported reflection of expression-based index", sa.exc.SAWarning
)


class RevisionUnknown(LookupError):
    """The installed code has no such revision, or no single way to it."""


def migrations_directory() -> Path:
    """The Alembic environment: inside the installed package, or at the top of a checkout."""
    inside = Path(str(files("trellis"))) / "migrations"
    return inside if (inside / "env.py").is_file() else Path(__file__).resolve().parents[2] / "migrations"


def revisions_of(owner: str, manifest: Manifest | None = None) -> Path | None:
    """Where an owner keeps its revisions; None for a plugin without tables."""
    if manifest is None:
        return migrations_directory() / ("control" if owner == "control" else "versions")
    folder = Path(str(files(manifest.package))) / "migrations"
    return folder if folder.is_dir() else None


def upgrade(connection: Connection, owner: str, revisions: Path, revision: str = "heads") -> None:
    """Brings an owner's tables to a revision, the newest by default, inside the transaction of ``connection``.

    Raises :class:`RevisionUnknown`.
    """
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(alembic_config(revisions, connection=connection, owner=owner), revision)
    except CommandError as error:
        raise RevisionUnknown(str(error)) from None


def alembic_config(revisions: Path, **attributes: Any) -> Config:
    """The Alembic configuration for one folder of revisions; ``attributes`` are what ``migrations/env.py`` reads."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(revisions))
    config.attributes.update(attributes)
    return config


def current_revision(connection: Connection, owner: str) -> str | None:
    """The revision an owner's tables are at; None when it has none."""
    table = f"alembic_version_{owner}"
    if not sa.inspect(connection).has_table(table):
        return None
    return connection.execute(
        sa.text(f'SELECT version_num FROM "{table}"')
    ).scalar()  # owner is an installed name


def newest_revision(revisions: Path) -> str | None:
    """The newest revision in a folder of revisions."""
    return _newest(revisions, frozenset(revisions.glob("*.py")))


@lru_cache
def _newest(revisions: Path, _files: frozenset[Path]) -> str | None:
    """As long as there are the same files: to read them takes longer than to open a workspace."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(alembic_config(revisions)).get_current_head()


def is_known(revision: str, owner: str, manifest: Manifest | None = None) -> bool:
    """Whether the installed code of an owner has this revision."""
    from alembic.script import ScriptDirectory

    revisions = revisions_of(owner, manifest)
    if revisions is None:
        return False
    known = ScriptDirectory.from_config(alembic_config(revisions)).walk_revisions()
    return any(one.revision == revision for one in known)


def drop_tables(connection: Connection, owner: str) -> list[str]:
    """Drops the tables ``<owner>_*`` and its version table; returns what was dropped. Works without the package."""
    if owner == CORE:
        raise ValueError("the core's tables are not dropped")
    names = [name for name in sa.inspect(connection).get_table_names() if name.startswith(f"{owner}_")]
    found = sa.MetaData()
    found.reflect(connection, only=names)
    found.drop_all(connection, tables=[found.tables[name] for name in names])
    connection.execute(sa.text(f'DROP TABLE IF EXISTS "alembic_version_{owner}"'))
    return names


def write_revision(
    connection: Connection,
    owner: str,
    revisions: Path,
    metadata: sa.MetaData,
    message: str,
    others: Sequence[str] = (),
) -> Path:
    """Writes the revision that brings an owner's tables, as they are on ``connection``, to ``metadata``.

    ``others`` are the prefixes of tables of other owners, which the core's revisions leave alone.
    """
    from alembic import command

    revisions.mkdir(parents=True, exist_ok=True)
    number = f"{len(list(revisions.glob('*.py'))) + 1:04d}"
    config = alembic_config(
        revisions, connection=connection, owner=owner, metadata=metadata, others=tuple(others)
    )
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    script = command.revision(
        config, message, autogenerate=True, rev_id=f"{owner}_{number}", version_path=str(revisions)
    )
    assert script is not None and not isinstance(script, list)
    return Path(script.path)
