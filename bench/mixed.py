"""Requests per second of 16 clients at once on 2 workers: 80 % reads, 20 % creates and updates, against the hand-written application.

After a round of each to warm up, rounds of both are taken in turns. Every request is checked to succeed.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode

from bench.by_hand import FIELDS
from bench.lists import LISTED, token_of
from bench.serving import Client, served
from bench.setting import CITIES, arguments, fill_customers, installed

CLIENTS, WORKERS, SECONDS = 16, 2, 5
READS = 0.8

Act = Callable[[Client, random.Random], object]


def ours(size: int) -> Act:
    """One request to Trellis."""

    def act(client: Client, chance: random.Random) -> object:
        if chance.random() >= READS:
            city = f"City {chance.randrange(CITIES)}"
            if chance.random() < 0.5:
                return client.ask("POST", "/api/v1/bench/customer", _customer(chance))
            return client.ask("PATCH", f"/api/v1/bench/customer/{chance.randint(1, size)}", {"city": city})
        if chance.random() < 0.5:
            filters = {"city": f"City {chance.randrange(CITIES)}"}
            return client.get(f"/api/v1/bench/customer?{urlencode(LISTED | filters)}")
        return client.get(f"/api/v1/bench/customer/{chance.randint(1, size)}")

    return act


def theirs(size: int) -> Act:
    """One request to the hand-written application."""

    def act(client: Client, chance: random.Random) -> object:
        if chance.random() >= READS:
            city = f"City {chance.randrange(CITIES)}"
            if chance.random() < 0.5:
                return client.ask("POST", "/customers", _customer(chance))
            return client.ask("PATCH", f"/customers/{chance.randint(1, size)}", {"city": city})
        if chance.random() < 0.5:
            return client.get(f"/customers?field=city&value={quote(f'City {chance.randrange(CITIES)}')}")
        return client.get(f"/customers/{chance.randint(1, size)}")

    return act


def rate(act: Act, port: int, headers: dict[str, str]) -> float:
    """Requests per second of all clients together."""
    done, errors = [0] * CLIENTS, list[BaseException]()
    until = time.perf_counter() + SECONDS

    def work(place: int) -> None:
        client, chance = Client(port, headers), random.Random()  # no two rounds make the same customers
        try:
            while time.perf_counter() < until:
                act(client, chance)
                done[place] += 1
        except BaseException as error:
            errors.append(error)

    began = time.perf_counter()
    threads = [threading.Thread(target=work, args=(place,)) for place in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(done) / (time.perf_counter() - began)


def main() -> None:
    """Prints the ratio of rates."""
    given = arguments(100_000, rounds=7)
    with installed(given.database) as (installation, workspace):
        headers = {"Authorization": f"Bearer {token_of(installation, workspace)}"}
        fill_customers(workspace, given.size)
        with served(installation, "bench", WORKERS) as (our_port, their_port):
            mine, other = list[float](), list[float]()
            rate(ours(given.size), our_port, headers), rate(theirs(given.size), their_port, {})
            for _round in range(given.rounds):
                mine.append(rate(ours(given.size), our_port, headers))
                other.append(rate(theirs(given.size), their_port, {}))
            times = statistics.median(a / b for a, b in zip(mine, other, strict=True))
            rates = f"{statistics.median(mine):.0f}/s against {statistics.median(other):.0f}/s"
            print(
                f"{given.database}, {given.size} customers, {CLIENTS} clients: {times:.2f} of by hand ({rates})"
            )


def _customer(chance: random.Random) -> dict[str, str]:
    number = chance.randrange(10**12)
    values = (f"New {number}", f"n{number}@example.com", f"City {number % CITIES}", "Country 7", f"N{number}")
    return dict(zip(FIELDS, values, strict=True))


if __name__ == "__main__":
    main()
