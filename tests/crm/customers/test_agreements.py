"""Agreements: stages with what they ask for, days that move them, renewal, and the service level that was agreed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from trellis.crm.customers import expiring
from trellis.crm.customers.agreeing import later
from trellis.errors import RecordInvalid
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner, enqueue
from trellis.kpi import engine
from trellis.kpi.periods import Grain, containing, today_in
from trellis.records.door import Records
from trellis.records.query import Record
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

TODAY = today_in(ZoneInfo("UTC"))


def days(number: int) -> date:
    return TODAY + timedelta(days=number)


class Office:
    """Writes agreements, and lets a night pass."""

    def __init__(self, installation: Installation, workspace: Workspace) -> None:
        self.installation, self.workspace = installation, workspace
        self.customer = self.create("customer", name="Anna").id

    def create(self, entity: str, **values: Any) -> Record:
        with self.workspace.write() as session:
            return Records(session, self.workspace.edition(session), SYSTEM).create(entity, values)

    def agreement(self, **values: Any) -> int:
        usual = {"title": "Support", "customer": self.customer, "value": 1200, "signed_on": days(-500)}
        return self.create("agreement", **{**usual, **values}).id

    def change(self, agreement: int, **values: Any) -> Record:
        with self.workspace.write() as session:
            records = Records(session, self.workspace.edition(session), SYSTEM)
            return records.update("agreement", agreement, values)

    def night(self) -> None:
        with self.workspace.write() as session:
            enqueue(session, expiring.KIND, {}, None)
        Runner(self.installation, JOB_KINDS).drain()

    def of(self, entity: str, record: int) -> dict[str, Any]:
        with self.workspace.read() as session:
            return Records(session, self.workspace.edition(session), SYSTEM).get(entity, record).values

    def kpi(self, name: str) -> Any:
        with self.workspace.read() as session:
            year = containing(TODAY, Grain.YEAR)
            return engine.value(session, self.workspace.edition(session), SYSTEM, name, year).value


@pytest.fixture
def office(installation: Installation, workspace: Workspace) -> Office:
    return Office(installation, workspace)


def test_an_agreement_goes_its_way_by_its_days(office: Office) -> None:
    draft = office.agreement(signed_on=None, value=None)
    with pytest.raises(RecordInvalid) as refused:
        office.change(draft, stage="approval")
    assert refused.value.errors.keys() == {"value", "starts"}
    office.change(draft, stage="approval", value=1200, starts=days(0), ends=days(10))
    with pytest.raises(RecordInvalid) as refused:
        office.change(draft, stage="signed")
    assert refused.value.errors.keys() == {"signed_on"}
    with pytest.raises(RecordInvalid, match="start"):
        office.change(draft, ends=days(-1))
    signed = office.change(draft, stage="signed", signed_on=days(-1)).values
    assert (signed["number"], signed["notice_on"], signed["kind"]) == ("A-000001", days(-20), "service")
    waiting = office.agreement(stage="signed", starts=days(1), ends=days(400))
    office.night()
    assert office.of("agreement", draft)["stage"] == "renewal"  # it began, and its notice had begun before
    assert office.of("agreement", waiting)["stage"] == "signed"
    with office.workspace.read() as session:
        tasks = session.execute(sa.text("SELECT subject, agreement_id FROM activity")).all()
    assert [tuple(one) for one in tasks] == [("Renew or end: Support", draft)]
    office.night()
    assert office.of("agreement", draft)["stage"] == "renewal"
    with pytest.raises(RecordInvalid, match="new end"):
        office.change(draft, stage="active")
    renewed = office.change(draft, stage="active", ends=days(365)).values
    assert (renewed["document_version"], renewed["renewals"], renewed["renewed_on"]) == (2, 1, TODAY)
    office.change(draft, starts=days(-300), ends=days(-1))
    office.night()
    ended = office.of("agreement", draft)
    assert (ended["stage"], ended["closed_on"]) == ("closed", days(-1))


def test_one_that_renews_by_itself_is_carried_on_and_another_follows_one_that_ends(office: Office) -> None:
    with pytest.raises(RecordInvalid) as refused:
        office.agreement(auto_renew=True)
    assert {"ends", "term_months"} & refused.value.errors.keys()
    term = {"stage": "active", "starts": days(-800), "notice_days": 0}
    carried = office.agreement(**term, ends=days(-40), auto_renew=True, term_months=1)
    office.night()
    values = office.of("agreement", carried)
    assert (values["stage"], values["document_version"]) == ("active", 2)
    assert TODAY <= values["ends"] <= days(31)

    ending = office.agreement(**term, ends=days(-1), value=500, currency="USD")
    office.night()
    assert office.of("agreement", ending)["stage"] == "closed"
    assert office.kpi("renewal_rate") == 0.5
    following = office.create("agreement", renews=ending).values
    assert (following["title"], following["value"], following["currency"]) == ("Support", 500, "USD")
    assert (following["starts"], following["ends"]) == (TODAY, TODAY + (days(-1) - days(-800)))
    assert (following["stage"], following["number"]) == ("draft", "A-000003")
    other = office.create("customer", name="Bob").id
    with pytest.raises(RecordInvalid) as refused:
        office.create("agreement", renews=ending, customer=other)
    assert refused.value.errors.keys() == {"renews"}
    office.agreement(renews=ending, stage="active", starts=TODAY, ends=days(365), value=700, currency="EUR")
    assert office.kpi("renewal_rate") == 1
    assert office.kpi("agreements_value") == 1200 + 700


def test_cases_take_the_service_level_that_was_agreed(office: Office) -> None:
    calendar = office.create("business_calendar", name="Office", timezone="UTC").id
    usual = {"calendar": calendar, "resolution_minutes": 60}
    agreed = office.create("sla_policy", name="Gold", **usual, only_agreed=True).id
    common = office.create("sla_policy", name="All", **usual, kind="request", priority="medium").id
    agreement = office.agreement(stage="active", starts=days(-1), sla_policy=agreed)

    def taken(**more: Any) -> int:
        values = {"subject": "Help", "customer": office.customer, **more}
        return office.create("case", **values).values["policy"]  # type: ignore[no-any-return]

    assert taken() == agreed
    stranger = office.create("customer", name="Bob").id
    assert taken(customer=stranger) == common
    assert taken(customer=stranger, kind="complaint") is None
    office.change(agreement, stage="closed")
    assert taken() == common


def test_the_last_day_of_a_month_stays_the_last() -> None:
    assert later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert later(date(2026, 2, 28), 1) == date(2026, 3, 31)
    assert later(date(2026, 11, 15), 14) == date(2028, 1, 15)


def test_days_at_the_ends_of_the_calendar_are_told_or_left_out(office: Office) -> None:
    with pytest.raises(RecordInvalid) as refused:
        office.agreement(ends=date(1, 1, 2))
    assert refused.value.errors.keys() == {"ends"}
    last = office.agreement(ends=date.max)
    following = office.create("agreement", renews=last).values
    assert (following["starts"], following["ends"]) == (None, None)
    far = office.agreement(starts=days(0), ends=date(9990, 12, 31), term_months=1200)
    following = office.create("agreement", renews=far).values
    assert (following["starts"], following["ends"]) == (date(9991, 1, 1), None)
    open_ended = office.agreement(stage="renewal", starts=days(-9), ends=days(9))
    office.change(open_ended, ends=None)
    assert office.change(open_ended, stage="active", ends=days(20)).values["renewals"] == 1
