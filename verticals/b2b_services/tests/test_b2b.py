"""What the service firm measures, on numbers small enough to check by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session
from trellis import enabling
from trellis.config import Config
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.window import Window
from trellis.installation import Installation
from trellis.kpi import engine
from trellis.kpi.periods import parse
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.segments.engine import members, refresh
from trellis.testing.templates import Prepare
from trellis.workspace import Workspace

TODAY = date(2026, 11, 23)


def found_firm(config: Config) -> None:
    """A consultant with two entries of time, and a milestone, in October."""
    installation = Installation(config)
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "b2b")
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        customer = records.create("customer", {"name": "Helio Grid", "kind": "company"}).id
        engagement = records.create("b2b.engagement", {"name": "Audit", "customer": customer}).id
        consultant = records.create("b2b.consultant", {"name": "Eva", "rate": 100, "cost_rate": 60}).id
        for hours, billable in ((6, True), (2, False)):
            values: dict[str, Any] = {"task": "Concept", "consultant": consultant, "engagement": engagement}
            values |= {"worked_on": "2026-10-05", "hours": hours, "billable": billable, "approved": True}
            records.create("b2b.time_entry", values)
        milestone = {"name": "Pilot", "engagement": engagement, "customer": customer, "amount": 1000}
        records.create("b2b.milestone", {**milestone, "due_on": "2026-10-10", "accepted_on": "2026-10-09"})
        records.create("b2b.milestone", {**milestone, "due_on": "2026-10-12", "accepted_on": "2026-10-20"})
    installation.close()


@pytest.fixture
def prepare() -> Prepare:
    return found_firm


@pytest.fixture
def firm(workspace: Workspace) -> Workspace:
    return workspace


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("b2b.billable_share", 6 / 8),
        ("b2b.utilisation", 6 / (40 * 31 / 7)),
        ("b2b.time_value", Decimal(600)),
        ("b2b.project_margin", (600 - 480) / 600),
        ("b2b.effective_rate", Decimal(75)),
        ("b2b.milestones_on_time", 0.5),
        ("b2b.milestones_accepted", Decimal(2000)),
    ],
)
def test_figures_are_those_of_the_formulas(firm: Workspace, name: str, value: Any) -> None:
    with firm.read() as session:
        found = engine.value(session, firm.edition(session), SYSTEM, name, parse("2026-10"), today=TODAY)
        seventh = engine.value(
            session, firm.edition(session), SYSTEM, name, parse("2026-10"), today=date(2026, 10, 7)
        )
    assert found.value == pytest.approx(value)
    if (
        name == "b2b.utilisation"
    ):  # the hours of a week that is gone are not set against those of the whole month
        assert seventh.value == pytest.approx(6 / 40)


def test_income_is_time_and_milestones(firm: Workspace) -> None:
    with firm.read() as session:
        found = pyramid(session, firm.edition(session), SYSTEM, Window.of(parse("2026")), "revenue")
    assert found.tiers[0].revenue == Decimal(2600)


def test_white_space_and_tender_customers(firm: Workspace) -> None:
    with firm.write() as session:
        records = Records(session, firm.edition(session), SYSTEM)
        one, two, by_tender = (
            records.create("customer", {"name": name}).id for name in ("One", "Two", "Three")
        )

        def won(customer: int, line: str, stage: str = "won") -> None:
            values = {"name": line, "customer": customer, "stage": stage, "b2b.service_line": line}
            records.create("opportunity", values)

        won(one, "Audit")
        won(one, "Audit")
        assert _members(firm, session, "white_space") == set()  # nothing else is sold
        won(two, "Audit")
        won(two, "Rollout")
        won(by_tender, "Rollout", "qualify")
        records.update("customer", by_tender, {"b2b.procurement": "tender"})
        assert _members(firm, session, "white_space") == {one}
        assert _members(firm, session, "tender_customers") == {by_tender}


def _members(firm: Workspace, session: Session, segment: str) -> set[int]:
    edition = firm.edition(session)
    refresh(session, edition, [f"b2b.{segment}"])
    return set(session.scalars(members(edition, SYSTEM, f"b2b.{segment}")))


def test_all_three_verticals_run_together(workspace: Workspace) -> None:
    for name in ("retail", "banking"):
        enabling.enable(workspace, name)
    with workspace.read() as session:
        edition = workspace.edition(session)
    assert edition.faults == ()
    assert {manifest.name for manifest in edition.plugins} == {"retail", "banking", "b2b"}
