"""Groups of a list over REST: counts, sums by currency, pages of groups."""

from __future__ import annotations

import json

import pytest
from callers import Client


def test_groups_have_counts_sums_and_the_filter_that_finds_their_records(client: Client) -> None:
    anna = client.create("customer", name="Anna")
    for number, (amount, currency, day, customer) in enumerate(
        [
            ("10", None, "2026-01-31", anna),
            ("5", "USD", "2026-01-01", None),
            ("2.5", None, "2026-03-01", anna),
        ]
    ):
        client.create(
            "order", number=f"N{number}", amount=amount, currency=currency, ordered_at=day, customer=customer
        )
    january, march = "2026-01-01", "2026-03-01"
    answer = client.get("/order:groups?by=ordered_at:month&sums=amount").json
    assert answer is not None
    assert [(one["key"], one["count"]) for one in answer["items"]] == [(march, 1), (january, 2)]
    assert answer["items"][1]["sums"] == {
        "amount": [{"currency": "EUR", "sum": "10.00"}, {"currency": "USD", "sum": "5.00"}]
    }
    filtered = client.get("/order", query_string={"filter": json.dumps(answer["items"][1]["filter"])})
    assert len(filtered.json["items"]) == 2  # type: ignore[index]
    answer = client.get("/order:groups?by=customer&limit=1&amount__gte=1").json
    assert answer is not None
    assert (answer["items"][0]["title"], answer["total"], answer["next"]) == ("Anna", 2, 1)
    answer = client.get("/order:groups?by=customer&limit=1&offset=1").json
    assert answer is not None
    assert (answer["items"][0]["key"], answer["items"][0]["count"], answer["next"]) == (None, 1, None)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "by"),
        ("by=nothing", "by"),
        ("by=amount", "by"),
        ("by=channel:month", "by"),
        ("by=channel&sums=number", "sums"),
    ],
)
def test_what_cannot_be_grouped_names_the_parameter(client: Client, query: str, parameter: str) -> None:
    answer = client.get(f"/order:groups?{query}")
    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [parameter]  # type: ignore[index]
