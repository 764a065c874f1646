"""All entities searched at once: what is found, in which order, and for whom; over REST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from callers import open_client
from flask import Flask
from trellis.contributions import FieldRight, Grant, Scope
from trellis.crm.customers.entities import Customer
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.search.everywhere import search
from trellis.security.actor import SYSTEM, Actor
from trellis.security.field_rights import FieldRule
from trellis.web.app import create_app
from trellis.workspace import Workspace


@pytest.fixture
def records(workspace: Workspace) -> Iterator[Records]:
    with workspace.write() as session:
        yield fill(Records(session, workspace.edition(session), SYSTEM))


def fill(records: Records) -> Records:
    for name in ("Ромашка Плюс", "Полевая ромашка", "Ромашка"):
        records.create("customer", {"name": name})
    records.create("customer", {"name": "Василёк", "city": "Ромашково"})
    records.create("lead", {"name": "Звонок", "company": "ООО Ромашка"})
    records.create("product", {"name": "Чай из ромашки"})
    return records


def found(records: Records, text: str, **options: Any) -> dict[str, list[str]]:
    groups = search(records.session, records.edition, records.actor, text, **options)
    return {one.entity: [hit.title for hit in one.hits] for one in groups}


def test_records_of_all_kinds_are_found_best_first(records: Records) -> None:
    groups = found(records, "ромашка")
    assert next(iter(groups)) == "customer"
    assert groups["customer"] == ["Ромашка", "Ромашка Плюс", "Полевая ромашка"]
    assert (groups["lead"], groups["product"]) == (["Звонок"], ["Чай из ромашки"])
    assert found(records, "ромашк")["customer"][-1] == "Василёк"
    assert found(records, "ромшака")["customer"][0] == "Ромашка"
    assert list(found(records, "чай")) == ["product"]
    assert found(records, "  ") == found(records, "%") == found(records, "нигденет") == {}


def test_others_are_told_of(records: Records) -> None:
    (group,) = search(records.session, records.edition, SYSTEM, "ромашка", each=2, entities=["customer"])
    assert (len(group.hits), group.more) == (2, True)


def test_rights_hold_everywhere(records: Records) -> None:
    grants = {"customer": Grant("customer", read=Scope.OWN), "lead": Grant("lead", read=Scope.ALL)}
    rule = FieldRule("lead", "company", FieldRight.NONE)
    actor = Actor(user_id=7, grants=grants, fields=frozenset([rule]))
    limited = Records(records.session, records.edition, actor)
    assert found(limited, "ромашка") == found(limited, "рмоашка") == {}
    own = sa.update(Customer).where(Customer.name == "Ромашка Плюс").values(owner_id=7)
    records.session.execute(own)
    assert found(limited, "ромашка") == {"customer": ["Ромашка Плюс"]}
    assert found(limited, "звонок") == {"lead": ["Звонок"]}


def test_the_bin_stays_closed(records: Records) -> None:
    (tea,) = records.list("product", text="чай").items
    records.delete("product", tea.id)
    assert found(records, "чай") == {}


def test_a_search_is_one_statement_however_many_entities_and_records(records: Records) -> None:
    statements: list[str] = []
    connection = records.session.connection()
    sa.event.listen(connection, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for number in (0, 20):
        for one in range(number):
            records.create("customer", {"name": f"Ромашка {one}"})
        statements.clear()
        found(records, "ромашка")
        assert len(statements) == 1


def test_rest_finds_what_the_caller_may_read(workspace: Workspace, installation: Installation) -> None:
    app: Flask = create_app(installation)
    client = open_client(app, installation, workspace, "anna@acme.test", ["administrator"])
    with workspace.write() as session:
        fill(Records(session, workspace.edition(session), SYSTEM))
    answer = client.get("/search?q=ромашка&limit=1").json
    assert answer is not None
    first = answer["items"][0]
    assert (first["entity"], first["more"]) == ("customer", True)
    assert first["records"][0]["title"] == "Ромашка"
    shown = client.get(f"/customer/{first['records'][0]['id']}").json
    assert shown is not None and shown["name"] == "Ромашка"
    assert [one["entity"] for one in client.get("/search?q=ромашка&entities=lead").json["items"]] == ["lead"]  # type: ignore[index]
    assert client.get("/search?q=x&entities=nothing").status_code == 404
    assert client.get(f"/search?q={'x' * 1001}").status_code == 400
    assert client.get("/search?other=1").status_code == 400
    for path in ("/customer?q=ромашки&count=true", "/customer?q=рмоашка&count=true"):
        listed = client.get(path).json
        assert listed is not None and listed["total"] == len(listed["items"]) == 3
