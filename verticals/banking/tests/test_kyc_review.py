"""A KYC review from its papers to a customer who is valid or blocked, by four eyes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from running import World
from trellis import enabling
from trellis.errors import PermissionRefused
from trellis.installation import Installation
from trellis.kpi.periods import today_in
from trellis.process import seeing
from trellis.process.tables import DONE
from trellis.process.tasks import Tasks
from trellis.workspace import Workspace


@pytest.fixture
def bank(installation: Installation, workspace: Workspace) -> World:
    enabling.enable(workspace, "banking")
    made = World(installation, workspace)
    made.user("agent@acme.test", "agent")
    for name in ("rater", "head"):
        made.user(f"{name}@acme.test", "manager")
    return made


@pytest.mark.parametrize(
    ("collected", "rated", "consent", "stage", "status", "days"),
    [
        (True, ("low", "keep"), None, "passed", "valid", 1095),
        (True, ("high", "keep"), "yes", "passed", "valid", 365),
        (True, ("high", "keep"), "no", "blocked", "blocked", None),
        (False, ("low", "keep"), None, "blocked", "blocked", None),
    ],
)
def test_a_review_ends_with_a_valid_or_a_blocked_customer(
    bank: World,
    collected: bool,
    rated: tuple[str, str],
    consent: str | None,
    stage: str,
    status: str,
    days: int | None,
) -> None:
    with bank.workspace.write() as session:
        agent, rater, head = (bank.door(session, f"{name}@acme.test") for name in ("agent", "rater", "head"))
        unit = {"owner": agent.actor.user_id}
        customer = agent.create("customer", {"name": "Anna Novak", **unit}).id
        values: dict[str, Any] = {"name": "Yearly review", "customer": customer, "due_on": "2026-12-01"}
        review = agent.create("banking.kyc_review", {**values, **unit}).id
        run = seeing.start(agent, "banking.kyc_review", review, {})

        def complete(door: Any, given: dict[str, Any]) -> None:
            tasks = Tasks(door)
            (task,) = tasks.of_instance(run)
            tasks.take(task.id)
            tasks.complete(task.id, given)

        complete(agent, {"source_of_funds": "Salary", "proven": collected})
        risk, decision = rated
        complete(rater, {"risk_class": risk, "decision": decision})
        if consent is not None:
            with pytest.raises(PermissionRefused):
                complete(rater, {"consent": consent})
            complete(head, {"consent": consent})
        assert head.get("banking.kyc_review", review).values["stage"] == stage
        kept = head.get("customer", customer).values
        assert kept["banking.kyc_status"] == status
        zone = head.edition.settings.timezone
        next_review = None if days is None else today_in(ZoneInfo(zone)) + timedelta(days)
        assert kept["banking.kyc_next_review"] == next_review
        assert seeing.Instances(head).get(run).state == DONE
