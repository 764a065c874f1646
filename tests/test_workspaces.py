"""Workspaces: created, listed, kept apart, brought up to date."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from contextlib import suppress

import pytest
import sqlalchemy as sa
import trellis
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from trellis.edition import Settings
from trellis.errors import Conflict, RecordInvalid, WorkspaceNotFound
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.records.entity import Base
from trellis.search.matching import WORDS
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


def write_customer(workspace: Workspace, name: str) -> int:
    with workspace.write() as session:
        return Records(session, workspace.edition(session), SYSTEM).create("customer", {"name": name}).id


def customers(workspace: Workspace) -> list[str]:
    with workspace.read() as session:
        page = Records(session, workspace.edition(session), SYSTEM).list("customer")
        return [record.values["name"] for record in page.items]


def test_records_of_one_workspace_are_not_in_another(installation: Installation) -> None:
    one = installation.workspace("acme")
    other = installation.create_workspace("other", Settings(title="Other"))
    write_customer(one, "Anna")
    write_customer(other, "Boris")
    assert (customers(one), customers(other)) == (["Anna"], ["Boris"])


def test_what_is_written_while_reading_is_not_kept(workspace: Workspace) -> None:
    write_customer(workspace, "Anna")
    with workspace.read() as session, suppress(sa.exc.DBAPIError):
        session.execute(sa.text("DELETE FROM customer"))
    assert customers(workspace) == ["Anna"]


def test_a_server_plans_what_it_is_asked_again_and_again_only_once(workspace: Workspace) -> None:
    if workspace.namespace.dialect == "sqlite":
        pytest.skip("SQLite has no server")
    for _time in range(12):
        customers(workspace)
    with workspace.read() as session:
        used = session.scalars(sa.text("SELECT generic_plans + custom_plans FROM pg_prepared_statements"))
        assert max(used, default=0) > 1


def test_bad_settings_are_named_and_nothing_is_created(installation: Installation) -> None:
    with pytest.raises(RecordInvalid) as refused:
        installation.create_workspace("Bad Name", Settings(currency="EURO", timezone="Mars", language="de"))
    assert set(refused.value.errors) == {"name", "currency", "timezone", "locale"}
    assert [entry.name for entry in installation.workspaces()] == ["acme"]


def test_a_name_is_taken_once(installation: Installation) -> None:
    with pytest.raises(Conflict):
        installation.create_workspace("acme", Settings())


def test_whoever_comes_while_a_workspace_is_made_is_refused_and_harms_nothing(
    installation: Installation, open_installation: Callable[..., Installation]
) -> None:
    with installation.new_workspace("shop", "Shop") as workspace:
        workspace.initialise(Settings())
        write_customer(workspace, "Anna")
        with pytest.raises(Conflict, match="being made"):
            open_installation().create_workspace("shop", Settings())
    assert customers(open_installation().workspace("shop")) == ["Anna"]


def test_what_the_making_of_a_workspace_left_is_in_nobodys_way(installation: Installation) -> None:
    with pytest.raises(ZeroDivisionError), installation.new_workspace("shop", "Shop") as workspace:
        workspace.initialise(Settings())
        raise ZeroDivisionError
    left = Workspace("shop", installation._namespace("shop", create=True), installation.plugins)
    left.initialise(Settings())  # as if the process had been killed before the name was kept
    left.namespace.dispose()
    assert customers(installation.create_workspace("shop", Settings())) == []


def test_a_deleted_workspace_is_gone(installation: Installation) -> None:
    archives = installation.archives("acme")
    archives.mkdir(parents=True)
    installation.delete_workspace("acme")
    assert not archives.exists()
    with pytest.raises(WorkspaceNotFound):
        installation.workspace("acme")
    assert installation.workspaces() == []
    assert customers(installation.create_workspace("acme", Settings())) == []


def test_upgrading_an_up_to_date_workspace_changes_nothing(workspace: Workspace) -> None:
    assert workspace.upgrade() == []


def test_the_migrations_make_the_tables_that_the_core_declares(workspace: Workspace) -> None:
    for module in pkgutil.walk_packages(trellis.__path__, "trellis."):
        importlib.import_module(module.name)
    core = {
        name for name in Base.metadata.tables if not name.startswith(("gym_", "retail_", "banking_", "b2b_"))
    }
    with workspace.namespace.connection() as connection:
        made = {
            name
            for name in sa.inspect(connection).get_table_names()
            if not name.startswith(("alembic_version", "core_search_"))
        }
        assert {name for name in core if not name.startswith(("probe", "test_"))} == made
        options = {"include_name": lambda name, kind, _parents: kind != "table" or name in core}
        options["include_object"] = lambda _item, name, kind, _reflected, _other: (
            name in core if kind == "table" else name != WORDS
        )
        context = MigrationContext.configure(connection, opts=options)
        found = [
            one
            for one in compare_metadata(context, Base.metadata)
            if one[0] not in ("add_index", "remove_index")
        ]
    assert found == []
