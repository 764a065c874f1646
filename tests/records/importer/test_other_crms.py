"""Opportunities as people export them from other CRMs: signs of currencies, stages and agents by name, odd days; no row is lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from importing import file, imported, records
from trellis.records.door import Records
from trellis.records.importer.readers import open_source
from trellis.records.importer.suggesting import columns_of_file, suggested
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

PERCENT = """"Deal ID","Deal Name","Account Name","Deal Stage","Amount","Currency","Close Date","Owner name","Probability (%)"
"D1","Data platform","ACME  corp","Closed Won","$12,500.00","AUD","3/14/2026 3:20 PM","Silva, Rosa","100"
"D2","Support","","negotiate","(1,200.00)","","12/5/26","rosa@acme.test","75"
"D3","Audit","Acme Corp","Discover","USD 3,400","","14 Dec 2026","ROSA SILVA","10"
"D4","Audit again","Nobody","Discover","€5","USD","14-Foo-26","Rosa Silva","10"
"D5","Training","Acme Corp","Unheard of","5","","2026-12-14","Rosa Silva","10"
"D6","Training","Nobody","qualify","£700.00","","2026-12-14","Somebody Else","10"
"""
RUSSIAN = """ID;Название сделки;Воронка;Этап сделки;Сумма;Компания;Ответственный;Дата создания;Предполагаемая дата закрытия
1;Поддержка;Продажи;Новая;1 250 000,50 руб.;acme corp;Сильва Роза;14 марта 2026 г.;30.12.26
2;Аудит;продажи;Проиграна;-75,00 р.;;;05.02.2026 15:20:11;2026-12-30T00:00:00+03:00
3;;Продажи;Новая;10 шт;Acme Corp;;31.02.2026;
"""
HEADED = """Deal - Title,Deal - Organization,Deal - Stage,Deal - Status,Deal - Won time,Deal - Lost reason,Deal - Currency,Deal - Value
A,Acme Corp,Discover,Open,не закрыта,,EUR,-
B,Acme Corp,Negotiate,Won,2025-03-04 10:00:00,,EUR,5
C,,Propose,Lost,N/A,Price,EUR,7
D,,Propose,Lost,,,EUR,7
E,,Сделка провалена,,,Price,EUR,
"""


@pytest.fixture
def sales(workspace: Workspace) -> Workspace:
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        door.create("customer", {"name": "Acme Corp"})
        for name, mail in (("Rosa Silva", "rosa@acme.test"), ("Роза Сильва", "r.silva@acme.test")):
            door.create("user", {"name": name, "email": mail})
    return workspace


def guessed(workspace: Workspace, path: Path) -> dict[str, str]:
    with workspace.read() as session:
        edition = workspace.edition(session)
        return suggested(edition, edition.entity("opportunity"), columns_of_file(open_source(path)))


def test_an_export_of_another_crm_is_read_as_it_is(sales: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "deals.csv", PERCENT.encode("utf-8-sig"))
    columns = guessed(sales, path)
    assert columns["customer.name"] == "Account Name" and columns["owner.name"] == "Owner name"
    assert (columns["stage"], columns["expected_close"]) == ("Deal Stage", "Close Date")
    assert (columns["external_id"], columns["amount"]) == ("Deal ID", "Amount")
    mapping = file(tmp_path, "m.json", json.dumps({"columns": columns, "states": {"Closed Won": "won"}}))
    done = imported(sales, "opportunity", path, mapping=mapping)
    told = {one.row: one.errors for one in done.rejections}
    assert (done.rows, done.created, done.rejected) == (6, 2, 4)
    assert list(told) == [2, 4, 5, 6] and list(told[2]) == ["amount"]  # an opportunity is of 0 or more
    assert list(told[4]) == ["amount"] and "EUR" not in str(told[4]) and "USD" in str(told[4])
    assert "Unheard of" in str(told[5]["stage"]) and list(told[6]) == ["customer", "owner"]
    found = records(sales, "opportunity", "name", "stage", "amount", "currency", "expected_close")
    assert found == [
        ("Data platform", "won", Decimal(12500), "AUD", date(2026, 3, 14)),
        ("Audit", "discover", Decimal(3400), "USD", date(2026, 12, 14)),
    ]
    won, open_ = records(sales, "opportunity", "closed_at", "begun_on")
    assert (
        won[0].date() == date(2026, 3, 14) and won[1] is None
    )  # it has one day for both, and none on which it began
    assert open_[0] is None and open_[1] is not None
    assert records(sales, "opportunity", "probability", "customer") == [(1, 1), (Decimal("0.1"), 1)]
    assert len({owner for (owner,) in records(sales, "opportunity", "owner")}) == 1


def test_an_export_in_russian_is_read_as_it_is(sales: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "deals.csv", RUSSIAN.encode("cp1251"))
    columns = guessed(sales, path)
    assert columns["funnel"] == "Воронка" and columns["customer.name"] == "Компания"
    assert columns["external_id"] == "ID"
    other = file(
        tmp_path,
        "other.csv",
        RUSSIAN.replace("Продажи", "Воронка").replace("продажи", "Вторая").encode("cp1251"),
    )
    assert "funnel" not in guessed(sales, other)  # of theirs none is here
    states = {"Новая": "qualify", "Проиграна": "qualify"}
    mapping = file(tmp_path, "m.json", json.dumps({"columns": columns, "states": states}))
    done = imported(sales, "opportunity", path, mapping=mapping)
    assert [(one.row, sorted(one.errors)) for one in done.rejections] == [
        (2, ["amount"]),
        (3, ["amount", "begun_on"]),
    ]
    names = ("amount", "currency", "funnel", "stage", "begun_on", "expected_close")
    assert records(sales, "opportunity", *names) == [
        (Decimal("1250000.5"), "RUB", "sales", "qualify", date(2026, 3, 14), date(2026, 12, 30))
    ]


def test_an_outcome_beside_the_stage_says_where_a_deal_ended(sales: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "deals.csv", HEADED)
    columns = guessed(sales, path)
    named = ("name", "customer.name", "stage", "outcome", "closed_at", "lost_reason", "currency", "amount")
    assert [columns[one].split(" ", 2)[2] for one in named] == HEADED.split("\n")[0].replace(
        "Deal - ", ""
    ).split(",")
    mapping = file(tmp_path, "m.json", json.dumps({"columns": columns}))
    done = imported(sales, "opportunity", path, mapping=mapping)
    assert done.rejections == []  # elsewhere nobody was asked for a reason
    assert records(sales, "opportunity", "name", "stage", "outcome", "amount") == [
        ("A", "discover", "open", None),  # without a day of closing, and without an amount
        ("B", "won", "won", Decimal(5)),
        ("C", "lost", "lost", Decimal(7)),
        ("D", "lost", "lost", Decimal(7)),
        ("E", "lost", "lost", None),
    ]
    closed = [moment and moment.date() for (moment,) in records(sales, "opportunity", "closed_at")]
    assert closed[:2] == [None, date(2025, 3, 4)]


def test_choices_are_called_as_people_see_them(workspace: Workspace, tmp_path: Path) -> None:
    cases = "number,subject,state,priority,kind,opened_at\nC1,Slow,В работе,Критический,incident,Dec 3 2026 12:05 am\n"
    assert imported(workspace, "case", file(tmp_path, "c.csv", cases)).rejections == []
    found = records(workspace, "case", "state", "priority", "kind", "opened_at")
    assert found == [("open", "critical", "incident", datetime(2026, 12, 3, 0, 5, tzinfo=UTC))]
