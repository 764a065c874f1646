"""Acts on many records, and totals of a list, where there are a million: what they take, beside the same by plain SQL.

An act changes up to 10,000 records, each checked, audited and searchable; by hand it is one UPDATE of the same records.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis.records import mass
from trellis.records.door import Records
from trellis.records.mass import Selection
from trellis.records.query import ListQuery
from trellis.records.totals import totals
from trellis.records.undoing import undo
from trellis.security.actor import Actor
from trellis.security.identities import add_user
from trellis.workspace import Workspace

from bench.lists import report
from bench.setting import CITIES, arguments, fill_customers, installed

T = TypeVar("T")
NUMBERS = ("revenue_12m", "margin_12m", "orders_count")


def main() -> None:
    """Prints a line a case."""
    given = arguments(1_000_000)
    with installed(given.database) as (installation, workspace):
        add_user(installation, workspace, "bench@example.com", "Bench", ["administrator"])
        fill_customers(workspace, given.size)
        _give_numbers(workspace)
        some = max(1, min(CITIES, 10_000 * CITIES // given.size))
        towns = [f"City {number}" for number in range(some)]
        one = {"field": "city", "op": "in", "value": towns}
        print(f"{given.database}, {given.size} customers; acts on {given.size * some // CITIES} of them")
        who = Actor(user_id=1, name="Bench", administrator=True, source="web")
        with workspace.read() as session:
            _totals(session, workspace, who, one, given.rounds)
        by_hand = sa.text("UPDATE customer SET country = 'Elsewhere' WHERE city IN :towns").bindparams(
            sa.bindparam("towns", towns, expanding=True)
        )
        acts: list[tuple[str, Callable[[Records], Any]]] = [
            ("update", lambda door: mass.update(door, "customer", Selection(rule=one), {"country": "Here"})),
            ("undo", lambda door: undo(door, "customer", 1)),
            ("delete", lambda door: mass.delete(door, "customer", Selection(rule=one))),
            ("restore", lambda door: mass.restore(door, "customer", Selection(rule=one))),
        ]
        print(f"UPDATE by hand: {_timed(workspace, lambda session: session.execute(by_hand))[0]:.2f} s")
        for title, act in acts:
            seconds, done = _timed(
                workspace, lambda session, act=act: act(Records(session, workspace.edition(session), who))
            )
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{title} of {done.changed}: {seconds:.2f} s, peak {peak:.0f} MB")


def _give_numbers(workspace: Workspace) -> None:
    with workspace.namespace.connection() as connection:
        sets = ", ".join(f"{name} = (id * 7919) % 1000000" for name in NUMBERS)
        connection.execute(sa.text(f"UPDATE customer SET {sets}"))
    with workspace.namespace.connection() as connection:
        connection.execute(sa.text("ANALYZE"))


def _totals(session: Session, workspace: Workspace, who: Actor, one: Any, rounds: int) -> None:
    """The totals of all customers, and of those that an act changes."""
    edition = workspace.edition(session)
    view = edition.entity("customer")
    sums = ", ".join(f"count({name}), sum({name}), min({name}), max({name})" for name in NUMBERS)
    towns = ", ".join(f"'{town}'" for town in one["value"])
    for title, rule, where in (("all", None, ""), ("some", one, f" AND city IN ({towns})")):
        plain = sa.text(f"SELECT {sums} FROM customer WHERE deleted_at IS NULL{where}")
        report(
            f"totals of three numbers, {title}",
            lambda rule=rule: totals(session, ListQuery(view, edition, who, rule=rule), NUMBERS, "EUR"),
            lambda plain=plain: session.execute(plain).all(),
            min(rounds, 7),
        )


def _timed(workspace: Workspace, act: Callable[[Session], T]) -> tuple[float, T]:
    began = time.perf_counter()
    with workspace.write() as session:
        done = act(session)
    return time.perf_counter() - began, done


if __name__ == "__main__":
    main()
