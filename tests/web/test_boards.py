"""Boards: the filter of the list holds on them, in columns, heads and links; the forecast stands above."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from urllib.parse import urlencode

import sqlalchemy as sa
from flask.testing import FlaskClient
from samples import gym, plugin, registry
from trellis import enabling
from trellis.contributions import Cell, Direction, Level, Lifecycle, Stage
from trellis.crm.sales.entities import Opportunity
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.web.app import create_app
from web.conftest import PASSWORD, token_of

SignIn = Callable[[str], FlaskClient]
BOARD = "/acme/opportunity/board"


def board(client: FlaskClient, **query: str) -> str:
    answer = client.get(f"{BOARD}?{urlencode(query)}" if query else BOARD)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def cards(page: str) -> int:
    return page.count('<article class="board-card"')


def sums(page: str) -> str:
    """What the forecast says."""
    found = re.search(r'id="board-forecast".*?</section>', page, re.DOTALL)
    assert found is not None
    text = re.sub(r"<[^>]+>", " ", found[0].partition(">")[2])
    return " ".join(text.replace("\N{NO-BREAK SPACE}", "").split())


def test_a_board_is_filtered_like_its_list(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    rule = json.dumps({"field": "amount", "op": "gte", "value": "5000"})
    assert cards(board(admin)) == 8
    page = board(admin, filter=rule)
    assert cards(page) == 4
    assert '<span class="chip">' in page
    assert f'href="/acme/opportunity?{urlencode({"filter": rule})}"' in page  # the same list as a table
    more = re.search(r'id="folded-won">|href="([^"]+)" id="folded-won"', page)
    assert more is not None
    headers = {"X-CSRF-Token": token_of(page), "HX-Request": "true"}
    headers["HX-Current-URL"] = f"http://localhost{BOARD}?{urlencode({'filter': rule})}"
    dialog = unescape(admin.get(f"/acme/opportunity/views/new?{urlencode({'filter': rule})}").text)
    definition = re.search(r'name="definition" value="(.*?)">', dialog)
    assert definition is not None
    form = {"title": "Large", "definition": definition[1]}
    saved = admin.post("/acme/opportunity/views", data=form, headers=headers)
    assert saved.headers["HX-Redirect"] == f"{BOARD}?view=1"
    assert cards(board(admin, view="1")) == 4
    moved = admin.post("/acme/opportunity/8/move", data={"stage": "discover"}, headers=headers).text
    assert re.search(r'id="head-qualify".*?class="count">3<', moved, re.DOTALL)
    assert 'id="board-total" hx-swap-oob="true">4 open' in moved


def test_the_forecast_weighs_what_is_due_this_quarter(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(board(admin))}
    today, later = date.today().isoformat(), "2999-01-01"

    def change(number: int, **values: str) -> None:
        answer = admin.patch(f"/api/v1/acme/opportunity/{number}", json=values, headers=headers)
        assert answer.status_code == 200, answer.text

    assert "board-forecast" not in board(admin)  # nothing is due
    change(8, expected_close=today)
    change(7, expected_close=today, stage="negotiate")
    change(6, expected_close=later, stage="negotiate")
    change(5, expected_close=later, stage="won")
    text = sums(board(admin))
    assert text.startswith(f"Forecast, Q{(date.today().month + 2) // 3} {date.today().year} ")
    assert "€11.0k" in text  # 5000 won, three quarters of 7000, a tenth of 8000
    assert "Won €5.00k" in text
    assert "Commit €5.25k" in text
    assert "Weighted rest €800" in text
    assert "Best case +€8.95k" in text
    only = json.dumps({"field": "amount", "op": "lt", "value": "6000"})
    assert "Commit €0" in sums(board(admin, filter=only))


TOURS = Lifecycle(
    name="tours.deals",
    title=Text("Tours"),
    cell=Cell(Direction.SALES, Level.TACTICS),
    entity="opportunity",
    when=("funnel", "tours.deals"),
    stages=(Stage(value="qualify", title=Text("Asked")), Stage(value="won", title=Text("Won"), kind="won")),
)


def test_of_several_boards_one_with_records_opens(open_installation: Callable[..., Installation]) -> None:
    tours = plugin("tours", trellis_lifecycles=lambda: [TOURS])
    installation = open_installation(plugins=registry(gym(), tours))
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "tours")
    client = create_app(installation).test_client()
    form = {"csrf_token": token_of(client.get("/acme/login").text), "email": "admin@acme.test"}
    client.post("/acme/login", data={**form, "password": PASSWORD})
    assert cards(board(client)) == 8
    with workspace.write() as session:
        session.execute(sa.update(Opportunity).values(funnel="tours.deals"))
    assert cards(board(client)) == 8
    assert cards(board(client, board="sales")) == 0  # the one that is asked for
    assert "Tours" in client.get("/acme/opportunity/1?tab=details").text  # its funnel
    assert (
        '<option value="tours.deals" selected>Tours</option>' in client.get("/acme/opportunity/1/edit").text
    )


def test_sums_of_several_currencies_are_at_the_rate_of_the_day(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(admin.get(BOARD).text)}

    def new(entity: str, **values: object) -> None:
        assert admin.post(f"/api/v1/acme/{entity}", json=values, headers=headers).status_code == 201

    due = f"{date.today():%Y-%m-%d}"
    new("opportunity", name="Dollars", amount="10000", currency="USD", expected_close=due, stage="negotiate")
    new("opportunity", name="Yen", amount="999999", currency="JPY", expected_close=due, stage="negotiate")
    head = board(admin).replace("\N{NO-BREAK SPACE}", "")
    assert "10 open · €36.0k · 2 without a rate left out" in head
    new("exchange_rate", currency="USD", since="2020-01-01", rate="2")
    new("exchange_rate", currency="USD", since="2021-01-01", rate="0.5")
    head = board(admin).replace("\N{NO-BREAK SPACE}", "")
    assert "10 open · €41.0k · 1 without a rate left out" in head
    assert "Commit €3.75k" in sums(head)
    won = {"stage": "won", "closed_at": f"{due}T00:00:00Z"}
    page = admin.get("/api/v1/acme/opportunity?name=Dollars").json
    number = page["items"][0]["id"]  # type: ignore[index]
    assert admin.patch(f"/api/v1/acme/opportunity/{number}", json=won, headers=headers).status_code == 200
    assert "Won €5.00k" in sums(board(admin))
