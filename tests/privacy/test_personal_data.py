"""Personal data: all of it can be taken out, and after erasing nothing is left but figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from callers import Client, open_client
from samples import plugin, registry
from trellis import Field, enabling, privacy, types
from trellis.contributions import Grant, Scope
from trellis.errors import Conflict, PermissionRefused, RecordInvalid
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.privacy import person_of
from trellis.quality.merging import merge
from trellis.records.door import Records
from trellis.records.entity import Base
from trellis.search.tables import SEARCH_WORD
from trellis.security.actor import SYSTEM, Actor
from trellis.settings.fields import add_field
from trellis.system import Event
from trellis.web.app import create_app
from trellis.workspace import Workspace

SECRETS = (
    "Zyprianka",
    "zyp@acme.test",
    "+420601234567",
    "Tannenweg",
    "CARD-77",
    "hay fever",
    "KEY-9",
    "Zyp Old",
    "visa",
)


@pytest.fixture
def house(open_installation: Callable[..., Installation]) -> Installation:
    card = Field(name="club.card", entity="customer", type=types.Text(), label=Text("Card"), personal=True)
    level = Field(name="club.level", entity="customer", type=types.Text(), label=Text("Level"))
    past = Field(name="past.secret", entity="customer", type=types.Text(), label=Text("Secret"))
    club, gone = (
        plugin("club", trellis_fields=lambda: [card, level]),
        plugin("past", trellis_fields=lambda: [past]),
    )
    installation = open_installation(plugins=registry(club, gone))
    workspace = installation.workspace("acme")
    for name in ("club", "past"):
        enabling.enable(workspace, name)
    fill(workspace)
    enabling.disable(workspace, "past")
    return installation


def fill(workspace: Workspace) -> None:
    """Somebody with a merged predecessor, an order, a contact and activities; somebody else; a company above both."""
    with workspace.write() as session:
        own = {"type": "text", "label": "Health", "personal": True}
        add_field(session, workspace.edition(session), "customer", "health", own)
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        values: dict[str, Any] = {"name": "Zyprianka Hollar", "email": "zyp@acme.test", "city": "Brno"}
        values |= {
            "address": "Tannenweg 4",
            "external_id": "KEY-9",
            "club.card": "CARD-77",
            "club.level": "gold",
        }
        one = records.create("customer", {**values, "own.health": "hay fever", "past.secret": "visa 4111"})
        old = records.create("customer", {"name": "Zyp Old", "phone": "+420601234567"})
        merge(records, "customer", one.id, old.id, ["phone"])
        contact = records.create("contact", {"name": "Zyprianka H.", "customer": one.id})
        records.create("activity", {"subject": "Call Zyprianka", "kind": "call", "contact": contact.id})
        order = {"number": "N1", "customer": one.id, "ordered_at": datetime(2026, 1, 2, tzinfo=UTC)}
        records.create("order", {**order, "amount": "120.50", "notes": "Leave with Zyprianka's neighbour"})
        records.update("customer", one.id, {"address": "Tannenweg 5"})
        records.create("customer", {"name": "Boris Hollar", "email": "boris@acme.test"})


@pytest.fixture
def client(house: Installation) -> Client:
    return open_client(
        create_app(house), house, house.workspace("acme"), "admin@acme.test", ["administrator"]
    )


def stored(workspace: Workspace) -> Iterator[str]:
    """Every value of every table, the search index too."""
    with workspace.read() as session:
        connection = session.connection()
        for name in sa.inspect(connection).get_table_names():
            known = Base.metadata.tables.get(name)
            if known is None and not name.startswith("core_search_"):
                continue
            for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"'):
                yield from (f"{name}: {value}" for value in row if value is not None)


def left(workspace: Workspace, words: tuple[str, ...] = SECRETS) -> list[str]:
    return [
        value[:200] for value in stored(workspace) if any(word.lower() in value.lower() for word in words)
    ]


def test_everything_about_a_person_is_taken_out_and_erased(house: Installation, client: Client) -> None:
    workspace = house.workspace("acme")
    told = client.get("/customer/1/personal-data").json
    text = json.dumps(told, ensure_ascii=False)
    assert [word for word in SECRETS if word not in text] == []
    assert {name: len(found) for name, found in told["records"].items()} == {
        "customer": 2,
        "contact": 1,
        "activity": 1,
        "order": 1,
    }
    assert "boris" not in text

    dry = client.post("/customer/1:erase", {"dry_run": True}).json
    assert dry["erased"] is False and any("Backups" in one["what"] for one in dry["kept"])
    assert {one["entity"] for one in dry["overwritten"]} == {"customer", "contact", "activity", "order"}
    wrong = client.post("/customer/1:erase", {"name": "Boris Hollar"})
    assert wrong.status_code == 422 and "name" in wrong.json["errors"]
    assert left(workspace)
    done = client.post("/customer/1:erase", {"name": "zyprianka hollar"})
    assert done.status_code == 200 and done.json["erased"] is True

    assert left(workspace) == []
    customer = client.get("/customer/1").json
    assert (customer["name"], customer["city"], customer["club.level"]) == ("Erased #1", "Brno", "gold")
    assert client.get("/order/1").json["amount"] == "120.50"
    assert client.get("/customer?q=hollar").json["items"][0]["name"] == "Boris Hollar"
    with workspace.read() as session:
        events = session.execute(
            sa.select(Event.entity, Event.actor_name, Event.changes).where(Event.action == "erased")
        )
        assert {row.entity: set(row.changes) for row in events}["contact"] == {"name"}
        words = set(session.scalars(sa.select(SEARCH_WORD.c.word)))
    assert "zyprianka" not in words and "hollar" in words, "Boris is called so too"
    again = client.post("/customer/1:erase", {"name": "Erased #1"})
    assert again.status_code == 200


def test_it_needs_a_right_of_its_own(house: Installation) -> None:
    workspace = house.workspace("acme")
    grants = {"*": Grant("*", create=True, update=Scope.ALL, delete=Scope.ALL)}
    with workspace.write() as session:
        edition = workspace.edition(session)
        agent = Records(session, edition, Actor(user_id=7, grants=grants))
        with pytest.raises(PermissionRefused):
            privacy.everything(agent, "customer", 1)
        with pytest.raises(PermissionRefused):
            privacy.erase(agent, "customer", 1, "Zyprianka Hollar")
        officer = Records(session, edition, Actor(user_id=8, grants=grants, personal_data=True))
        assert person_of(officer, "customer", 1).own == (1, 2)
        with pytest.raises(RecordInvalid):
            privacy.erase(officer, "customer", 1, "")
        with pytest.raises(Conflict):
            privacy.preview(officer, "order", 1)
