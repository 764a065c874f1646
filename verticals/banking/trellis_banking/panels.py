"""Cards beside records: what a customer holds, and how a loan is paid back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trellis
from trellis import Panel

from trellis_banking.model import AGREEMENTS
from trellis_banking.schedule import schedule

_ = trellis.translator("trellis_banking")
_n = trellis.plural_translator("trellis_banking")

MOST = 5
RUNNING = {"banking.loan": ("active", "restructured"), "banking.deposit": ("active",)}


def holdings(records: trellis.Records, customer: int) -> Mapping[str, Any]:
    """The loans and deposits of a customer that run now: the largest loans, the deposits that end first."""
    loans = _running(records, "banking.loan", customer, "-outstanding")
    deposits = _running(records, "banking.deposit", customer, "matures_on")
    base = f"/{records.edition.workspace}"
    return {
        "currency": records.edition.settings.currency,
        "rows": [
            *(_row(f"{base}/banking.loan", one, one["outstanding"], late=_late(one)) for one in loans),
            *(
                _row(f"{base}/banking.deposit", one, one["amount"], ends=one["matures_on"])
                for one in deposits
            ),
        ],
        "none": _("No loans and no deposits"),
    }


def _row(url: str, values: Mapping[str, Any], amount: Any, **more: Any) -> dict[str, Any]:
    named = {name: values[name] for name in ("number", "currency")}
    return {"url": f"{url}/{values['id']}", "amount": amount, **named, **more}


def _late(loan: Mapping[str, Any]) -> Any:
    days = loan["days_past_due"]
    return _n("%(num)s day late", "%(num)s days late", days) if days else None


def _running(records: trellis.Records, entity: str, customer: int, sort: str) -> list[dict[str, Any]]:
    if not records.actor.may(entity, "read"):
        return []
    rule = {
        "all": [
            {"field": "customer", "op": "eq", "value": customer},
            {"field": "status", "op": "in", "value": list(RUNNING[entity])},
        ]
    }
    page = records.list(entity, rule=rule, sort=(sort,), limit=MOST)
    return [{"id": one.id, **one.values} for one in page.items]


def repayment(records: trellis.Records, loan: int) -> Mapping[str, Any]:
    """The first and the last instalment of a loan, and what it costs over its whole term."""
    values = records.get("banking.loan", loan).values
    instalments = schedule(values["amount"], values["rate"], values["term"], values["schedule"])
    owed = values["outstanding"]
    paid = float(1 - owed / values["amount"]) if owed is not None and values["amount"] else None
    return {
        "currency": values["currency"] or records.edition.settings.currency,
        "rows": (
            (_("First instalment"), instalments[0].payment),
            (_("Last instalment"), instalments[-1].payment),
            (_("Interest over the term"), sum(one.interest for one in instalments)),
        ),
        "paid": max(0.0, min(1.0, paid)) if paid is not None else None,
        "paid_label": _("Paid back"),
    }


PANELS = [
    Panel(
        name="banking.holdings",
        title=_("Loans and deposits"),
        cell=AGREEMENTS,
        entity="customer",
        load=holdings,
        template="trellis_banking/holdings.html",
    ),
    Panel(
        name="banking.repayment",
        title=_("Repayment"),
        cell=AGREEMENTS,
        entity="banking.loan",
        load=repayment,
        template="trellis_banking/repayment.html",
    ),
]
