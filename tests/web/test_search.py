"""The command palette and the page of a search: what they offer to whom, by the keys of either layout."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from trellis.web.searching import layouts

SignIn = Callable[[str], FlaskClient]


def palette(client: FlaskClient, **query: str) -> list[str]:
    """The titles of what is offered."""
    answer = client.get("/acme/palette", query_string=query, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    return [html.unescape(one) for one in re.findall(r'<span class="title">([^<]*)</span>', answer.text)]


def test_the_palette_offers_what_the_reader_has(sign_in: SignIn) -> None:
    admin, reader = sign_in("admin@acme.test"), sign_in("reader@acme.test")
    assert {"Home", "New customer"} <= set(palette(admin))
    assert palette(admin, recent="customer:3,nothing:1,customer:999,gym.membership:1")[:2] == [
        "Customer 02",
        "Gold",
    ]
    assert palette(admin, q="05 customer")[0] == "Customer 05"
    assert "New opportunity: Customer 05" in palette(admin, q="customer 05")
    form = admin.get("/acme/opportunity/new?customer=3").text
    assert "Customer 02" in form  # where such an act leads
    assert palette(admin, q="> opportunity customer 05") == ["New opportunity: Customer 05"]
    assert palette(admin, q="> new cust")[:1] == ["New customer"]
    assert palette(admin, q="# member") == palette(admin, q="#member") != []
    assert set(palette(admin, q="@ customer 05")) == {"Customer 05"}
    assert "Verticals" in palette(admin, q="settings")
    assert palette(reader, q="customer 05")[0] == "Customer 05"
    assert not any(title.startswith("New ") for title in palette(reader, q="customer 05") + palette(reader))
    assert "Verticals" not in palette(reader, q="settings")
    assert palette(reader, q="> new") == palette(reader, q="нигденет") == []


def test_either_layout_finds(sign_in: SignIn) -> None:
    assert layouts("bdfyjd") == ["bdfyjd", "иванов"]
    assert layouts("сгыещьук") == ["сгыещьук", "customer"]
    assert layouts("+7 495") == ["+7 495"]
    client = sign_in("admin@acme.test")
    assert palette(client, q="сгыещьук 05")[0] == "Customer 05"
    assert palette(client, q="> туц сгыещьук")[0] == "New customer"
    page = client.get("/acme/search?q=сгыещьук+05", headers={"Accept-Language": "en"}).text
    assert "Found as “customer 05”" in page and ">Customer 05</a>" in page


def test_the_page_of_a_search_leads_to_the_lists(sign_in: SignIn) -> None:
    client = sign_in("reader@acme.test")
    page = client.get("/acme/search?q=customer", headers={"Accept-Language": "en"}).text
    assert len(re.findall(r">Customer \d", page)) == 8 and '/acme/customer?q=customer"' in page
    assert "</a><p>Brno</p>" in page and "</a><p>Wien</p>" in page  # what tells one name from the other
    assert (
        "Nothing has “nothingatall”"
        in client.get("/acme/search?q=nothingatall", headers={"Accept-Language": "en"}).text
    )
    assert client.get(f"/acme/search?q={'x' * 2000}").status_code == 200
    assert client.get("/acme/search?q=%00").status_code == 400


def test_the_palette_asks_as_much_for_few_as_for_many(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    numbers = []
    statements: list[str] = []
    note = lambda *given: statements.append(given[2])  # noqa: E731
    sa.event.listen(Engine, "before_cursor_execute", note)
    try:
        for query in ("customer 05", "customer"):
            statements.clear()
            palette(client, q=query)
            numbers.append(len([one for one in statements if one.startswith("SELECT")]))
    finally:
        sa.event.remove(Engine, "before_cursor_execute", note)
    assert numbers[0] == numbers[1] <= 12
