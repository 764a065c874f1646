"""Saved views: what they keep, who uses them, who changes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from trellis.installation import Installation
from trellis.system import SavedView
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
BRNO = json.dumps({"field": "city", "op": "eq", "value": "Brno"})
SETUP = {"filter": BRNO, "sort": "-name", "columns": "name,city,gym.card", "dense": "1"}


class Person:
    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text), "HX-Request": "true"}

    def list(self, **query: str) -> str:
        answer = self.client.get(f"/acme/customer?{urlencode(query)}" if query else "/acme/customer")
        assert answer.status_code == 200
        return unescape(answer.text)

    def post(self, path: str, url: str = "", **data: str) -> int:
        headers = {**self.headers, "HX-Current-URL": url}
        return self.client.post(f"/acme/customer/views{path}", data=data, headers=headers).status_code

    def save(self, title: str, share: str = "") -> None:
        """Saves the list of :data:`SETUP` from its dialog."""
        dialog = unescape(self.client.get(f"/acme/customer/views/new?{urlencode(SETUP)}").text)
        found = re.search(r'name="definition" value="(.*?)">', dialog)
        assert found is not None
        assert self.post("", title=title, share=share, definition=found[1]) == 204


@pytest.fixture
def admin(sign_in: SignIn) -> Person:
    return Person(sign_in("admin@acme.test"))


def rows(page: str) -> list[str]:
    return re.findall(r'<a class="truncate" href="[^"]+" hx-boost[^>]*>([^<]+)</a>', page)


def test_a_view_keeps_how_the_list_is_set_up(admin: Person) -> None:
    admin.save("In Brno")
    page = admin.list(view="1")
    assert rows(page)[:2] == ["Customer 29", "Customer 27"]
    assert "list-page page-fill dense" in page
    assert 'data-cell="gym.card"' in page
    assert "Not saved" not in page
    changed = admin.list(view="1", dense="0", filter="null")
    assert "Not saved" in changed
    assert len(rows(changed)) == 30
    assert "list-page page-fill dense" not in changed
    assert admin.post("/1/save", url="http://localhost/acme/customer?view=1&sort=name&filter=null") == 204
    assert rows(admin.list(view="1"))[:2] == ["Customer 00", "Customer 01"]
    assert admin.post("/1", title="Everybody") == 204
    assert "Everybody" in admin.list()
    assert admin.post("/1", title=" ") == 422
    assert admin.post("/1/delete") == 204
    assert "Everybody" not in admin.list()


def test_totals_stand_under_the_table(admin: Person) -> None:
    page = unescape(admin.client.get("/acme/order?totals=1&columns=number,amount,city").text)
    foot = re.sub(r"<[^>]+>|\s+", " ", page.partition("<tfoot")[2].partition("</tfoot>")[0]).split()
    assert "<tfoot" not in admin.list(totals="0")
    assert foot[-9:] == ["Sum", "2", "370.00", "Average", "39.50", "Minimum", "10.00", "Maximum", "69.00"]


def test_a_view_is_shared_with_everybody_or_a_role(admin: Person, sign_in: SignIn) -> None:
    admin.save("Of all", "*")
    admin.save("Of agents", "agent")
    admin.save("Of the boss")
    agent, reader = Person(sign_in("agent@acme.test")), Person(sign_in("reader@acme.test"))
    seen = {
        person: [one for one in ("Of all", "Of agents", "Of the boss") if one in person.list()]
        for person in (agent, reader)
    }
    assert seen == {agent: ["Of all", "Of agents"], reader: ["Of all"]}
    assert "Rename or share" not in agent.list(view="1")
    assert [agent.post(path, title="X") for path in ("/1", "/1/save", "/1/delete", "/3", "/3/first")] == [
        403,
        403,
        403,
        404,
        404,
    ]
    definition = json.dumps({"sort": ["name"]})
    assert agent.post("", title="Mine", share="*", definition=definition) == 403
    assert admin.post("", title="Lost", share="nobody", definition=definition) == 422


def test_a_view_of_a_field_that_is_gone_opens_without_its_rule_and_can_be_deleted(
    admin: Person, installation: Installation
) -> None:
    admin.save("In Brno")
    gone = {"rule": {"field": "own.shoe", "op": "gt", "value": 40}, "sort": ["own.shoe", "-name"]}
    with installation.workspace("acme").write() as session:
        session.execute(sa.update(SavedView).values(definition={**gone, "fields": ["own.shoe", "city"]}))
    answer = admin.client.get("/acme/customer?view=1")
    assert answer.status_code == 302
    page = unescape(admin.client.get(answer.headers["Location"]).text)
    assert "“In Brno” is shown without its rule" in page and "own.shoe" in page
    assert "Not saved" in page and "Delete the view" in page
    assert rows(page)[0] == "Customer 29"
    asked = json.dumps(gone["rule"])
    assert admin.client.get(f"/acme/customer?{urlencode({'view': '1', 'filter': asked})}").status_code == 400
    admin.post("/1/first")
    assert admin.client.get("/acme/customer").headers["Location"] == answer.headers["Location"]
    with installation.workspace("acme").write() as session:
        session.execute(sa.update(SavedView).values(entity="opportunity"))
    for shape, opens in (("board", "board"), ("calendar", "calendar"), ("export", "")):
        opened = admin.client.get(f"/acme/opportunity/{shape}?view=1&span=week", follow_redirects=True)
        assert (opened.status_code, opened.request.path) == (200, f"/acme/opportunity/{opens}".rstrip("/"))
        assert "“In Brno” is shown without its rule" in unescape(opened.text), shape


def test_a_list_opens_in_the_view_that_its_reader_chose(admin: Person, sign_in: SignIn) -> None:
    admin.save("In Brno", "*")
    assert admin.post("/1/first") == 204
    assert len(rows(admin.list())) == 15
    assert len(rows(admin.list(view="all"))) == 30
    assert len(rows(Person(sign_in("reader@acme.test")).list())) == 30
    edit = {"all": "true", "query": ""}  # all that is shown, not all there is
    asked = admin.client.post("/acme/customer/bulk/edit", data=edit, headers=admin.headers)
    assert "customers: 15" in asked.text
    admin.post("/1/first?on=false")
    assert len(rows(admin.list())) == 30
