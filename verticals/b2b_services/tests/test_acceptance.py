"""A milestone from its results to the invoice: what the customer does not accept is mended first."""

from __future__ import annotations

from typing import Any

import pytest
from running import World
from trellis import enabling
from trellis.errors import RecordInvalid
from trellis.installation import Installation
from trellis.process import seeing
from trellis.process.tables import DONE
from trellis.process.tasks import Tasks
from trellis.workspace import Workspace


def test_a_milestone_is_mended_accepted_and_invoiced(
    installation: Installation, workspace: Workspace
) -> None:
    enabling.enable(workspace, "b2b")
    world = World(installation, workspace)
    world.user("agent@acme.test", "agent")
    world.user("lead@acme.test", "manager")
    with workspace.write() as session:
        boss, agent, lead = (world.door(session, who) for who in ("", "agent@acme.test", "lead@acme.test"))
        owner = {"owner": agent.actor.user_id}
        customer = boss.create("customer", {"name": "Helio Grid", **owner}).id
        engagement = boss.create("b2b.engagement", {"name": "Audit", "customer": customer, **owner}).id
        values = {"name": "Pilot", "engagement": engagement, "customer": customer, "amount": 1000}
        milestone = boss.create("b2b.milestone", {**values, **owner}).id
        run = seeing.start(lead, "b2b.acceptance", milestone, {})

        def complete(door: Any, element: str, **given: Any) -> None:
            tasks = Tasks(door)
            (task,) = tasks.of_instance(run)
            assert task.element == element
            if task.person_id is None:
                tasks.take(task.id)
            tasks.complete(task.id, given)

        complete(agent, "hand_over", results="A report")
        assert not Tasks(agent).of_instance(run)  # who hands over does not ask
        with pytest.raises(RecordInvalid) as caught:
            complete(lead, "ask", accepted="no")
        assert list(caught.value.errors) == ["defects"]
        complete(lead, "ask", accepted="no", defects="Two pages are missing")
        complete(agent, "mend", mended="Both")
        assert boss.get("b2b.milestone", milestone).values["accepted_on"] is None
        complete(lead, "ask", accepted="yes")
        assert boss.get("b2b.milestone", milestone).values["accepted_on"] is not None
        complete(lead, "invoice", invoice="2026-17")
        assert seeing.Instances(boss).get(run).state == DONE
