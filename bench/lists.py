"""Lists of 50 and one record against a hand-written Flask view with one SQL statement and a JSON dump.

Both stand behind the same server, with a worker each, on the same data; their answers are compared before they are timed. Every
round asks for another city, card number or record.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from trellis.installation import Installation
from trellis.records import cursor as cursors
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.web.app import create_app
from trellis.workspace import Workspace

from bench.by_hand import FIELDS, PAGE
from bench.serving import Client, served
from bench.setting import CITIES, arguments, fill_customers, installed, ratio

EMAIL, PASSWORD = "bench@example.com", "correct horse battery staple"
DEEP = 10_000
LISTED = {"sort": "name", "fields": ",".join(FIELDS), "limit": str(PAGE)}

Path = Callable[[int], str]


@dataclass(frozen=True)
class Case:
    """What is asked of Trellis and of the other, by the number of the round."""

    title: str
    ours: Path
    theirs: Path


def listed(
    title: str, ours: dict[str, str], theirs: tuple[str, str], after: tuple[str, int] | None = None
) -> Case:
    """A list by one filter, maybe ``after`` a record; ``{n}`` in it changes with the round, ``{nn}`` and ``{nnn}`` in fixed width."""

    def place(number: int, names: dict[str, str]) -> str:
        return (
            urlencode(names)
            .replace("%7Bn%7D", str(number))
            .replace("%7Bnnn%7D", f"{number:03}")
            .replace("%7Bnn%7D", f"{number % 100:02}")
        )

    more = {} if after is None else {"name": after[0], "id": str(after[1])}
    return Case(
        title,
        lambda number: f"/api/v1/bench/customer?{place(number, LISTED | ours)}",
        lambda number: f"/customers?{place(number, {'field': theirs[0], 'value': theirs[1]} | more)}",
    )


def cases(client: Client, workspace: Workspace, size: int) -> list[Case]:
    """The lists and the record of the targets."""
    deep = last_before(workspace, min(DEEP, size // PAGE // 2))
    no_card = last_before(workspace, min(DEEP, size // PAGE // 2), without_card=True)
    person, empty = {"kind": "person"}, {"retail.card_number__is_empty": "true"}
    return [
        listed("filter on a column", {"city": "City {n}"}, ("city", "City {n}")),
        listed("filter on an indexed extension field", {"retail.card_number": "{n}0"}, ("card", "{n}0")),
        listed(
            "filter on a column, page 10,000",
            person | {"cursor": cursor_after(client, person, deep)},
            ("kind", "person"),
            deep,
        ),
        listed(
            "filter on an indexed extension field, page 10,000",
            empty | {"cursor": cursor_after(client, empty, no_card)},
            ("no_card", ""),
            no_card,
        ),
        Case(
            "one record",
            lambda number: f"/api/v1/bench/customer/{number % size + 1}",
            lambda number: f"/customers/{number % size + 1}",
        ),
    ]


def last_before(workspace: Workspace, page: int, *, without_card: bool = False) -> tuple[str, int]:
    """Name and id of the record before this page of customers by name."""
    sqlite = workspace.namespace.dialect == "sqlite"
    card = "json_extract(extra, '$.\"retail.card_number\"')" if sqlite else "(extra ->> 'retail.card_number')"
    where = f"WHERE {card} IS NULL" if without_card else ""
    statement = sa.text(f"SELECT name, id FROM customer {where} ORDER BY name, id LIMIT 1 OFFSET :before")
    with workspace.read() as session:
        name, record_id = session.execute(statement, {"before": (page - 1) * PAGE - 1}).one()
    return name, record_id


def cursor_after(
    client: Client, filters: dict[str, str], place: tuple[str, int], workspace: str = "bench"
) -> str:
    """The cursor that goes on behind a record, made of that of the first page."""
    first = json.loads(client.get(f"/api/v1/{workspace}/customer?{urlencode(LISTED | filters)}"))
    list_of = json.loads(base64.urlsafe_b64decode(first["next"] + "=="))[0]
    return cursors.encode(list_of, place)


def token_of(installation: Installation, workspace: Workspace) -> str:
    """A token of somebody who may do everything."""
    add_user(installation, workspace, EMAIL, "Bench", ["administrator"], password=PASSWORD)
    return new_token(workspace, EMAIL)


def cookie_of(installation: Installation) -> str:
    """The cookie of a browser in which that person has signed in."""
    client = create_app(installation).test_client()
    page = client.get("/bench/login").text
    csrf = page.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/bench/login", data={"email": EMAIL, "password": PASSWORD, "csrf_token": csrf})
    client.get("/bench/")  # the first page puts what forms need into the session
    cookie = client.get_cookie("trellis")
    assert cookie is not None
    return f"trellis={cookie.value}"


def compare(case: Case, ours: Client, theirs: Client) -> None:
    """Raises AssertionError unless both list the same records."""
    mine, other = (
        json.loads(client.get(path(7))) for client, path in ((ours, case.ours), (theirs, case.theirs))
    )
    if "items" in mine:
        assert len(mine["items"]) > 0, case.title
        assert [one["id"] for one in mine["items"]] == [one["id"] for one in other["items"]], case.title
    else:
        assert mine["id"] == other["id"]


def main() -> None:
    """Prints a line a case."""
    given = arguments(1_000_000)
    with installed(given.database) as (installation, workspace):
        token = token_of(installation, workspace)
        fill_customers(workspace, given.size)
        with served(installation, "bench", 1) as (our_port, their_port):
            ours = Client(our_port, {"Authorization": f"Bearer {token}"})
            theirs = Client(their_port)
            print(f"{given.database}, {given.size} customers, {given.rounds} rounds")
            for case in cases(ours, workspace, given.size):
                time_case(case, ours, theirs, given.rounds)
            page = Client(our_port, {"Cookie": cookie_of(installation)})
            rest = f"/api/v1/bench/customer?{urlencode(LISTED | {'city': 'City 7'})}"
            rule = quote(json.dumps({"field": "city", "op": "eq", "value": "City 7"}))
            assert b"City 7" in page.get(f"/bench/customer?filter={rule}&sort=name")
            report(
                "HTML list against REST list",
                lambda: page.get(f"/bench/customer?filter={rule}&sort=name"),
                lambda: ours.get(rest),
                given.rounds,
            )


def time_case(case: Case, ours: Client, theirs: Client, rounds: int) -> None:
    """Compares the answers, then times them."""
    compare(case, ours, theirs)
    numbers = iter(range(10_000_000))
    at = [0]

    def mine() -> None:
        at[0] = next(numbers) % (CITIES - 1) + 1
        ours.get(case.ours(at[0]))

    report(case.title, mine, lambda: theirs.get(case.theirs(at[0])), rounds)


def report(title: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> None:
    """One line of figures."""
    times, mine, other = ratio(ours, theirs, rounds)
    print(f"{title}: {times:.2f}x ({mine:.2f} ms against {other:.2f} ms)", flush=True)


if __name__ == "__main__":
    main()
