"""Reports in the browser: made from a list, taken from the edition, downloaded and sent; and over REST."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from html import unescape

from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]

BRNO = {"field": "city", "op": "eq", "value": "Brno"}


def test_a_list_becomes_a_report_that_is_downloaded_and_sent(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    page = unescape(client.get("/acme/customer").text)
    token = token_of(page)
    assert "/acme/customer/report?" in page and "Report from this list" in page
    asked = {"filter": json.dumps(BRNO), "columns": "name,city,email", "sort": "-name", "group": "city"}
    dialog = unescape(client.get("/acme/customer/report", query_string=asked).text)
    definition = dialog.split('name="definition" value="')[1].split('"><')[0].split('">')[0]
    given = json.loads(definition)
    assert given["rule"] == BRNO and given["columns"] == "name, city, email" and given["group_by"] == "city"
    form = {"csrf_token": token, "definition": definition, "rhythm": "weekly", "format": "xlsx"}
    refused = client.post("/acme/customer/report", data={**form, "name": ""})
    assert refused.status_code == 422 and "needs a value" in unescape(refused.text)
    made = client.post("/acme/customer/report", data={**form, "name": "Brno / all"})
    assert made.status_code == 302
    place = made.headers["Location"]
    page = unescape(client.get(place).text)
    assert "Sent next" in page and "Send now" in page and "City is “Brno”" in page
    assert "?tab=report_recipient" in page  # where one adds the first
    assert f"{place}/file?format=pdf" in page and f'hx-post="{place}/send"' in page
    assert client.get(f"{place}/file?format=csv").mimetype == "text/csv"
    assert client.get(f"{place}/file?format=exe").status_code == 404
    answer = client.get(f"{place}/file")
    assert "Brno  all.xlsx" in answer.headers["Content-Disposition"]
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[0][0] == "Brno / all" and rows[1][0].startswith("City is “Brno”, ")
    assert [row[0] for row in rows[2:5]] == ["Name", "Customer 29", "Customer 27"]
    assert rows[-2][0] == "Brno (15)" and rows[-1][0] == "Total (15)"
    sent = client.post(f"{place}/send", data={"csrf_token": token})
    assert sent.headers["Location"] == place
    assert "Waiting" in client.get("/acme/report_run").text
    assert client.get("/acme/report/99/file").status_code == 404


def test_readers_see_reports_and_do_not_send_them(sign_in: SignIn) -> None:
    client = sign_in("reader@acme.test")
    assert "Report from this list" not in client.get("/acme/customer").text
    page = client.get("/acme/reports")
    assert page.status_code == 200 and "The edition brings no reports" in page.text
    token = token_of(page.text)
    assert client.post("/acme/report/1/send", data={"csrf_token": token}).status_code in (403, 404)
    assert client.get("/acme/reports/gym.none/file").status_code == 404


def test_what_a_report_shows_is_chosen_by_titles(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    first = client.get("/acme/report/new").text
    assert "A report is a list or figures" in client.get("/acme/report").text
    runs = client.get("/acme/report_run").text
    assert "A delivery appears when a report is sent" in runs and "/acme/report_run/new" not in runs
    assert '<option value="kpi">Figures (KPIs)</option>' in first and ">Customers</option>" in first
    page = client.get("/acme/report/new?of_entity=customer").text
    assert '<option value="city">City</option>' in page and '<option value="-city">City, descending' in page
    assert '<option value="created_at:month">Created, by month' in page
    assert 'data-fields-url="/acme/customer/rule-fields"' in page and 'name="rule" value="null"' in page
    form = {"csrf_token": token_of(page), "name": "Towns", "of_entity": "customer", "format": "pdf"}
    asked = {**form, "of_entity": "order"}
    told = client.post("/acme/report/conditions", data=asked).json["rule"]  # type: ignore[index]
    assert told["visible"] and told["over"]["fields_url"] == "/acme/order/rule-fields"
    mistaken = {**form, "rule": json.dumps({"field": "town", "op": "is_empty"}), "rhythm": "never"}
    answer = client.post("/acme/report/new", data=mistaken)
    assert answer.status_code == 422 and 'href="#f-rule"' in answer.text
    form["rule"] = json.dumps(BRNO)
    chosen = {"columns": ["", "city", "name"], "group_by": "city", "rhythm": "never", "weekday": "monday"}
    made = client.post("/acme/report/new", data={**form, **chosen, "month_day": "1", "hour": "7"})
    assert made.status_code == 302, made.text
    place = made.headers["Location"]
    page = unescape(client.get(place).text)
    assert "City, Name" in page and f'href="{place}/edit#f-rule"' in page
    assert client.get(f"{place}/edit").text.count("Brno") == 2
    assert client.get(f"{place}/file").data.startswith(b"%PDF-")
    editing = client.get(f"{place}/field/columns").text
    assert editing.index('value="city" selected') < editing.index('value="name" selected')
    saved = client.post(
        f"{place}/field/columns", data={"csrf_token": form["csrf_token"], "columns": ["", "name"]}
    )
    assert saved.status_code == 200
    assert (
        client.post(
            f"{place}/field/columns", data={"csrf_token": form["csrf_token"], "columns": ""}
        ).status_code
        == 200
    )
    refused = client.post(
        "/acme/report/new", data={**form, **chosen, "of_entity": "kpi", "kpis": ["", "orderz"]}
    )
    assert refused.status_code == 422 and "did you mean" in refused.text
