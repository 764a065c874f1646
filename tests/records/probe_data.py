"""Records of the probe's entities that tie, miss values and lie on edges, as Python values."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from probe import TODAY, Company, Sample, row
from sqlalchemy.engine import Connection
from trellis.edition import Edition
from trellis.records.entity import Entity
from trellis.security.actor import Actor
from trellis.security.people import Unit, User

TEXTS = [
    "Москва",
    "москва",
    "МОСКВА-СИТИ",
    "Ёлка",
    "ёж",
    "İstanbul",
    "ΣΟΦΟΣ",
    "Straße",
    "50%",
    "a_b",
    "a\\b",
    "apple",
    "Apple",
    "Zebra",
    "ä",
    "日本",
    "😀",
    "it's",
    '"x"',
]
NUMBERS = [-7, -1, 0, 1, 2, 10, 9_007_199_254_740_993]
AMOUNTS = [
    Decimal(text)
    for text in ("-3.5", "-0.0001", "0", "0.0001", "0.1", "0.3", "1.2345", "10", "99999999.9999")
]
DAYS = [
    date(1970, 1, 1),
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2026, 11, 22),
    TODAY,
    date(2026, 11, 24),
]
MOMENTS = [
    datetime(day.year, day.month, day.day, hour, minute, 0, micro, tzinfo=UTC)
    for day in (date(2026, 3, 28), date(2026, 10, 24), date(2026, 11, 22), TODAY)
    for hour, minute, micro in (
        (0, 0, 0),
        (21, 59, 999_999),
        (22, 0, 0),
        (22, 59, 59),
        (23, 0, 0),
        (23, 0, 1),
    )
]


@dataclass(frozen=True)
class Data:
    """All records of the probe as Python values, by entity and id; ``deleted_at`` and ``id`` are among them."""

    records: Mapping[str, Mapping[int, dict[str, Any]]]

    def readable(self, actor: Actor) -> Any:
        """A lookup that knows what the actor may read."""

        def lookup(entity: str, id: int) -> Mapping[str, Any] | None:
            found = self.records[entity].get(id)
            hidden = (
                found is None or found["deleted_at"] is not None or not actor.reaches(entity, "read", found)
            )
            return None if hidden else found

        return lookup

    def referring(self, actor: Actor) -> Any:
        """The records that the actor may read whose field refers to an id."""
        read = self.readable(actor)

        def lookup(entity: str, field: str, id: int) -> Iterator[Mapping[str, Any]]:
            for one in self.records[entity].values():
                if one.get(field) == id and read(entity, one["id"]) is not None:
                    yield one

        return lookup


def _maybe(chance: random.Random, pool: list[Any], empty: float = 0.25) -> Any:
    return None if chance.random() < empty else chance.choice(pool)


def _samples(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
    for id in range(1, count + 1):
        yield {
            "id": id,
            "external_id": _maybe(chance, [f"X-{id}"]),
            "created_at": chance.choice(MOMENTS),
            "updated_at": chance.choice(MOMENTS),
            "name": chance.choice(TEXTS),
            "note": _maybe(chance, TEXTS),
            "email": _maybe(chance, ["anna@example.com", "иван@пример.рф", "x@y.se"]),
            "size": _maybe(chance, NUMBERS),
            "weight": _maybe(chance, [amount for amount in AMOUNTS if amount >= 0]),
            "price": _maybe(chance, AMOUNTS),
            "share": _maybe(chance, [Decimal("0.05"), Decimal("0.1234"), Decimal(1)]),
            "active": _maybe(chance, [True, False]),
            "counted": chance.choice(NUMBERS),
            "day": _maybe(chance, DAYS),
            "moment": _maybe(chance, MOMENTS),
            "colour": _maybe(chance, ["red", "green", "blue"]),
            "company": _maybe(chance, list(range(1, 9))),
            "keeper": _maybe(chance, [1, 2, 3]),
            "owner": _maybe(chance, [1, 2, 3]),
            "unit": _maybe(chance, [1, 2, 3, 5]),
            "probe.code": _maybe(chance, TEXTS),
            "probe.points": _maybe(chance, NUMBERS),
            "probe.fee": _maybe(chance, AMOUNTS),
            "probe.vip": _maybe(chance, [True, False]),
            "probe.since": _maybe(chance, DAYS),
            "probe.seen": _maybe(chance, MOMENTS),
            "probe.shade": _maybe(chance, ["red", "green"]),
            "probe.partner": _maybe(chance, list(range(1, 9))),
            "deleted_at": chance.choice([None] * 9 + [MOMENTS[0]]),
        }


def _companies(chance: random.Random) -> Iterator[dict[str, Any]]:
    for id in range(1, 9):
        yield {
            "id": id,
            "name": chance.choice(TEXTS),
            "city": _maybe(chance, TEXTS),
            "founded": _maybe(chance, DAYS),
            "owner": _maybe(chance, [1, 2, 3]),
            "unit": _maybe(chance, [1, 2, 3, 5]),
            "probe.region": _maybe(chance, TEXTS),
            "deleted_at": MOMENTS[0] if id in (3, 4) else None,
        }


def make_records(chance: random.Random, count: int) -> dict[type[Entity], list[dict[str, Any]]]:
    tree = ((1, None), (2, 1), (3, 2), (4, 1), (5, 4))
    units = [
        {
            "id": id,
            "name": f"Unit {id}",
            "unit": id,
            "parent": parent,
            "deleted_at": MOMENTS[0] if id == 4 else None,
        }
        for id, parent in tree
    ]
    people = [
        {
            "id": id,
            "name": name,
            "email": f"p{id}@x.se",
            "active": True,
            "owner": None,
            "unit": unit,
            "deleted_at": None,
        }
        for id, name, unit in ((1, "Анна", 1), (2, "Boris", 2), (3, "Clara", None))
    ]
    people[2]["deleted_at"] = MOMENTS[0]
    return {
        Unit: units,
        User: people,
        Company: list(_companies(chance)),
        Sample: list(_samples(chance, count)),
    }


def fill_large(connection: Connection, edition: Edition, count: int = 20_000) -> None:
    """Samples of eight companies, with many different values in extension fields and a tenth of them empty."""
    chance = random.Random(11)
    made = make_records(chance, 0)
    made[Sample] = [
        {
            "id": id,
            "name": f"Sample {chance.randrange(count)}",
            "counted": chance.randrange(1000),
            "size": _maybe(chance, [chance.randrange(10)], 0.1),
            "moment": _maybe(chance, [MOMENTS[0] + timedelta(minutes=chance.randrange(10**6))], 0.1),
            "company": chance.randint(1, 8),
            "owner": chance.randint(1, 2),
            "probe.code": _maybe(chance, [f"C{chance.randrange(count)}"], 0.1),
            "probe.points": _maybe(chance, [chance.randrange(count)], 0.1),
            "probe.fee": _maybe(chance, [Decimal(chance.randrange(10**8)) / 10_000], 0.1),
            "probe.vip": chance.random() < 0.01,
            "probe.since": _maybe(chance, [date(1990, 1, 1) + timedelta(days=chance.randrange(13_000))], 0.1),
            "probe.seen": _maybe(chance, [MOMENTS[0] + timedelta(minutes=chance.randrange(10**6))], 0.1),
            "probe.partner": chance.randint(1, 8) if chance.random() < 0.01 else None,
        }
        for id in range(1, count + 1)
    ]
    for entity, rows in made.items():
        connection.execute(sa.insert(entity.__table__), [row(edition, entity, one) for one in rows])
