"""A call for till systems: who holds a loyalty card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trellis

from trellis_retail.fields import CARD_LEVEL, CARD_NUMBER, HOME_STORE
from trellis_retail.model import SIGNIFICANCE

_ = trellis.translator("trellis_retail")


def card(records: trellis.Records, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """``GET x/retail/card?number=...``: the holder within the caller's rights, or ``"customer": null``."""
    number = str(arguments.get("number") or "").strip()
    if not number:
        raise trellis.RecordInvalid({"number": [_("Give the number of a card")]})
    rule = {"field": CARD_NUMBER.name, "op": "eq", "value": number}
    fields = ("name", "tier", "rfm_code", "last_order_at", CARD_LEVEL.name, HOME_STORE.name)
    found = records.list("customer", rule=rule, fields=fields, limit=1).items
    if not found:
        return {"number": number, "customer": None}
    holder = found[0]
    last = holder.values["last_order_at"]
    return {
        "number": number,
        "customer": holder.id,
        "name": holder.values["name"],
        "level": holder.values[CARD_LEVEL.name],
        "tier": holder.values["tier"],
        "rfm": holder.values["rfm_code"],
        "home_store": holder.titles.get(HOME_STORE.name),
        "last_purchase": last.isoformat() if last else None,
    }


CALLS = [
    trellis.RestEndpoint(
        name="retail.card", title=_("Holder of a card"), cell=SIGNIFICANCE, slug="card", call=card
    )
]
