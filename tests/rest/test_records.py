"""Records over REST: reading, writing, lost updates, many at once, stages, the bin."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from callers import Client
from trellis.workspace import Workspace


def names(client: Client, query: str) -> list[str]:
    response = client.get(f"/customer?{query}")
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json["items"]]


@pytest.fixture
def towns(client: Client) -> Client:
    for name, city, birthday in (
        ("Anna", "Riga", "1990-05-01"),
        ("Boris", "Ogre", None),
        ("Vera", "Riga", None),
    ):
        client.create("customer", name=name, city=city, birthday=birthday)
    return client


def test_a_record_is_written_read_changed_and_put_into_the_bin(client: Client) -> None:
    made = client.post("/customer", {"name": "Anna", "email": "Anna@Example.com", "city": "Riga"})
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    place = made.headers["Location"]
    assert place == f"/api/v1/acme/customer/{made.json['id']}"
    read = client.get(place.removeprefix(client.base))
    assert read.json == made.json
    assert (read.json["email"], read.json["version"]) == ("anna@example.com", 1)
    changed = client.patch(place.removeprefix(client.base), {"city": None})
    assert (changed.status_code, changed.json["city"], changed.headers["ETag"]) == (200, None, '"2"')
    assert client.delete(place.removeprefix(client.base)).status_code == 204
    assert client.get(place.removeprefix(client.base)).status_code == 404


def test_money_is_a_decimal_string_and_moments_are_in_utc(client: Client) -> None:
    made = client.post(
        "/order", {"number": "1", "ordered_at": "2026-03-01T10:00:00+03:00", "amount": "12.50"}
    )
    assert (made.json["amount"], made.json["ordered_at"]) == ("12.50", "2026-03-01T07:00:00Z")


FILTERS = [
    ("", ["Anna", "Boris", "Vera"]),
    ("city=Riga", ["Anna", "Vera"]),
    ("city=Riga&city=Ogre", ["Anna", "Boris", "Vera"]),
    ("city__in=Riga,Ogre&name__ne=Vera", ["Anna", "Boris"]),
    ("name__starts_with=b", ["Boris"]),
    ("birthday__gte=1990-01-01", ["Anna"]),
    ("birthday__is_empty=true", ["Boris", "Vera"]),
    ("birthday__is_empty=false", ["Anna"]),
    ("birthday__between=1990-01-01,1991-01-01", ["Anna"]),
    ('filter={"field":"city","op":"eq","value":"Ogre"}', ["Boris"]),
    ('filter={"field":"city","op":"eq","value":"Riga"}&name=Vera', ["Vera"]),
    ("owner=me&q=anna", ["Anna"]),
    ("owner.name=Admin&limit=1", ["Anna"]),
    ("sort=-name", ["Vera", "Boris", "Anna"]),
    ("sort=-city,name", ["Anna", "Vera", "Boris"]),
]


def test_a_list_is_filtered_and_sorted(towns: Client) -> None:
    assert [(query, names(towns, query)) for query, _found in FILTERS] == FILTERS


def test_a_list_is_read_page_by_page_and_counted(towns: Client) -> None:
    first = towns.get("/customer?limit=2&count=true&fields=name,owner.name").json
    assert first["total"] == 3
    assert first["items"][0] == {"id": 1, "version": 1, "name": "Anna", "owner.name": "Admin"}
    second = towns.get("/customer", query_string={"limit": 2, "fields": "name", "cursor": first["next"]}).json
    assert ([item["name"] for item in second["items"]], second["next"]) == (["Vera"], None)


def test_a_page_of_records_is_asked_by_two_statements_whatever_its_length(
    towns: Client, workspace: Workspace
) -> None:
    statements: list[str] = []

    def note(_c: object, _u: object, statement: str, *_more: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append(statement)

    towns.get("/customer")
    engine = workspace.namespace._read
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        for limit in (1, 3):
            statements.clear()
            assert len(towns.get(f"/customer?limit={limit}").json["items"]) == limit
            assert len(statements) == 2  # who asks, and the page
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def test_a_lost_update_is_refused(client: Client) -> None:
    path = f"/customer/{client.create('customer', name='Anna')}"
    assert client.patch(path, {"city": "Riga"}, headers={"If-Match": '"1"'}).status_code == 200
    late = client.patch(path, {"city": "Ogre"}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json["code"], late.json["current_version"]) == (412, "stale_version", 2)
    assert client.delete(path, headers={"If-Match": '"1"'}).status_code == 412
    assert client.patch(path, {"city": "Ogre"}, headers={"If-Match": 'W/"2"'}).status_code == 412
    assert client.patch(path, {"city": "Ogre"}, headers={"If-Match": '"1", "2"'}).status_code == 200
    assert client.patch(path, {"city": "Rome"}, headers={"If-Match": "*"}).status_code == 200
    assert client.get(path).json["city"] == "Rome"


def test_what_is_wrong_is_named_by_field_in_the_language_asked_for(client: Client) -> None:
    wrong = {"name": "Anna", "email": "no", "cty": "Riga"}
    refused = client.post("/customer", wrong)
    assert (refused.status_code, refused.content_type) == (422, "application/problem+json")
    assert set(refused.json["errors"]) == {"email", "cty"}
    assert "city" in refused.json["errors"]["cty"][0]
    russian = client.post("/customer", wrong, headers={"Accept-Language": "ru"})
    assert russian.json["errors"]["email"] != refused.json["errors"]["email"]
    assert names(client, "") == []


def test_many_are_written_in_one_transaction(client: Client) -> None:
    known = client.create("customer", name="Anna", external_id="a")
    items = [{"name": "Boris", "external_id": "b"}, {"id": known, "version": 1, "city": "Riga"}]
    done = client.post("/customer:batch", {"items": items}).json
    assert (done["created"], done["updated"]) == (1, 1)
    assert [item["action"] for item in done["items"]] == ["created", "updated"]
    contact = client.post("/contact:batch", [{"name": "C", "customer": {"external_id": "b"}}])
    assert contact.status_code == 200
    assert client.get(f"/contact/{contact.json['items'][0]['id']}").json["customer"] == done["items"][0]["id"]


BAD_WRITES: list[tuple[object, int, str]] = [
    ({"name": "B", "email": "no"}, 422, "email"),
    ({"name": "B", "colour": "red"}, 422, "colour"),
    ({"id": 999_999, "name": "B"}, 404, "id"),
    ({"id": 1, "version": 7, "name": "B"}, 412, "version"),
    ({"id": "1", "name": "B"}, 422, "id"),
    ({"version": 1, "name": "B"}, 422, "version"),
    ("Boris", 422, "_record"),
    ({"name": "A2", "external_id": "a"}, 422, "external_id"),
    ({"owner": {"external_id": "nobody"}, "name": "B"}, 422, "owner"),
]


def test_one_bad_write_refuses_all_and_is_named(client: Client) -> None:
    client.create("customer", name="Anna")
    for second, status, field in BAD_WRITES:
        refused = client.post("/customer:batch", {"items": [{"name": "New", "external_id": "a"}, second]})
        assert refused.status_code == status, refused.text
        assert [(one["index"], list(one["errors"])) for one in refused.json["failures"]] == [(1, [field])]
        assert list(refused.json["errors"]) == [f"1.{field}"]
    assert names(client, "") == ["Anna"]


def test_a_batch_has_its_limit_and_no_record_twice(client: Client) -> None:
    assert client.post("/customer:batch", {"items": [{"name": "A"}] * 1001}).status_code == 400
    assert client.post("/customer:batch", [{"id": None, "name": "A"}]).status_code == 422
    known = client.create("customer", name="Anna")
    twice = client.post(
        "/customer:batch", {"items": [{"id": known, "city": "A"}, {"id": known, "city": "B"}]}
    )
    assert (twice.status_code, list(twice.json["errors"])) == (422, ["1.id"])
    assert client.post("/customer:batch", {"items": [{"name": "A"}] * 1000}).json["created"] == 1000


def test_a_record_moves_through_its_stages(client: Client) -> None:
    path = f"/opportunity/{client.create('opportunity', name='Deal')}"
    moved = client.post(f"{path}:move", {"stage": "won"}, headers={"If-Match": '"1"'})
    assert (moved.status_code, moved.json["stage"], moved.json["outcome"]) == (200, "won", "won")
    assert client.post(f"{path}:move", {"stage": "qualify"}, headers={"If-Match": '"1"'}).status_code == 412
    unknown = client.post(f"{path}:move", {"stage": "nowhere"})
    assert (unknown.status_code, list(unknown.json["errors"])) == (422, ["stage"])
    assert list(client.post(f"{path}:move", {}).json["errors"]) == ["stage"]
    contact = client.create("contact", name="Anna")
    assert client.post(f"/contact/{contact}:move", {"stage": "won"}).status_code == 409
    customer = client.create("customer", name="Anna")
    moved = client.post(f"/customer/{customer}:move", {"stage": "loyal"})
    assert (moved.json["relationship_stage"], moved.json["stage_held"]) == ("loyal", True)


def test_the_bin_is_listed_and_gives_back(client: Client) -> None:
    record_id = client.create("customer", name="Anna")
    client.delete(f"/customer/{record_id}")
    assert names(client, "") == []
    assert names(client, "deleted=true") == ["Anna"]
    assert client.get(f"/customer/{record_id}?deleted=true").status_code == 200
    assert client.post(f"/customer/{record_id}:restore").json["name"] == "Anna"
    assert names(client, "") == ["Anna"]
    assert client.post(f"/customer/{record_id}:restore").status_code == 404
