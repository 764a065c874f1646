"""Grouped lists: heads with counts and sums, the first rows of each group, and the way to all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from trellis.web import grouping, list_page
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def admin(sign_in: SignIn) -> FlaskClient:
    return sign_in("admin@acme.test")


def page(client: FlaskClient, entity: str = "customer", **query: str) -> str:
    answer = client.get(f"/acme/{entity}?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def heads(text: str) -> list[str]:
    """The heads of the groups: label, count and sums."""
    found = re.findall(r'<tbody class="group-head">(.*?)</tbody>', text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


def rows(text: str) -> list[str]:
    return re.findall(r'<a class="truncate" href="[^"]+" hx-boost[^>]*>([^<]+)</a>', text)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the databases."""
    asked: list[str] = []

    def keep(connection: object, cursor: object, statement: str, *_others: object) -> None:
        asked.append(statement)

    sa.event.listen(Engine, "before_cursor_execute", keep)
    yield asked
    sa.event.remove(Engine, "before_cursor_execute", keep)


def test_a_list_is_grouped_and_a_group_becomes_a_filter(admin: FlaskClient) -> None:
    text = page(admin, group="city", columns="name,email")
    assert heads(text) == ["Brno 15", "Wien 15"]
    assert rows(text) == [f"Customer {n:02}" for n in (1, 3, 5, 7, 9, 0, 2, 4, 6, 8)]
    link = re.search(r'<a class="link" href="([^"]+)">All 15</a>', text)
    assert link is not None
    assert heads(unescape(admin.get(link[1]).text)) == []
    assert rows(unescape(admin.get(link[1]).text))[1] == "Customer 03"
    asked = json.dumps({"field": "city", "op": "eq", "value": "Brno"})
    assert heads(page(admin, group="city", filter=asked, q="customer"))[0].startswith("Brno 15 ")
    text = page(admin, "order", group="ordered_at:year", totals="1", columns="number,amount,city")
    assert sum(int(one.split()[1]) for one in heads(text)) == 60
    sums = ["".join(one.split()[2:]) for one in heads(text)]
    assert sum(float(one) for one in sums) == 2370
    assert heads(page(admin, group="gym.card", c="28", columns="name"))[0] == "G8 1"
    assert admin.get("/acme/customer?group=nothing").status_code == 400


def test_forty_groups_take_no_more_queries_than_two(admin: FlaskClient) -> None:
    asked = []
    for by in ("city", "gym.card"):
        page(admin, group=by)  # what is kept with the edition is there from now on
        with statements() as found:
            assert len(heads(page(admin, group=by))) in (2, 30)
        asked.append(len(found))
    assert asked[0] == asked[1]


def test_groups_of_a_long_list_read_their_rows_when_opened(
    admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (list_page, grouping):
        monkeypatch.setattr(module, "COUNT_UP_TO", 20)
    text = page(admin, group="city")
    assert heads(text) == ["Brno 15", "Wien 15"]  # without sums, which would read the whole list once more
    assert rows(text) == []
    url = re.search(r'data-group-url="([^"]+)"', text)
    assert url is not None
    opened = admin.get(url[1]).text
    assert rows(opened)[:2] == ["Customer 01", "Customer 03"]
    assert "All 15" in opened


def test_a_view_keeps_its_groups(admin: FlaskClient) -> None:
    headers = {"X-CSRF-Token": token_of(admin.get("/acme/search").text), "HX-Request": "true"}
    dialog = unescape(admin.get("/acme/customer/views/new?group=city").text)
    definition = re.search(r'name="definition" value="(.*?)">', dialog)
    assert definition is not None
    form = {"title": "By city", "definition": definition[1]}
    assert admin.post("/acme/customer/views", data=form, headers=headers).status_code == 204
    assert len(heads(page(admin, view="1"))) == 2
    assert heads(page(admin, view="1", group="-")) == []
    assert len(rows(page(admin, view="1", group="-"))) == 30
    form["definition"] = '{"group": "nothing"}'
    assert admin.post("/acme/customer/views", data=form, headers=headers).status_code == 400
