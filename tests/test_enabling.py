"""The life of a plugin in a workspace: all or nothing, and no data lost."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import trellis
from samples import gym, plugin, registry
from trellis import enabling, types
from trellis.errors import Conflict, EditionInvalid, EntityNotFound, PluginError
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.records.query import Record
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

Open = Callable[..., Installation]


def opened(open_installation: Open, *modules: Any) -> Workspace:
    return open_installation(plugins=registry(*modules)).workspace("acme")


def create(workspace: Workspace, entity: str, **values: Any) -> Record:
    with workspace.write() as session:
        given = {name.replace("__", "."): value for name, value in values.items()}
        return Records(session, workspace.edition(session), SYSTEM).create(entity, given)


def get(workspace: Workspace, entity: str, record_id: int) -> Record:
    with workspace.read() as session:
        return Records(session, workspace.edition(session), SYSTEM).get(entity, record_id)


def tables(workspace: Workspace) -> set[str]:
    with workspace.read() as session:
        return set(sa.inspect(session.connection()).get_table_names())


def states(workspace: Workspace) -> dict[str, str]:
    return {info.name: info.state for info in enabling.overview(workspace)}


def test_a_preview_counts_what_would_be_added_and_changes_nothing(open_installation: Open) -> None:
    workspace = opened(open_installation, gym())
    before = tables(workspace)
    preview = enabling.preview(workspace, "gym")
    found = {(one.kind, one.name) for one in preview.added}
    assert found == {
        ("entity", "gym.membership"),
        ("field", "gym.card"),
        ("segment", "gym.members"),
        ("role", "gym.trainer"),
    }
    assert preview.tables == ("gym_membership",)
    assert preview.problems == ()
    assert tables(workspace) == before
    assert states(workspace) == {"gym": "available"}


def test_disabling_hides_and_enabling_again_brings_everything_back(open_installation: Open) -> None:
    workspace = opened(open_installation, gym())
    enabling.enable(workspace, "gym")
    customer = create(workspace, "customer", name="Anna", gym__card="G-1")
    membership = create(workspace, "gym.membership", name="Gold", customer=customer.id)

    enabling.disable(workspace, "gym")
    assert "gym.card" not in get(workspace, "customer", customer.id).values
    with pytest.raises(EntityNotFound):
        get(workspace, "gym.membership", membership.id)

    enabling.enable(workspace, "gym")
    assert get(workspace, "customer", customer.id).values["gym.card"] == "G-1"
    assert get(workspace, "gym.membership", membership.id).values["customer"] == customer.id


def test_values_of_a_disabled_plugin_survive_a_change_of_the_record(open_installation: Open) -> None:
    workspace = opened(open_installation, gym())
    enabling.enable(workspace, "gym")
    customer = create(workspace, "customer", name="Anna", gym__card="G-1")
    enabling.disable(workspace, "gym")
    with workspace.write() as session:
        Records(session, workspace.edition(session), SYSTEM).update("customer", customer.id, {"city": "Brno"})
    enabling.enable(workspace, "gym")
    assert get(workspace, "customer", customer.id).values["gym.card"] == "G-1"


def test_another_process_notices_without_a_restart(open_installation: Open) -> None:
    here = opened(open_installation, gym())
    there = opened(open_installation, gym())
    with there.read() as session:
        assert "gym.membership" not in there.edition(session).entities
    enabling.enable(here, "gym")
    with there.read() as session:
        assert "gym.membership" in there.edition(session).entities


def test_purging_exports_first_and_leaves_nothing(open_installation: Open, tmp_path: Path) -> None:
    workspace = opened(open_installation, gym())
    untouched = tables(workspace)
    enabling.enable(workspace, "gym")
    customer = create(workspace, "customer", name="Anna", gym__card="G-1")
    create(workspace, "gym.membership", name="Gold", customer=customer.id)
    with pytest.raises(Conflict):
        enabling.purge(workspace, "gym", tmp_path / "gym.zip")

    enabling.disable(workspace, "gym")
    assert enabling.purge(workspace, "gym", tmp_path / "gym.zip") == ["gym_membership"]
    with zipfile.ZipFile(tmp_path / "gym.zip") as archive:
        membership = json.loads(archive.read("tables/gym_membership.jsonl"))
        field = json.loads(archive.read("fields/customer.jsonl"))
    assert membership["name"] == "Gold"
    assert field == {"id": customer.id, "gym.card": "G-1"}
    assert tables(workspace) == untouched
    assert states(workspace) == {"gym": "available"}
    with workspace.read() as session:
        assert session.scalar(sa.text("SELECT extra FROM customer")) in ({}, "{}")


def test_a_plugin_that_is_gone_blocks_nothing_and_can_be_purged(
    open_installation: Open, tmp_path: Path
) -> None:
    enabling.enable(opened(open_installation, gym()), "gym")
    workspace = opened(open_installation)
    customer = create(workspace, "customer", name="Boris")
    assert get(workspace, "customer", customer.id).values["name"] == "Boris"
    assert states(workspace) == {"gym": "missing"}
    enabling.disable(workspace, "gym")
    enabling.purge(workspace, "gym", tmp_path / "gym.zip")
    assert states(workspace) == {}


def test_an_unknown_plugin_is_named(open_installation: Open) -> None:
    workspace = opened(open_installation, gym())
    with pytest.raises(PluginError, match="not installed") as refused:
        enabling.enable(workspace, "gim")
    assert refused.value.plugin == "gim"


def raising() -> list[trellis.Segment]:
    raise ZeroDivisionError("by design")


def unmigrated() -> type[trellis.Entity]:
    return gym().Membership  # type: ignore[no-any-return]


BROKEN = {
    "a hook that raises": (plugin("bad", trellis_segments=raising), "by design"),
    "a hook that returns no list": (plugin("bad", trellis_kpis=lambda: 7), "int, not a list"),
    "a list of something else": (
        plugin("bad", trellis_roles=lambda: ["admin"]),
        "'admin' is not a trellis.Role",
    ),
    "a name without its prefix": (
        plugin("bad", trellis_roles=lambda: [trellis.Role(name="boss", title=Text("Boss"))]),
        "must start with",
    ),
    "a field on nothing": (
        plugin(
            "bad",
            trellis_fields=lambda: [
                trellis.Field(name="bad.size", entity="shoe", type=types.Integer(), label=Text("Size"))
            ],
        ),
        "no entity “shoe”",
    ),
    "a field with a name that JSON paths cannot hold": (
        plugin(
            "bad",
            trellis_fields=lambda: [
                trellis.Field(name='bad."size', entity="customer", type=types.Integer(), label=Text("Size"))
            ],
        ),
        "only small latin letters",
    ),
    "a field that cannot have its index": (
        plugin(
            "bad",
            trellis_fields=lambda: [
                trellis.Field(
                    name="bad.story",
                    entity="customer",
                    type=types.LongText(),
                    label=Text("Story"),
                    indexed=True,
                )
            ],
        ),
        "bad.story: a field of type long_text cannot be indexed",
    ),
    "an entity named twice": (
        plugin("bad", trellis_entities=lambda: [unmigrated(), unmigrated()]),
        "must start with “bad.”",
    ),
    "a segment with an unknown field": (
        plugin(
            "bad",
            trellis_segments=lambda: [
                trellis.Segment(
                    name="bad.tall", title=Text("Tall"), rule={"field": "height", "op": "gt", "value": 2}
                )
            ],
        ),
        "height",
    ),
    "a core that is too old": (plugin("bad", core=">=9"), "needs core >=9"),
    "a requirement that is not enabled": (plugin("bad", requires=["gym"]), "enable first: gym"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_does_not_fit_is_refused_by_name(open_installation: Open, case: str) -> None:
    module, reason = BROKEN[case]
    workspace = opened(open_installation, module)
    with pytest.raises(EditionInvalid, match=reason) as refused:
        enabling.enable(workspace, "bad")
    assert {problem.plugin for problem in refused.value.problems} == {"bad"}
    assert states(workspace) == {"bad": "available"}


def test_a_failing_migration_leaves_the_workspace_as_it_was(
    open_installation: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "trellis_halves"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "migrations" / "one.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision = 'one'\ndown_revision = None\n"
        "def upgrade():\n"
        "    op.create_table('halves_first', sa.Column('id', sa.Integer, primary_key=True))\n"
        "    op.execute('SELECT nothing FROM nowhere')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    workspace = opened(open_installation, plugin("halves", package="trellis_halves"))
    before = tables(workspace)
    with pytest.raises(PluginError) as refused:
        enabling.enable(workspace, "halves")
    assert (refused.value.plugin, refused.value.hook) == ("halves", "migration")
    assert tables(workspace) == before
    assert states(workspace) == {"halves": "available"}


def test_a_plugin_that_breaks_later_is_left_out_and_reported(open_installation: Open) -> None:
    enabling.enable(opened(open_installation, gym(), plugin("other")), "gym")
    sound = opened(open_installation, gym(), plugin("other"))
    enabling.enable(sound, "other")
    workspace = opened(open_installation, gym(), plugin("other", trellis_kpis=raising))
    with workspace.read() as session:
        edition = workspace.edition(session)
    assert "gym.membership" in edition.entities
    assert [(fault.plugin, fault.hook) for fault in edition.faults] == [("other", "trellis_kpis")]


def test_a_plugin_needed_by_another_cannot_be_disabled_first(open_installation: Open) -> None:
    workspace = opened(open_installation, gym(), plugin("sauna", requires=["gym"]))
    enabling.enable(workspace, "gym")
    enabling.enable(workspace, "sauna")
    with pytest.raises(Conflict, match="sauna"):
        enabling.disable(workspace, "gym")
    enabling.disable(workspace, "sauna")
    enabling.disable(workspace, "gym")


def test_a_crash_in_before_save_is_attributed_and_writes_nothing(open_installation: Open) -> None:
    def explode(event: trellis.BeforeSave) -> None:
        raise RuntimeError("boom")

    workspace = opened(open_installation, plugin("bomb", trellis_before_save=explode))
    enabling.enable(workspace, "bomb")
    with pytest.raises(PluginError, match="boom") as refused:
        create(workspace, "customer", name="Anna")
    assert (refused.value.plugin, refused.value.hook) == ("bomb", "trellis_before_save")
    with workspace.read() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM customer")) == 0


def test_a_hook_hears_only_of_the_entities_that_it_concerns(open_installation: Open) -> None:
    heard: list[str] = []

    @trellis.concerns("product")
    def complete(event: trellis.BeforeSave) -> None:
        heard.append(event.entity)
        event.values["code"] = "C1"

    workspace = opened(open_installation, plugin("catalogue", trellis_before_save=complete))
    enabling.enable(workspace, "catalogue")
    create(workspace, "customer", name="Anna")
    create(workspace, "product", name="Lamp")
    assert heard == ["product"]
    with workspace.read() as session:
        assert session.scalar(sa.text("SELECT code FROM product")) == "C1"
