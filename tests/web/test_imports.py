"""Imports in the browser: sent, mapped, tried, run, mended and undone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from trellis.crm.customers.entities import Customer
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner, Work, queue
from trellis.records.door import Records
from trellis.records.importer import runner
from trellis.security.actor import SYSTEM
from trellis.system import Event, FilePart
from werkzeug.test import TestResponse

SignIn = Callable[[str], FlaskClient]
PEOPLE = "Kundennr;Имя;E-Mail;Town\nA;Anna;anna@acme.test;Brno\nB;Boris;wrong;Wien\nC;;c@acme.test;Graz\n"


@pytest.fixture
def browser(sign_in: SignIn) -> FlaskClient:
    return sign_in("admin@acme.test")


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def send(browser: FlaskClient, content: str | bytes, name: str = "people.csv") -> TestResponse:
    data = content.encode() if isinstance(content, str) else content
    token = token_of(browser.get("/acme/customer/import").text)
    form = {"csrf_token": token, "file": (io.BytesIO(data), name)}
    return browser.post("/acme/customer/import", data=form, content_type="multipart/form-data")


def post(browser: FlaskClient, url: str, **form: Any) -> TestResponse:
    token = token_of(browser.get("/acme/customer/import").text)
    return browser.post(url, data={"csrf_token": token, **form})


def chosen(page: str, column: str) -> str:
    """The field that is chosen for a column."""
    select = page.split(f"Field for {column}")[1].split("</select>")[0]
    picked = [one for one in select.split("<option ") if " selected" in one]
    return picked[0].split('value="')[1].split('"')[0] if picked else ""


MAPPED = {"column-0": "external_id", "column-1": "name", "column-2": "email", "column-3": "city"}


def imported(browser: FlaskClient, content: str = PEOPLE, **more: str) -> str:
    """Imports a file to its end; the address of the import."""
    url = send(browser, content).headers["Location"]
    answer = post(browser, f"{url}/run", **{**MAPPED, "key": "external_id", **more})
    assert answer.status_code == 302, answer.text
    assert "Waiting" in browser.get(f"{url}/progress").text
    work(browser)
    return url


def customers(browser: FlaskClient, *names: str) -> list[Any]:
    with _workspace(browser).read() as session:
        found = sa.select(Customer.name, Customer.city, Customer.deleted_at.is_(None).label("here"))
        rows = session.execute(
            found.where(Customer.name.in_(names)).order_by(Customer.name, Customer.id)
        ).all()
        return [tuple(row) for row in rows]


def work(browser: FlaskClient) -> int:
    """Does what waits in the background."""
    return Runner(browser.application.config["TEST_INSTALLATION"], JOB_KINDS).drain()


def _workspace(browser: FlaskClient) -> Any:
    return browser.application.config["TEST_INSTALLATION"].workspace("acme")


@pytest.fixture(autouse=True)
def _known(app: Flask, installation: Installation) -> None:
    app.config["TEST_INSTALLATION"] = installation


def test_columns_are_recognised_by_label_likeness_and_kind(browser: FlaskClient) -> None:
    url = send(browser, "Название,Citty,Contact,Note 7\nAnna,Brno,a@acme.test,x\n").headers["Location"]
    page = browser.get(url).text
    assert [chosen(page, one) for one in ("Название", "Citty", "Contact", "Note 7")] == [
        "name",
        "city",
        "email",
        "",
    ]


def test_the_first_rows_show_what_is_wrong_beside_the_cell_and_write_nothing(browser: FlaskClient) -> None:
    url = send(browser, PEOPLE).headers["Location"]
    page = post(browser, f"{url}/preview", **MAPPED, key="external_id").text
    assert page.count("Refused") == 2 and page.count("New record") == 1
    assert 'wrong">wrong<span class="cell-problem">Must be a mail address' in page
    assert customers(browser, "Anna", "Boris") == []
    assert "Choose a field" in post(browser, f"{url}/preview").text
    many = "".join(f"{number % 2 or ''};C{number};;{'x' * 60_000}\n" for number in range(20))
    url = send(browser, f"Kundennr;Имя;E-Mail;Town\n{many}Итого;;;20\n").headers["Location"]
    mapped = {name: field for name, field in MAPPED.items() if field != "city"}
    page = post(browser, f"{url}/preview", **mapped, key="external_id").text
    assert "its key is empty" in page and '"num">21</th>' in page
    assert page.count("looks like a total") == 1 and "Refused" not in page
    found_by = page.split('id="import-found"')[1].split("</select>")[0]
    assert 'value="external_id" selected' in found_by and "phone" not in found_by


def test_an_import_tells_its_counts_and_gives_back_the_rejected_rows(browser: FlaskClient) -> None:
    url = imported(browser)
    page = browser.get(url).text
    assert "Done" in page and "Rejected rows" in page and "Must be a mail address" in page
    assert customers(browser, "Anna", "Boris") == [("Anna", "Brno", True)]
    mended = browser.get(f"{url}/rejected").text.replace("wrong", "b@acme.test")
    again = imported(browser, mended)
    assert customers(browser, "Anna", "Boris") == [("Anna", "Brno", True), ("Boris", "Wien", True)]
    assert browser.get(f"{again}/rejected").status_code == 200  # the row without a name is still there
    work(browser)
    assert len(customers(browser, "Anna")) == 1


def test_undoing_takes_back_what_nobody_has_changed_since(browser: FlaskClient) -> None:
    imported(browser, "Kundennr;Имя;E-Mail;Town\nA;Anna;;Brno\nB;Boris;;Wien\n")
    url = imported(
        browser, "Kundennr;Имя;E-Mail;Town\nA;Anna;;Praha\nB;Boris;;Graz\nC;Cyril;;Riga\nD;Dana;;Riga\n"
    )
    with _workspace(browser).read() as session:
        boris, dana = session.scalars(
            sa.select(Customer.id).where(Customer.name.in_(["Boris", "Dana"])).order_by(Customer.id)
        ).all()
    post(browser, f"/acme/customer/{boris}/field/city", version="2", city="Linz")
    post(browser, f"/acme/customer/{dana}/field/city", version="1", city="Tartu")
    assert post(browser, f"{url}/undo").status_code == 302
    work(browser)
    assert customers(browser, "Anna", "Boris", "Cyril", "Dana") == [
        ("Anna", "Brno", True),
        ("Boris", "Linz", True),
        ("Cyril", "Riga", False),
        ("Dana", "Tartu", True),
    ]
    page = browser.get(url).text
    assert f">#{boris}<" in page and f">#{dana}<" in page and "Undone" in page
    assert post(browser, f"{url}/undo").status_code == 409
    imported(
        browser, "Kundennr;Имя;E-Mail;Town\nC;Cyril;;Oslo\n"
    )  # mended, and under the key of one in the bin
    assert customers(browser, "Cyril") == [("Cyril", "Riga", False), ("Cyril", "Oslo", True)]


def test_an_import_is_stopped_while_it_waits_and_gone_on_with(browser: FlaskClient) -> None:
    url = send(browser, PEOPLE).headers["Location"]
    post(browser, f"{url}/run", **MAPPED, key="external_id")
    assert post(browser, f"{url}/stop").status_code == 302
    assert (work(browser), customers(browser, "Anna")) == (0, [])
    page = browser.get(url).text
    assert "Stopped" in page and "Go on" in page
    assert post(browser, f"{url}/stop").status_code == 409
    post(browser, f"{url}/go-on")
    assert work(browser) == 1
    assert customers(browser, "Anna") == [("Anna", "Brno", True)] and "Done" in browser.get(url).text
    assert post(browser, f"{url}/go-on").status_code == 409


def test_an_import_that_runs_is_stopped_between_two_batches(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH", 1)
    url = send(browser, "Kundennr;Имя\nA;Anna\nB;Boris\nC;Cyril\n").headers["Location"]
    post(browser, f"{url}/run", **{"column-0": "external_id", "column-1": "name"}, key="external_id")
    told = Work.tell

    def tell(self: Work, done: int, total: int) -> None:
        if done == 2:
            post(browser, f"{url}/stop")
        told(self, done, total)

    monkeypatch.setattr(Work, "tell", tell)
    work(browser)
    assert len(customers(browser, "Anna", "Boris", "Cyril")) == 2
    assert "Stopped" in browser.get(url).text and "Undo" in browser.get(url).text
    monkeypatch.setattr(Work, "tell", told)
    post(browser, f"{url}/go-on")
    work(browser)
    assert len(customers(browser, "Anna", "Boris", "Cyril")) == 3


def test_undoing_that_was_stopped_goes_on_with_undoing(browser: FlaskClient) -> None:
    url = imported(browser, "Kundennr;Имя\nA;Anna\n", **{"column-2": "", "column-3": ""})
    post(browser, f"{url}/undo")
    post(browser, f"{url}/stop")
    assert work(browser) == 0 and "Stopped" in browser.get(url).text
    post(browser, f"{url}/go-on")
    assert work(browser) == 1
    assert customers(browser, "Anna") == [("Anna", None, False)] and "Undone" in browser.get(url).text


def test_an_import_whose_job_broke_can_be_undone(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = send(browser, "Kundennr;Имя\nA;Anna\n").headers["Location"]
    post(browser, f"{url}/run", **{"column-0": "external_id", "column-1": "name"}, key="external_id")
    monkeypatch.setattr(queue, "MOST_ERRORS", 1)
    with monkeypatch.context() as broken:
        broken.setattr(Work, "finish", lambda *_arguments: 1 / 0)
        work(browser)
    page = browser.get(url).text
    assert "Failed" in page and "ZeroDivisionError" in page and "Undo the import" in page
    assert post(browser, f"{url}/undo").status_code == 302
    work(browser)
    assert customers(browser, "Anna") == [("Anna", None, False)]


def test_a_mapping_that_was_saved_is_offered_for_the_next_file(browser: FlaskClient) -> None:
    content = "A;B\nAnna;Brno\n"
    url = send(browser, content).headers["Location"]
    mapped = {"column-0": "name", "column-1": "city"}
    post(browser, f"{url}/run", **mapped, save_as="From the shop")
    again = send(browser, content).headers["Location"]
    page = browser.get(again).text
    assert "From the shop" in page and chosen(page, "A") == ""
    saved = page.split('name="saved"')[1].split('value="')[1].split('"')[0]
    assert post(browser, f"{again}/use", saved=saved).status_code == 302
    assert chosen(browser.get(again).text, "B") == "city"


def test_what_cannot_be_read_is_told_and_nothing_is_kept(browser: FlaskClient) -> None:
    for content, name, told in (
        (b"\x00\x01", "people.xlsx", "the content is something else"),
        (b"PK\x03\x04 nothing", "people.xlsx", "cannot be read"),
        ("name\nAnna\n", "people.exe", "must end in"),
        ("", "people.csv", "empty"),
    ):
        answer = send(browser, content, name)
        assert (answer.status_code, told in answer.text) == (422, True), name
    with _workspace(browser).read() as session:
        assert session.scalars(sa.select(FilePart.name)).all() == []


def test_an_exported_list_is_mended_and_comes_back_to_its_records(browser: FlaskClient) -> None:
    with _workspace(browser).write() as session:
        door = Records(session, _workspace(browser).edition(session), SYSTEM)
        owner = door.create("user", {"name": "Rosa Silva", "email": "rosa@acme.test"}).id
        one = door.create("customer", {"name": "Anna", "city": "Brno", "owner": owner}).id
        two = door.create("customer", {"name": "Anna", "city": "Wien"}).id
    listed = browser.get("/acme/customer/export?columns=name,city,owner&q=Anna&sort=id").text
    head, *rows = listed.splitlines()
    assert head == "id,external_id,name,city,owner,owner.id,owner.name"
    assert f"{one},,Anna,Brno,,{owner},Rosa Silva" in rows
    sheet = send(browser, browser.get("/acme/customer/export?columns=city,owner&format=xlsx").data, "c.xlsx")
    page = browser.get(sheet.headers["Location"]).text
    assert [chosen(page, name) for name in ("Number here", "City", "Owner, by its number here")] == [
        *("id", "city", "owner.id")
    ]
    mended = listed.replace("Wien", "Graz").replace("Brno", "Praha")
    url = send(browser, mended).headers["Location"]
    page = browser.get(url).text
    found = {name: chosen(page, name) for name in ("id", "name", "city", "owner.id", "owner", "external_id")}
    assert found == {
        "id": "id",
        "name": "name",
        "city": "city",
        "owner.id": "owner.id",
        "owner": "",
        "external_id": "",
    }
    assert 'value="id" selected' in page.split('name="key"')[1].split("</select>")[0]
    mapped = {"column-0": "id", "column-2": "name", "column-3": "city", "column-5": "owner.id", "key": "id"}
    tried = post(browser, f"{url}/preview", **mapped).text
    assert "Refused" not in tried and "New record" not in tried and "Number here" in tried
    post(browser, f"{url}/run", **mapped)
    work(browser)
    assert customers(browser, "Anna") == [("Anna", "Praha", True), ("Anna", "Graz", True)]
    assert two > one


def test_values_that_are_no_choice_here_are_given_a_meaning(browser: FlaskClient) -> None:
    content = "Name,Kind\nAcme,Firm\nAnna,Person\nBob,?\nCarl,Ghost\n"
    url = send(browser, content).headers["Location"]
    columns = {"column-0": "name", "column-1": "kind", "key": ""}
    post(browser, f"{url}/stages", **columns)
    page = browser.get(url).text
    assert re.findall('name="choice-name" value="([^"]+)"', page) == ["Firm", "?", "Ghost"]
    meant = {"choice-field": ["kind"] * 3, "choice-name": ["Firm", "?", "Ghost"]}
    wrong = post(browser, f"{url}/preview", **columns, **meant, **{"choice-means": ["crowd", "-", ""]}).text
    assert "has no choice “crowd”" in wrong
    means = {"choice-means": ["company", "-", ""]}
    post(browser, f"{url}/run", **columns, **meant, **means)
    work(browser)
    with _workspace(browser).read() as session:
        found = session.execute(sa.select(Customer.name, Customer.kind).order_by(Customer.id)).all()
    assert [tuple(one) for one in found[30:]] == [("Acme", "company"), ("Anna", "person"), ("Bob", "person")]


def test_a_file_is_read_anew_in_another_way(browser: FlaskClient, tmp_path: Path) -> None:
    url = send(browser, "Название~Город\nВектор~Казань\n".encode("cp866")).headers["Location"]
    assert "Название" not in browser.get(url).text.split("import-columns")[1].split("</table>")[0]
    wrong = post(browser, f"{url}/read", encoding="utf-16")
    assert wrong.status_code == 422 and "note-danger" in wrong.text
    assert post(browser, f"{url}/read", encoding="cp866", sheet="None").status_code == 302
    page = browser.get(url).text
    assert 'value="cp866" selected' in page
    assert (chosen(page, "Название"), chosen(page, "Город")) == ("name", "city")
    tried = post(browser, f"{url}/preview", **{"column-0": "name"}).text
    assert "Вектор" in tried and "New record" in tried
    with xlsxwriter.Workbook(tmp_path / "c.xlsx") as book:
        book.add_worksheet("Empty")
        book.add_worksheet("Cover").write(0, 0, "Made by hand")
        people = book.add_worksheet("People")
        people.write(0, 0, "A report of customers")
        for place, cells in enumerate(
            [("Name", "City", "Phone"), ("Anna", "Brno", "(812) 5"), ("Boris", "Wien", "")]
        ):
            people.write_row(place + 2, 0, cells)
    url = send(browser, (tmp_path / "c.xlsx").read_bytes(), "c.xlsx").headers["Location"]
    assert "Made by hand" in browser.get(url).text
    post(browser, f"{url}/read", sheet="People")
    assert "2 rows" in browser.get(url).text and chosen(browser.get(url).text, "City") == "city"
    post(browser, f"{url}/run", **{"column-0": "name", "column-1": "city"})
    work(browser)
    assert customers(browser, "Anna", "Boris") == [("Anna", "Brno", True), ("Boris", "Wien", True)]


def test_imports_of_others_are_not_there(browser: FlaskClient, sign_in: SignIn) -> None:
    url = imported(browser)
    agent, reader = sign_in("agent@acme.test"), sign_in("reader@acme.test")
    assert reader.get("/acme/customer/import").status_code == 403
    for path in ("", "/progress", "/rejected"):
        assert agent.get(f"{url}{path}").status_code == 404, path
    for act in ("preview", "run", "stop", "go-on", "undo", "use", "read"):
        assert post(agent, f"{url}/{act}").status_code == 404, act


def test_an_import_speaks_for_the_one_who_started_it(browser: FlaskClient) -> None:
    imported(browser)
    with _workspace(browser).read() as session:
        query = sa.select(Event.actor_name, Event.source).where(Event.source == "import").distinct()
        assert session.execute(query).all() == [("Admin", "import")]


def test_an_event_log_becomes_cases_with_their_history(browser: FlaskClient) -> None:
    client = browser
    token = token_of(client.get("/acme/case/import").text)
    log = "Ticket,Step,When\n7,start,2026-03-02T09:00:00Z\n7,done,2026-03-02T11:00:00Z\n7,odd,2026-03-02T12:00:00Z\n"
    sent = {"csrf_token": token, "file": (io.BytesIO(log.encode()), "log.csv")}
    place = client.post("/acme/case/import", data=sent).headers["Location"]
    page = unescape(client.get(place).text)
    assert "Rows are events" in page and "Owner, by name" in page
    form = {"csrf_token": token, "column-0": "external_id", "column-1": "state", "column-2": "opened_at"}
    form |= {"key": "external_id", "log": "true"}
    assert client.post(f"{place}/stages", data=form).headers["Location"] == place
    page = unescape(client.get(place).text)
    assert (
        "note-danger" not in page
        and "“start” in the file means" in page
        and "“odd” in the file means" in page
    )
    meant = {"stage-name": ["start", "done", "odd"], "stage-means": ["new", "resolved", ""]}
    tried = unescape(client.post(f"{place}/preview", data={**form, **meant}).text)
    assert "Same record" in tried and "“odd” is no stage" in tried
    assert client.post(f"{place}/run", data={**form, **meant}).status_code == 302
    work(browser)
    page = unescape(client.get("/acme/case").text)
    assert "Case 7" in page and "Solved" in page


def test_what_no_record_is_called_and_what_no_column_has_is_offered(browser: FlaskClient) -> None:
    token = token_of(browser.get("/acme/opportunity/import").text)
    data = io.BytesIO(b"Deal ID,Account Name,Owner name\n7,Acme Ltd,Olga\n8, ACME  ltd,\n")
    form = {"csrf_token": token, "file": (data, "deals.csv")}
    answer = browser.post("/acme/opportunity/import", data=form, content_type="multipart/form-data")
    url = answer.headers["Location"]
    page = browser.get(url).text
    assert "Customer whose name no record has" in page and "needs more than a name: E-mail" in page
    assert (
        unescape(page).count('value="=concat("Opportunity ", row["Deal ID"])"') == 1
    )  # there is no column of names
    fixed = {"fixed": ["name", "next_step_on"], "fixed-name": '=concat("Deal ", row["Deal ID"])'}
    mapped = {"column-0": "external_id", "column-1": "customer.name", "key": "external_id"}
    shown = post(
        browser, f"{url}/preview", **mapped, **fixed, **{"fixed-add": "next_step", "unknown-customer": "make"}
    )
    assert shown.text.count("new</span>") == 2 and "Refused" not in shown.text and "Deal 7" in shown.text
    assert 'id="f-fixed-next_step"' in shown.text and 'value="make" selected>Make a record' in shown.text
    assert (
        'id="import-fixed"' not in post(browser, f"{url}/preview", **mapped, **fixed).text
    )  # what is typed there stays
    told = post(
        browser, f"{url}/preview", **mapped, **{"fixed": "next_step_on", "fixed-next_step_on": "soon"}
    ).text
    assert "Next step on”, the same in all rows: Must be a date" in told
    more = {"fixed-next_step_on": "2026-12-01", "unknown-customer": "make", "save_as": "Theirs"}
    assert post(browser, f"{url}/run", **mapped, **fixed, **more).status_code == 302
    work(browser)
    page = browser.get(url).text
    assert "Made beside them: Customers" in page and len(customers(browser, "Acme Ltd")) == 1
    post(browser, f"{url}/undo")
    work(browser)
    assert customers(browser, "Acme Ltd") == [("Acme Ltd", None, False)]
    form = {"csrf_token": token, "file": (io.BytesIO(b"Deal ID,Account Name\n9,Acme Ltd\n"), "more.csv")}
    again = browser.post("/acme/opportunity/import", data=form, content_type="multipart/form-data").headers[
        "Location"
    ]
    assert "Theirs" in browser.get(again).text  # its expressions are no columns that the file must have
