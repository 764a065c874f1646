"""Opportunities as people export them from other CRMs: signs of currencies, stages and agents by name, odd days; no row is lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from importing import file, imported, records
from trellis.records.door import Records
from trellis.records.importer import ImportResult
from trellis.records.importer.readers import open_source
from trellis.records.importer.suggesting import columns_of_file, suggested
from trellis.records.types import Phone, Url, ValueInvalid
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
COMPANIES = """Record ID,Company name,Website URL,Company owner,Phone Number,Country/Region,Email,Description
1,"Sud & Co, Inc.",www.sud.example,rosa@acme.test,(555) 123-4567,France,info@sud.example; SALES@sud.example,"<p>Met at <b>fair</b></p><ul><li>a &amp; b</li></ul>"
2,Ost AG,,,"+49\u201389\u20131234567 ext. 12, ask Rosa",Germany,,
,,,,,,,
3,West SA,ftp://west,,,,,
Grand Totals (4 records),,,,,,,
"""
PEOPLE = """ID;Имя;Фамилия;Отчество;Компания;Рабочий телефон;Рабочий e-mail;Комментарий
1;Иван;Петров;Сергеевич;Acme Corp;8 (495) 123-45-67, 74950000000;ivan@acme.test;
2;Анна;;;;;;
3;;;;;;nobody@acme.test;
"""


@pytest.fixture
def sales(workspace: Workspace) -> Workspace:
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        door.create("customer", {"name": "Acme Corp"})
        for name, mail in (("Rosa Silva", "rosa@acme.test"), ("Роза Сильва", "r.silva@acme.test")):
            door.create("user", {"name": name, "email": mail})
    return workspace


def guessed(workspace: Workspace, path: Path, entity: str = "opportunity") -> dict[str, str]:
    with workspace.read() as session:
        edition = workspace.edition(session)
        return suggested(edition, edition.entity(entity), columns_of_file(open_source(path)))


def taken(workspace: Workspace, folder: Path, entity: str, path: Path) -> ImportResult:
    """Imports a file as it is suggested."""
    mapping = file(folder, "m.json", json.dumps({"columns": guessed(workspace, path, entity)}))
    return imported(workspace, entity, path, mapping=mapping)


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


def test_firms_of_another_crm_come_with_what_stands_in_their_cells(sales: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "companies.csv", COMPANIES.encode("utf-8-sig"))
    done = taken(sales, tmp_path, "customer", path)
    assert (done.created, [(one.row, *one.errors) for one in done.rejections]) == (
        2,
        [(4, "website"), (5, "name")],
    )
    fields = ("name", "website", "phone", "country", "email", "notes")
    assert records(sales, "customer", *fields)[1:] == [
        (
            "Sud & Co, Inc.",
            "https://www.sud.example",
            "(555) 123-4567",
            "France",
            "info@sud.example",
            "Met at fair\n\n• a & b\nE-mail: SALES@sud.example",
        ),
        ("Ost AG", None, "+49\u201389\u20131234567 ext. 12", "Germany", None, "Phone: ask Rosa"),
    ]
    assert [owner is not None for (owner,) in records(sales, "customer", "owner")][1:] == [True, False]
    again = taken(sales, tmp_path, "customer", path)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    with sales.write() as session:  # notes of a record stay, and get what they do not have
        Records(session, sales.edition(session), SYSTEM).update("customer", 3, {"notes": "Called"})
    assert taken(sales, tmp_path, "customer", path).updated == 1
    assert records(sales, "customer", "notes")[2] == ("Called\nPhone: ask Rosa",)


def test_names_of_people_are_put_together(sales: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "people.csv", PEOPLE.encode("cp1251"))
    assert taken(sales, tmp_path, "contact", path).created == 3
    assert records(sales, "contact", "name", "customer", "phone", "email", "notes") == [
        ("Петров Иван Сергеевич", 1, "8 (495) 123-45-67", "ivan@acme.test", "Phone: 74950000000"),
        ("Анна", None, None, None, None),
        ("nobody@acme.test", None, None, "nobody@acme.test", None),
    ]
    two = file(tmp_path, "two.csv", "First Name,Last Name,Account Name\nRosa,Silva,Acme Corp\n")
    assert guessed(sales, two, "contact")["name"] == '=words(row["First Name"], row["Last Name"])'
    whole = file(tmp_path, "whole.csv", "First Name,Last Name,Full Name\nRosa,Silva,Dr Rosa Silva\n")
    assert guessed(sales, whole, "contact")["name"] == "Full Name"
    works = file(tmp_path, "works.csv", "Person - Name,Person - Phone - Work\nRosa,+1 555 123 45\n")
    assert guessed(sales, works, "contact") == {"name": "Person - Name", "phone": "Person - Phone - Work"}


def test_moments_without_a_zone_are_those_of_the_workspace(sales: Workspace, tmp_path: Path) -> None:
    with sales.write() as session:
        sales.save_settings(session, {"timezone": "Europe/Moscow"})
    rows = "1;01.02.2026 00:30\n2;2026-02-01\n3;2026-02-01T00:30:00Z\n"
    path = file(tmp_path, "orders.csv", f"number;ordered_at\n{rows}")
    assert imported(sales, "order", path).created == 3
    moment = datetime(2026, 2, 1, tzinfo=UTC)
    assert records(sales, "order", "ordered_at") == [
        (moment - timedelta(hours=2, minutes=30),),
        (moment - timedelta(hours=3),),
        (moment + timedelta(minutes=30),),
    ]


@pytest.mark.parametrize("number", ["(812) 555-66-77 доб. 123", "+(7) 495 1-2", "555-0142x3"])
def test_telephone_numbers_are_written_in_many_ways(number: str) -> None:
    assert Phone().check(number) == number


@pytest.mark.parametrize("address", ["javascript:alert(1)", "anna@acme.test", "1.5", "acme", "acme.com:80"])
def test_only_what_reads_as_a_web_address_becomes_one(address: str) -> None:
    assert Url().check("acme.com/a?b") == "https://acme.com/a?b"
    with pytest.raises(ValueInvalid):
        Url().check(address)
