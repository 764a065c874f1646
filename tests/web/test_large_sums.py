"""Amounts that come to more than SQLite adds up (922 trillion) get a clear answer, and their lists stay open."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from trellis.errors import SumTooLarge
from trellis.installation import Installation
from trellis.records.door import Records, Write
from trellis.security.actor import SYSTEM

HUGE = "90000000000000"


def test_a_sum_that_is_too_large_is_told_and_never_an_error_of_the_server(
    sign_in: Callable[[str], FlaskClient], installation: Installation
) -> None:
    workspace = installation.workspace("acme")
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)

        def buy(customers: list[int]) -> None:
            given: dict[str, Any] = {"ordered_at": "2026-03-05T10:00:00Z", "amount": HUGE}
            orders = [{**given, "number": f"H{n}", "customer": one} for n, one in enumerate(customers)]
            records.save("order", [Write(values=order) for order in orders])

        with pytest.raises(SumTooLarge), records.whole():
            buy([1] * 20)  # what one customer brought in a day is kept as one amount
        buy(list(range(1, 13)))
        deals = [{"name": f"Deal {n}", "customer": 1, "amount": HUGE, "owner": 1} for n in range(12)]
        records.save("opportunity", [Write(values=deal) for deal in deals])
        adds_up = session.get_bind().dialect.name == "postgresql"
    client = sign_in("admin@acme.test")
    figure = {"related": "opportunity.customer", "measure": "sum", "field": "amount", "op": "gte", "value": 3}
    filtered = f"customer?filter={quote(json.dumps(figure))}"
    for path in (
        "order",
        "order/counts",
        "order?totals=1",
        "order?group=channel",
        "order?group=channel&totals=1",
    ):
        answer = client.get(f"/acme/{path}")
        assert (answer.status_code, "than can be added up" in answer.text) == (200, not adds_up), path
    for path in ("", "kpis", "opportunity/board", filtered):
        answer = client.get(f"/acme/{path}")
        told = (200, False) if adds_up else (409, True)
        assert (answer.status_code, "over 100 trillion" in answer.text) == told, path
    api = "/api/v1/acme"
    for path in ("kpis?period=2026-03", "order:groups?by=channel&sums=amount", filtered):
        answer = client.get(f"{api}/{path}")
        told = (200, False) if adds_up else (409, True)
        assert (answer.status_code, '"code":"sum_too_large"' in answer.text) == told, path
