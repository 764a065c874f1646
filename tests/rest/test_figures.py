"""KPIs, segments, analytics, entities and imports over REST."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from callers import Client, open_client
from flask import Flask
from trellis.contributions import Kpi
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner
from trellis.kpi import snapshots
from trellis.kpi.periods import parse
from trellis.records.importer import runs
from trellis.rest import imports
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


@pytest.fixture
def sold(client: Client) -> Client:
    """Two customers; one bought in March, the other in March and April."""
    for name, days in (("Anna", ["2026-03-05"]), ("Boris", ["2026-03-09", "2026-04-02"])):
        customer = client.create("customer", name=name, external_id=name)
        for day in days:
            values = {"number": f"{name}{day}", "customer": customer, "amount": "100.00", "cost": "60.00"}
            client.create("order", ordered_at=f"{day}T12:00:00Z", **values)
    return client


def test_a_kpi_answers_as_the_command_line_does(sold: Client) -> None:
    found = sold.get("/kpis/revenue?period=2026-03&by=person&points=2").json
    assert {key: found[key] for key in ("kpi", "unit", "period", "value", "previous", "currency")} == {
        "kpi": "revenue",
        "unit": "money",
        "period": "2026-03",
        "value": "200.00",
        "previous": "0.00",
        "currency": "EUR",
    }
    assert [(row["title"], row["value"]) for row in found["breakdown"]] == [("Admin", "200.00")]
    assert [point["period"] for point in found["series"]] == ["2026-02", "2026-03"]
    everything = {row["kpi"]: row for row in sold.get("/kpis?period=2026-04").json}
    assert (everything["revenue"]["value"], everything["revenue"]["growth"]) == ("100.00", -0.5)
    assert everything["revenue"]["on_plan"] is None
    sold.create("kpi_target", kpi="revenue", period="2026-03", value="150")
    assert sold.get("/kpis/revenue?period=2026-03").json["on_plan"] is True
    again = sold.post("/kpi_target", {"kpi": "revenue", "period": "2026-03", "value": "1"})
    assert (again.status_code, list(again.json["errors"])) == (422, ["period"])
    assert "planned already: €150.00" in again.json["errors"]["period"][0]
    april, may = ({"kpi": "revenue", "period": f"2026-0{month}", "value": "5"} for month in (4, 5))
    twice = sold.post("/kpi_target:batch", [april, may, april])
    assert twice.status_code == 422 and "given twice" in twice.text and "“" not in twice.text


def test_figures_of_a_unit_are_held_against_its_plan_and_tell_their_list(sold: Client) -> None:
    north = sold.create("unit", name="North")
    deep = sold.create("unit", name="Deep", parent=north)
    for unit, amount in ((north, "7.00"), (deep, "5.00")):
        sold.create("order", number=f"U{unit}", ordered_at="2026-03-20T12:00:00Z", amount=amount, unit=unit)
    sold.create("kpi_target", kpi="orders", period="2026-03", of_unit=north, value="4")
    asked = f"period=2026-03&unit={north}"
    (orders,) = (row for row in sold.get(f"/kpis?{asked}").json if row["kpi"] == "orders")
    assert (orders["value"], float(orders["target"]), orders["on_plan"]) == (2, 4, False)
    assert sold.get(f"/kpis/orders?{asked}&by=unit").json["value"] == 2
    listed = sold.get(f"/order?filter={quote(json.dumps(orders['rule']))}").json["items"]
    assert {one["unit"] for one in listed} == {north, deep}
    refused = sold.get("/kpis?period=2026-03&unit=999")
    assert (refused.status_code, refused.json["detail"]) == (400, "There is no unit 999")


def test_every_figure_over_rest_tells_the_list_of_its_records(sold: Client) -> None:
    for row in sold.get("/kpis?period=2026-03").json:
        rule = quote(json.dumps(row["rule"]))
        found = sold.get(f"/{row['entity']}?count=true&filter={rule}").json
        if row["kpi"] in ("active_customers", "orders", "new_customers"):
            assert found["total"] == row["value"] > 0, row["kpi"]
    active = quote(json.dumps({"kpi": "active_customers", "period": "2026-04"}))
    assert [one["name"] for one in sold.get(f"/customer?filter={active}").json["items"]] == ["Boris"]
    groups = sold.get(f"/customer:groups?by=name&filter={active}").json
    assert [one["title"] or one["key"] for one in groups["items"]] == ["Boris"]


def test_a_recount_of_a_closed_period_is_accepted_by_whoever_plans_for_all(
    sold: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    def take() -> None:
        with workspace.write() as session:
            edition = workspace.edition(session)
            kpis = [edition.all(Kpi)["revenue"]]
            snapshots.take(session, edition, date(2026, 6, 1), kpis, [[parse("2026-03")]])

    def accept(client: Client, **body: Any) -> int:
        return client.post("/kpis/revenue:accept", body).status_code

    take()
    march = "/kpis/revenue?period=2026-03"
    assert sold.get(march).json["reported"]["value"] == "200.00"
    assert accept(sold, period="2026-03") == 409
    sold.create("order", number="late", amount="5.00", ordered_at="2026-03-30T12:00:00Z")
    take()
    found = sold.get(march).json
    assert (found["value"], found["reported"]["value"]) == ("205.00", "200.00")
    assert found["reported"]["differs_since"] is not None
    (listed,) = (row for row in sold.get("/kpis?period=2026-03").json if row["kpi"] == "revenue")
    assert listed["reported"] == found["reported"]
    agent = open_client(app, installation, workspace, "planner@acme.test", ["agent"])
    assert (accept(agent, period="2026-03"), agent.get(march).json["reported"]) == (403, None)
    assert accept(sold) == accept(sold, period=3) == 422
    assert accept(sold, period="soon") == 400
    assert accept(sold, period="2026-03") == 200
    found = sold.get(march).json["reported"]
    assert (found["value"], found["by"], found["differs_since"]) == ("205.00", "Admin", None)


def test_figures_count_only_what_the_reader_may_see(
    sold: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    assert agent.get("/kpis/revenue?period=2026-03").json["value"] == "0.00"
    assert agent.get("/analytics/pyramid?period=2026").json["customers"] == 0


def test_analytics_answer_as_the_contract_says(sold: Client) -> None:
    pyramid = sold.get("/analytics/pyramid?period=2026&measure=revenue").json
    assert (pyramid["measure"], pyramid["tiers"][0]["tier"], pyramid["tiers"][0]["amount"]) == (
        "revenue",
        "top",
        "200.00",
    )
    rfm = sold.get("/analytics/rfm?as_of=2026-12-31&customers=true").json
    assert (rfm["customers"], {line["external_id"] for line in rfm["lines"]}) == (2, {"Anna", "Boris"})
    loyalty = sold.get("/analytics/loyalty?period=2026").json
    assert (loyalty["repeat_rate"], loyalty["cohorts"][0]["size"]) == (0.5, 2)
    assert {one["name"] for one in sold.get("/analytics").json["items"]} >= {"loyalty", "pyramid", "rfm"}
    clv = sold.get("/analytics/clv?calibrate_to=2026-12-31&unit=day&customers=true").json
    assert (clv["customers"], clv["unit"], clv["bgnbd"], len(clv["lines"])) == (2, "day", None, 2)
    assert sold.get("/analytics/clv?unit=year").status_code == 400


def test_classes_satisfaction_and_programme_answer_as_the_contract_says(sold: Client) -> None:
    abc = sold.get("/analytics/abc?period=2026&measure=revenue&customers=true").json
    assert [(one["class"], one["customers"], one["amount"]) for one in abc["classes"]] == [
        ("A", 2, "300.00"),
        ("B", 0, "0.00"),
        ("C", 0, "0.00"),
    ]
    assert (len(abc["lines"]), abc["assumptions"]["a_below"]) == (2, "0.80")
    assert sold.get("/analytics/abc?of=products").json["customers"] == 0
    pyramid = sold.get("/analytics/pyramid?period=2026&compare=2025").json
    assert {"before": "outside", "now": "top", "customers": 1} in pyramid["moves"]["cells"]
    answer = {"survey": "acsi", "q1": 8, "q2": 7, "q3": 6, "nps": 9, "channel": "mail"}
    for _number in range(10):
        sold.create("survey_answer", answered_at="2026-05-05T10:00:00Z", **answer)
    found = sold.get("/analytics/satisfaction?period=2026&by=channel").json
    assert {name: found[name] for name in ("index", "responses", "nps", "csat", "ces")} == {
        "index": 66.6667,
        "responses": 10,
        "nps": 100.0,
        "csat": None,
        "ces": None,
    }
    assert found["by_channel"][0]["channel"] == "mail"
    scores = sold.get("/analytics/significance?customers=true").json
    assert (scores["customers"], scores["assumptions"]["margin_12m"]) == (2, 30)
    assert {line["external_id"] for line in scores["lines"]} == {"Anna", "Boris"}
    nothing = sold.get("/analytics/programme").json
    assert (nothing["npv"], nothing["irr"], nothing["assumptions"]) == (None, None, {})
    made = sold.create("programme", name="Club", started_on="2026-01-01", member_field="birthday")
    club = sold.get(f"/analytics/programme?programme={made}").json
    assert (club["programme"], club["reason"]) == (made, "Not enough data: nobody is a member")
    assert sold.get("/analytics/programme?programme=999").status_code == 404
    for wrong in ("abc?of=joy", "satisfaction?by=moon", "programme?programme=0", "pyramid?compare=soon"):
        assert sold.get(f"/analytics/{wrong}").status_code == 400, wrong


def test_entities_say_what_there_is_and_what_one_may_do(
    client: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    known = {one["name"]: one for one in agent.get("/entities").json["items"]}
    assert known["customer"]["permissions"] == {
        "read": "unit",
        "create": "all",
        "update": "unit",
        "delete": "own",
    }
    opportunity = client.get("/entities/opportunity").json
    fields = {field["name"]: field for field in opportunity["fields"]}
    assert fields["customer"]["entity"] == "customer"
    assert [choice["value"] for choice in fields["outcome"]["choices"]] == ["open", "won", "lost"]
    assert {stage["value"] for stage in opportunity["lifecycles"][0]["stages"]} >= {"qualify", "won", "lost"}
    russian = client.get("/entities/customer", headers={"Accept-Language": "ru"}).json
    assert russian["title"] == "Клиент"


def upload(client: Client, text: str, name: str = "people.csv", **parts: Any) -> Any:
    data = {"entity": "customer", **parts, "file": (io.BytesIO(text.encode()), name)}
    return client("POST", "/imports", data=data, content_type="multipart/form-data")


@pytest.mark.usefixtures("worker")
def test_a_file_is_imported_and_its_result_kept(client: Client) -> None:
    done = upload(client, "external_id,name,email\n1,Anna,anna@example.com\n2,Boris,wrong\n")
    assert done.status_code == 201, done.text
    assert {key: done.json[key] for key in ("state", "rows", "created", "rejected")} == {
        "state": "done",
        "rows": 2,
        "created": 1,
        "rejected": 1,
    }
    assert (done.json["rejections"][0]["row"], list(done.json["rejections"][0]["errors"])) == (2, ["email"])
    assert client.get(done.headers["Location"].removeprefix(client.base)).json == done.json
    assert [one["id"] for one in client.get("/imports").json["items"]] == [done.json["id"]]
    again = upload(client, "external_id,name\n1,Anne\n", key="external_id")
    assert (again.json["created"], again.json["updated"]) == (0, 1)


def test_drafts_of_the_wizard_are_no_imports_yet(
    client: Client, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "c.csv").write_text("name\nAnna\n")
    with workspace.write() as session:
        edition = workspace.edition(session)
        for _time in range(3):
            runs.draft(session, edition, SYSTEM, "customer", tmp_path / "c.csv", "c.csv")
        for row in runs.latest(session, SYSTEM, "customer", 2):
            runs.start(session, edition, SYSTEM, row)
    first = client.get("/imports?limit=1").json
    second = client.get(f"/imports?limit=1&cursor={first['next']}").json
    assert [len(page["items"]) for page in (first, second)] == [1, 1] and second["next"] is None


def test_an_import_that_takes_long_is_answered_before_its_end(
    client: Client, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "PATIENCE", 0)
    answer = upload(client, "name\nAnna\n")
    place = answer.headers["Location"].removeprefix(client.base)
    assert (answer.status_code, answer.json["state"], answer.json["rows"]) == (202, "waiting", 0)
    assert Runner(installation, JOB_KINDS).drain() == 1
    assert {key: client.get(place).json[key] for key in ("state", "created")} == {
        "state": "done",
        "created": 1,
    }


@pytest.mark.usefixtures("worker")
def test_a_mapping_is_given_in_json_and_never_as_a_path(client: Client) -> None:
    mapping = json.dumps({"columns": {"name": "Full name"}})
    assert upload(client, "Full name\nAnna\n", mapping=mapping).json["created"] == 1
    for wrong in ("{", "/etc/passwd", "secret.json", '{"columns": {"nothing": "Full name"}}'):
        assert upload(client, "Full name\nAnna\n", mapping=wrong).status_code == 422, wrong


@pytest.mark.usefixtures("worker")
def test_a_dry_run_writes_nothing(client: Client) -> None:
    assert upload(client, "name\nAnna\n", dry_run="true").json["created"] == 1
    assert client.get("/customer").json["items"] == []


@pytest.mark.usefixtures("worker")
def test_an_import_sent_twice_with_its_key_runs_once(client: Client) -> None:
    def send() -> Any:
        data = {"entity": "customer", "file": (io.BytesIO(b"name\nAnna\n"), "people.csv")}
        return client(
            "POST",
            "/imports",
            data=data,
            content_type="multipart/form-data",
            headers={"Idempotency-Key": "k"},
        )

    assert send().json == send().json
    assert client.get("/customer?count=true").json["total"] == 1


def test_a_bad_import_is_refused_and_remembered(client: Client) -> None:
    assert client.post("/imports", {"entity": "customer"}).status_code == 415
    assert set(upload(client, "name\nA\n", name="people.exe", speed="high").json["errors"]) == {
        "file",
        "speed",
    }
    assert upload(client, "name\nA\n", entity="nothing").status_code == 404
    assert upload(client, "\x00\x01", name="people.xlsx").status_code == 422
    assert client.get("/imports").json["items"] == []
    assert client.get("/imports/99").status_code == 404


@pytest.mark.usefixtures("worker")
def test_imports_of_others_are_for_administrators(
    client: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    mine = upload(client, "name\nAnna\n").json["id"]
    theirs = upload(agent, "name\nBoris\n").json["id"]
    assert [client.get(f"/imports/{one}").status_code for one in (mine, theirs)] == [200, 200]
    assert [agent.get(f"/imports/{one}").status_code for one in (mine, theirs)] == [404, 200]
    reader = open_client(app, installation, workspace, "reader@acme.test", ["reader"])
    assert upload(reader, "name\nVera\n").status_code == 403
