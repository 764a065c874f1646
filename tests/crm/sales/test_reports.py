"""Reports: when they are due, what stands in their files, and that each recipient gets their own records once."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from posting import Box, received
from python_calamine import CalamineWorkbook
from trellis.config import Config
from trellis.contributions import Role
from trellis.crm.sales.reports.definition import Definition
from trellis.crm.sales.reports.figures import FigureLines
from trellis.crm.sales.reports.lines import ROW, Line, Lines
from trellis.crm.sales.reports.making import make_file
from trellis.crm.sales.reports.schedule import next_after
from trellis.crm.sales.reports.sending import send_now
from trellis.crm.sales.reports.writing import MOST_PRINTED, write_report
from trellis.errors import PermissionRefused, RecordInvalid
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.kpi.periods import today_in
from trellis.records.door import Records
from trellis.records.tables import TableRefused
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.security.identities import add_user
from trellis.security.people import User
from trellis.workspace import Workspace

PRAGUE = ZoneInfo("Europe/Prague")
USUAL = {"active": True, "weekday": "friday", "month_day": 31, "hour": 7}


def due(rhythm: str, *moment: int, **more: Any) -> datetime | None:
    after = datetime(*moment, tzinfo=PRAGUE).astimezone(UTC)  # type: ignore[arg-type, misc]
    found = next_after({**USUAL, "rhythm": rhythm, **more}, after, PRAGUE)
    return None if found is None else found.astimezone(PRAGUE).replace(tzinfo=None)


def test_reports_are_due_at_their_hour_in_the_zone_of_the_workspace() -> None:
    assert due("daily", 2026, 11, 26, 6, 59) == datetime(2026, 11, 26, 7)
    assert due("daily", 2026, 11, 26, 7) == datetime(2026, 11, 27, 7)
    assert due("weekly", 2026, 11, 26, 12) == datetime(2026, 11, 27, 7)
    assert due("weekly", 2026, 11, 27, 7) == datetime(2026, 12, 4, 7)
    assert due("monthly", 2026, 1, 31, 8) == datetime(2026, 2, 28, 7)
    assert due("monthly", 2026, 2, 28, 8, month_day=30) == datetime(2026, 3, 30, 7)
    assert due("never", 2026, 1, 1) is None
    assert due("daily", 2026, 1, 1, active=False) is None
    # 29 March has no hour from two to three; the day of the change back has that hour once
    assert due("daily", 2026, 3, 28, 12, hour=2) == datetime(2026, 3, 29, 3)
    assert due("daily", 2026, 10, 24, 12, hour=2) == datetime(2026, 10, 25, 2)
    assert due("daily", 2026, 10, 25, 4, hour=2) == datetime(2026, 10, 26, 2)


@pytest.fixture
def config(config: Config, post_office: tuple[str, Box]) -> Config:
    return dataclasses.replace(
        config,
        smtp_url=post_office[0],
        mail_from="crm@acme.test",
        url="https://crm.acme.test",
    )


def sheets(mail: EmailMessage) -> dict[str, list[list[Any]]]:
    """The rows of each sheet of the workbook in a mail."""
    (part,) = mail.iter_attachments()
    book = CalamineWorkbook.from_filelike(io.BytesIO(part.get_content()))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def make_due(workspace: Workspace, kind: str = "report") -> None:
    """Lets the time of jobs of a kind come."""
    with workspace.write() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(sa.update(Job).where(Job.kind == kind, Job.finished_at.is_(None)).values(due_at=past))


def test_a_report_goes_to_its_recipients_with_what_each_may_see(
    installation: Installation, workspace: Workspace, post_office: tuple[str, Box]
) -> None:
    boss = add_user(installation, workspace, "boss@acme.test", "Boss", ["administrator"])
    agent = add_user(installation, workspace, "agent@acme.test", "Агент", ["agent"])
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        records.update("user", agent, {"language": "ru"})
        for number, channel, amount, currency, owner in (
            ("1", "web", "10.50", None, boss),
            ("2", "shop", "20", None, agent),
            ("3", "web", "=1+1", None, boss),
            ("4", "web", "5", "USD", boss),
        ):
            formula = amount.startswith("=")
            order = {
                "channel": channel,
                "currency": currency,
                "owner": owner,
                "notes": amount if formula else None,
            }
            order |= {
                "number": number,
                "ordered_at": "2026-05-05T10:00:00Z",
                "amount": "1" if formula else amount,
            }
            records.create("order", order)
        report = records.create(
            "report",
            {
                "name": "Orders by channel",
                "of_entity": "order",
                "rule": {"field": "ordered_at", "op": "gte", "value": "2026-01-01"},
                "columns": "number, amount, notes, owner",
                "sort_by": "number",
                "group_by": "channel",
                "totals": "amount",
                "rhythm": "daily",
            },
        ).id
        for person in (boss, agent):
            records.create("report_recipient", {"report": report, "person": person})
    runner = Runner(installation, JOB_KINDS)
    runner.drain()
    assert received(post_office[1]) == []  # it is not due yet
    make_due(workspace)
    runner.drain()
    to_boss, to_agent = sorted(received(post_office[1]), key=lambda mail: mail["To"], reverse=True)
    assert to_boss["To"] == "boss@acme.test" and to_boss["Subject"].startswith("Orders by channel, ")
    text = to_boss.get_body().get_content()  # type: ignore[union-attr]
    assert "4 records" in text and f"https://crm.acme.test/acme/report/{report}" in text
    shown = sheets(to_boss)
    rows = [row for row in shown["Report"][2:] if any(row)]
    assert rows[0] == ["Number", "Amount", "Notes", "Owner"]
    assert rows[1] == ["2", 20, "", "Агент"]
    assert rows[2] == ["shop (1)", 20, "", ""]
    assert rows[3:6] == [["1", 10.5, "", "Boss"], ["3", 1, "=1+1", "Boss"], ["4", "$5.00", "", "Boss"]]
    assert rows[6][0] == "Website (3)" and rows[6][1] == "€11.50 + $5.00"
    assert rows[7][0] == "Total (4)"
    assert [row[:2] for row in shown["Groups"][1:]] == [["shop", 1], ["Website", 3]]
    assert "1 запись" in to_agent.get_body().get_content()  # type: ignore[union-attr]
    (name, groups) = sheets(to_agent)
    assert name == "Отчёт" and groups == "Группы"
    assert [row[0] for row in sheets(to_agent)[name][3:] if row[0]] == ["2", "shop (1)", "Итого (1)"]
    with workspace.read() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        runs = records.list("report_run", sort=["id"]).items
        assert [(run.values["state"], run.values["rows"]) for run in runs] == [("sent", 4), ("sent", 1)]
        jobs = session.execute(sa.select(Job.kind, Job.due_at).where(Job.finished_at.is_(None))).all()
        (again,) = [at for kind, at in jobs if kind == "report"]
        assert datetime.now(UTC) < again < datetime.now(UTC) + timedelta(days=1, hours=1)


def test_a_mail_that_is_refused_is_tried_again_and_what_is_wrong_stands_there(
    installation: Installation, workspace: Workspace, post_office: tuple[str, Box]
) -> None:
    boss = add_user(installation, workspace, "later@acme.test", "Boss", ["administrator"])
    clerk = add_user(installation, workspace, "clerk@acme.test", "Clerk", ["reader"])
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        values = {"name": "Customers", "of_entity": "customer", "format": "csv", "owner": boss}
        report = records.create("report", values).id
        records.create("customer", {"name": "=cmd|' /C calc'!A0"})
        assert send_now(records, report) == 1  # nobody is named: to the owner
    runner = Runner(installation, JOB_KINDS)
    runner.drain()
    assert received(post_office[1]) == []
    with workspace.write() as session:
        (job,) = session.execute(
            sa.select(Job.errors, Job.problem).where(Job.kind == "report_delivery")
        ).all()
        assert job.errors == 1
        session.execute(sa.update(User).where(User.id == boss).values(email="boss@acme.test"))
    make_due(workspace, "report_delivery")
    runner.drain()
    (mail,) = received(post_office[1])
    (part,) = mail.iter_attachments()
    assert part.get_filename() == "Customers.csv" and "'=cmd" in part.get_content()  # no spreadsheet runs it
    with workspace.write() as session:
        edition = workspace.edition(session)
        reader = Actor(user_id=clerk, grants=merge_grants([edition.all(Role)["reader"]]))
        seen = Records(session, edition, reader)
        with pytest.raises(PermissionRefused):
            send_now(seen, report)
        with pytest.raises(PermissionRefused):
            seen.update("report_run", 1, {"state": "failed"})


def test_a_report_outlives_a_recipient_and_a_broken_line(
    installation: Installation, workspace: Workspace, post_office: tuple[str, Box]
) -> None:
    people = [
        add_user(installation, workspace, f"{name}@acme.test", name, ["administrator"])
        for name in ("gone", "lost", "boss")
    ]
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        records.create("order", {"number": "1", "ordered_at": "2026-05-05T10:00:00Z", "amount": "5"})
        values = {
            "name": "Ж" * 190,
            "of_entity": "order",
            "columns": "amount, number",
            "totals": "amount, cost",
        }
        report = records.create("report", {**values, "rhythm": "daily"}).id
        for person in people:
            records.create("report_recipient", {"report": report, "person": person})
        records.delete("user", people[0])
    runner = Runner(installation, JOB_KINDS)
    make_due(workspace)
    runner.drain()
    make_due(workspace, "report_delivery")
    runner.drain()  # what may have left is not sent again
    mails = sorted(received(post_office[1]), key=lambda mail: mail["To"])
    assert [mail["To"] for mail in mails] == ["boss@acme.test", "lost@acme.test"]
    rows = sheets(mails[0])["Report"][2:]
    assert rows == [["Amount", "Number", "Cost"], [5, "1", ""], ["Total (1)", "", ""], [5, "", 0]]
    with workspace.read() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        runs = records.list("report_run", sort=["person"]).items
        assert [run.values["state"] for run in runs] == ["sent", "failed"]
        assert "may have left" in runs[1].values["problem"]
        due = session.scalars(sa.select(Job.due_at).where(Job.kind == "report", Job.finished_at.is_(None)))
        assert len(due.all()) == 1  # it goes on tomorrow


def test_what_is_wrong_with_a_report_is_named(workspace: Workspace) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        with pytest.raises(RecordInvalid) as refused:
            records.create("report", {"name": "R", "of_entity": "planet"})
        assert set(refused.value.errors) == {"of_entity"}
        with pytest.raises(RecordInvalid) as refused:
            records.create("report", {"name": "R"})
        assert set(refused.value.errors) == {"of_entity"}
        wrong = {
            "columns": "number, colour",
            "sort_by": "-taste",
            "group_by": "notes",
            "totals": "number",
            "rule": {"field": "colour", "op": "eq", "value": 1},
        }
        with pytest.raises(RecordInvalid) as refused:
            records.create("report", {"name": "R", "of_entity": "order", **wrong})
        assert set(refused.value.errors) == set(wrong)


def test_a_report_on_kpis_has_each_period_with_plan_and_deviation_in_each_format(
    installation: Installation, workspace: Workspace, tmp_path: Path
) -> None:
    boss = add_user(installation, workspace, "boss@acme.test", "Boss", ["administrator"])
    with workspace.write() as session:
        edition = workspace.edition(session)
        records = Records(session, edition, SYSTEM)
        day = today_in(ZoneInfo(edition.settings.timezone)).replace(day=1)
        last = day - timedelta(days=1)
        for number, channel, amount in (("1", "web", "100.50"), ("2", "shop", "20")):
            moment = f"{last.isoformat()}T10:00:00Z"
            order = {"number": number, "channel": channel, "amount": amount, "ordered_at": moment}
            records.create("order", order)
        records.create("kpi_target", {"kpi": "orders", "period": f"{last:%Y-%m}", "value": "4"})
        values = {"name": "Figures", "of_entity": "kpi", "kpis": "orders, average_order", "periods": 2}
        report = dict(records.create("report", values).values)
        definition = Definition.of(report)
        assert [one.code for one in FigureLines(session, edition, SYSTEM, definition).periods][
            -1
        ] == f"{last:%Y-%m}"
        path, rows = make_file(tmp_path, session, edition, SYSTEM, "Figures", definition, "csv")
        assert rows == 4
        lines = path.read_text("utf-8-sig").splitlines()
        assert lines[0].startswith("KPI,Period,Fact,Plan,Deviation,")
        assert lines[2].split(",")[2:6] == ["2", "4", "-2", "50.0"]
        path, rows = make_file(tmp_path, session, edition, SYSTEM, "Figures", definition, "pdf")
        assert path.read_bytes().startswith(b"%PDF-")
        by_channel = dataclasses.replace(
            definition, kpis=["orders"], breakdown="channel", periods=1, running=False
        )
        path, rows = make_file(tmp_path, session, edition, SYSTEM, "Figures", by_channel, "xlsx")
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        assert sheet[2][:3] == ["KPI", "Channel", "Period"]
        assert sorted((row[1], row[3]) for row in sheet[3:]) == [("Website", 1), ("shop", 1)]
        for wrong, field in (
            ({"kpis": ""}, "kpis"),
            ({"kpis": "orderz"}, "kpis"),
            ({"kpis": "orders", "breakdown": "planet"}, "breakdown"),
        ):
            with pytest.raises(RecordInvalid) as refused:
                records.create("report", {"name": "R", "of_entity": "kpi", **wrong})
            assert set(refused.value.errors) == {field}
    assert boss


def test_a_printed_report_has_groups_and_totals_and_an_end(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.write() as session:
        edition = workspace.edition(session)
        records = Records(session, edition, SYSTEM)
        for number, channel in (("1", "web"), ("2", "<b>&"), ("3", "web")):
            order = {
                "number": number,
                "channel": channel,
                "amount": "5.5",
                "ordered_at": "2026-05-05T10:00:00Z",
            }
            records.create("order", order)
        values = {"of_entity": "order", "columns": "number, ordered_at, amount", "group_by": "channel"}
        definition = Definition.of({**values, "totals": "amount"})
        path, rows = make_file(tmp_path, session, edition, SYSTEM, "Orders", definition, "pdf")
        assert rows == 3 and path.read_bytes().startswith(b"%PDF-")
        lines = Lines(session, edition, SYSTEM, definition)
        many = [Line(ROW, {one.name: "x" for one in lines.fields})] * (MOST_PRINTED + 1)
        with pytest.raises(TableRefused):
            write_report(tmp_path / "a.pdf", "A", "", _Many(lines, many))


class _Many:
    """Lines of a report that has more than a PDF holds."""

    def __init__(self, like: Lines, lines: list[Line]) -> None:
        self.fields, self.totalled, self.grouping, self._lines = like.fields, like.totalled, None, lines

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)
