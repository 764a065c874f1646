"""Sales channels: opportunities begin in the funnel of their channel, and a channel is compared with what it costs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from trellis.crm.sales.counting import Scope, funnel_named, last_months
from trellis.crm.sales.effectiveness import effectiveness
from trellis.errors import RecordInvalid
from trellis.kpi.splits import CHANNEL
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

PARTNERS = {"own.partners": {"title": "Partners", "stages": [{"value": "registered", "title": "Registered"}]}}


def test_a_channel_has_its_funnel_its_cost_and_its_share_of_sales(workspace: Workspace) -> None:
    with workspace.write() as session:
        workspace.save_settings(session, {"funnels": PARTNERS})
    today = date.today()
    with workspace.write() as session:
        edition = workspace.edition(session)
        door = Records(session, edition, SYSTEM)
        with pytest.raises(RecordInvalid) as caught:
            door.create("sales_channel", {"name": "Nowhere", "funnel": "none"})
        assert list(caught.value.errors) == ["funnel"]
        door.create(
            "sales_channel", {"name": "Resellers", "kind": "partner", "funnel": "own.partners", "cost": 50}
        )
        door.create("sales_channel", {"name": "Shop", "cost": "10.50"})
        deal = door.create("opportunity", {"name": "A", "channel": "Resellers"}).values
        assert (deal["funnel"], deal["stage"]) == ("own.partners", "registered")
        for channel, amount in (("Shop", 300), (None, 100)):
            won = {"name": "B", "channel": channel, "amount": amount, "stage": "won", "begun_on": today}
            assert door.create("opportunity", won).values["funnel"] == "sales"
        period = last_months(today, 1, 2)
        lifecycle = funnel_named(session, edition, SYSTEM, "sales")
        scope = Scope(
            session=session, edition=edition, actor=SYSTEM, lifecycle=lifecycle, period=period, today=today
        )
        rows = {one.key: (one.share, one.cost, one.cost_share) for one in effectiveness(scope, CHANNEL).rows}
        assert rows == {
            "Shop": (0.75, Decimal(21), 0.07),
            None: (0.25, None, None),
            "Resellers": (0.0, Decimal(100), None),
        }
        workspace.save_settings(session, {"funnels": {}})
        door = Records(session, workspace.edition(session), SYSTEM)
        assert door.create("opportunity", {"name": "C", "channel": "Resellers"}).values["funnel"] == "sales"
