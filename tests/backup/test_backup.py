"""Backups: everything comes back, on either database; a bad file leaves nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from samples import gym, registry
from trellis import attachments, enabling
from trellis.backup import BackupInvalid, copy_workspace, restore, save
from trellis.backup.archive import tables
from trellis.config import Config
from trellis.errors import Conflict, RecordInvalid, WorkspaceNotFound
from trellis.installation import Installation
from trellis.jobs import Job, enqueue
from trellis.records.door import Records, Write
from trellis.records.entity import Base
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user, authenticate
from trellis.workspace import Workspace

PASSWORD = "a long password"


@pytest.fixture
def house(open_installation: Callable[..., Installation], tmp_path: Path) -> Installation:
    """``acme`` with some of everything: a plugin's records and fields, a tree, the bin, money, a file, a user, a waiting job."""
    installation = open_installation(plugins=registry(gym()))
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "gym")
    add_user(installation, workspace, "anna@acme.test", "Anna", ["manager"], PASSWORD)
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        child = records.create("unit", {"name": "Shop 1"}).id
        parent = records.create("unit", {"name": "Shops"}).id
        records.update("unit", child, {"parent": parent})  # a child before its parent
        customers = records.save(
            "customer",
            [
                Write(values={"name": f"Ирина {n}", "external_id": f"C{n}", "gym.card": f"G{n}"})
                for n in range(3)
            ],
        )
        order = {
            "number": "N1",
            "customer": customers[0],
            "ordered_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        }
        records.create("order", {**order, "amount": "1234567890.1234"})
        records.create("gym.membership", {"name": "Gold", "customer": customers[1]})
        records.delete("customer", customers[2])
        enqueue(session, "export", {"entity": "customer"}, None)
        (tmp_path / "sent").write_bytes(bytes(range(256)) * 600)
        attachments.add(records, "customer", customers[0], "Договор.bin", tmp_path / "sent")
    return installation


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """Another, empty installation, on either database."""
    url = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        name = f"elsewhere_{tmp_path.name[-30:]}_{id(request)}".lower()
        engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        engine.dispose()
        url = server.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    installation = Installation(Config(home=tmp_path / "elsewhere", database_url=url), registry(gym()))
    yield installation
    installation.close()


def contents(workspace: Workspace) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables in a backup."""
    found = {}
    with workspace.read() as session:
        there = sa.inspect(session.connection()).get_table_names()
        for table in tables():
            if table.name in there:
                columns = [one for one in table.columns if one.name != "transaction"]
                found[table.name] = sorted(map(tuple, session.execute(sa.select(*columns))), key=repr)
    return found


def test_all_rows_come_back_on_either_database(
    house: Installation, elsewhere: Installation, tmp_path: Path
) -> None:
    before = contents(house.workspace("acme"))
    manifest = save(house, "acme", tmp_path / "acme.zip")
    assert sum(manifest.tables.values()) == sum(map(len, before.values())) > 20
    restore(elsewhere, "again", tmp_path / "acme.zip")
    workspace = elsewhere.workspace("again")
    after = contents(workspace)
    # the waiting job is stopped, and the log says where all this came from
    assert {name for name in before if before[name] != after[name]} == {"job", "event"}
    told = [row for row in after["event"] if row not in before["event"]]
    assert [("setup:backup" in row, "restored" in row) for row in told] == [(True, True)]
    with workspace.read() as session:
        assert session.scalars(sa.select(Job.state)).all() == ["stopped"]
        order = Base.metadata.tables["order"]
        row = session.execute(sa.select(order.c.amount, order.c.ordered_at)).one()
        assert row == (Decimal("1234567890.1234"), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_a_workspace_in_place_of_a_lost_one_keeps_what_was_still_to_come(
    house: Installation, elsewhere: Installation, tmp_path: Path
) -> None:
    later = datetime(2099, 1, 1, tzinfo=UTC)
    with house.workspace("acme").write() as session:
        enqueue(session, "reminder", {"activity": 1}, None, later)
    save(house, "acme", tmp_path / "acme.zip")
    for name, goes_on, state in (("trial", False, "stopped"), ("again", True, "waiting")):
        restore(elsewhere, name, tmp_path / "acme.zip", goes_on=goes_on)
        with elsewhere.workspace(name).read() as session:
            jobs = session.execute(sa.select(Job.due_at == later, Job.state)).all()
        assert sorted(map(tuple, jobs)) == [(False, "stopped"), (True, state)]


def test_people_sign_in_and_go_on_working_where_it_was_restored(
    house: Installation, elsewhere: Installation, tmp_path: Path
) -> None:
    save(house, "acme", tmp_path / "acme.zip")
    restore(elsewhere, "again", tmp_path / "acme.zip")
    assert authenticate(elsewhere, "again", "anna@acme.test", PASSWORD) is not None
    workspace = elsewhere.workspace("again")
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        new = records.create("customer", {"name": "New", "gym.card": "G9"})
        assert records.get("customer", new.id).values["gym.card"] == "G9"
        assert [one.values["name"] for one in records.list("customer", text="ирину 1").items] == ["Ирина 1"]
        catalogue = "sqlite_master" if elsewhere.control.dialect == "sqlite" else "pg_indexes"
        column = "name" if elsewhere.control.dialect == "sqlite" else "indexname"
        indexes = session.scalars(sa.text(f"SELECT {column} FROM {catalogue}")).all()
    assert "ix_customer_x_gym_card" in indexes
    assert workspace.behind() == []


def test_a_backup_is_of_one_moment(house: Installation, tmp_path: Path) -> None:
    workspace, written = house.workspace("acme"), []

    def write(_done: int, _total: int) -> None:
        if not written:
            with workspace.write() as session:
                records = Records(session, workspace.edition(session), SYSTEM)
                written.append(records.create("customer", {"name": "Later"}).id)

    manifest = save(house, "acme", tmp_path / "acme.zip", write)
    with zipfile.ZipFile(tmp_path / "acme.zip") as archive:
        rows = len(archive.read("tables/customer.jsonl").splitlines()) - 1
    assert written and rows == manifest.tables["customer"] == 3


def test_a_copy_lives_beside_its_original(house: Installation) -> None:
    copy_workspace(house, "acme", "trial", title="Trial")
    trial, acme = house.workspace("trial"), house.workspace("acme")
    with trial.write() as session:
        edition = trial.edition(session)
        assert edition.settings.title == "Trial" and "gym.membership" in edition.entities
        Records(session, edition, SYSTEM).create("customer", {"name": "Only here"})
    assert len(contents(trial)["customer"]) == len(contents(acme)["customer"]) + 1
    with pytest.raises(Conflict):
        copy_workspace(house, "acme", "trial")
    with pytest.raises(RecordInvalid):
        copy_workspace(house, "acme", "No Name")


def _edited(path: Path, member: str, content: bytes | None) -> Path:
    """The same archive with one member changed, or left out."""
    changed = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            if name != member:
                new.writestr(name, old.read(name))
        if content is not None:
            new.writestr(member, content)
    return changed


DAMAGES = (
    ("manifest.json", None),
    ("manifest.json", b"[]"),
    ("manifest.json", json.dumps({"format": 99}).encode()),
    ("people.jsonl", b"{"),
    ("tables/customer.jsonl", None),
    ("tables/customer.jsonl", b'["id","nothing"]\n[1,2]\n'),
    ("tables/customer.jsonl", b'["id","name"]\n[1]\n'),
    ("tables/order.jsonl", b'["id","ordered_at"]\n[1,"yesterday"]\n'),
    ("tables/order.jsonl", b'["id","customer_id"]\n[1,99]\n'),
)


def test_a_damaged_backup_is_refused_and_leaves_nothing(house: Installation, tmp_path: Path) -> None:
    save(house, "acme", tmp_path / "acme.zip")
    for member, content in DAMAGES:
        with pytest.raises(BackupInvalid):
            restore(house, "again", _edited(tmp_path / "acme.zip", member, content))
        with pytest.raises(WorkspaceNotFound):
            house.workspace("again")
    (tmp_path / "changed.zip").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(BackupInvalid):
        restore(house, "again", tmp_path / "changed.zip")
    restore(house, "again", tmp_path / "acme.zip")


def test_a_plugin_that_is_not_installed_is_named(
    house: Installation, tmp_path: Path, open_installation: Callable[..., Installation]
) -> None:
    save(house, "acme", tmp_path / "acme.zip")
    bare = open_installation(plugins=registry())
    with pytest.raises(BackupInvalid, match="gym"):
        restore(bare, "again", tmp_path / "acme.zip")
    with pytest.raises(Conflict, match="gym"):
        save(bare, "acme", tmp_path / "bare.zip")
    assert not (tmp_path / "bare.zip").exists()


def test_a_process_of_the_command_line_knows_each_table_of_the_core(workspace: Workspace) -> None:
    """A table that only the pages had imported would be left out of the backups that are made by command."""
    script = (
        "import trellis.cli.workspaces\n"
        "from trellis.crm import register\nfrom trellis.plugins import PluginRegistry\nregister(PluginRegistry())\n"
        "from trellis.backup.archive import LEFT_OUT, tables\n"
        "print(*{one.name for one in tables()} | LEFT_OUT)"
    )
    known = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    with workspace.read() as session:
        there = {
            name
            for name in sa.inspect(session.connection()).get_table_names()
            if not name.startswith(("alembic_version", "core_search_"))
        }
    assert there - set(known.split()) == set()
