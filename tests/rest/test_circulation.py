"""Document circulation: numbers, versions, approval routes as tasks, sign-off with the hash of what was signed."""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from callers import Client, open_client
from flask import Flask
from trellis.attachments import AttachmentPart
from trellis.crm.customers.circulation import numbering
from trellis.installation import Installation
from trellis.notifications.tables import Notification
from trellis.workspace import Workspace


@dataclass
class Office:
    """An administrator with people who approve, a customer, and a template with numbers of its own."""

    admin: Client
    manager: Client
    agent: Client
    workspace: Workspace
    customer: int
    template: str

    def make(self, **asked: Any) -> dict[str, Any]:
        """A document at the customer: the answer of the call."""
        made = self.admin.post(
            f"/customer/{self.customer}/documents", {"template": self.template, "format": "html", **asked}
        )
        assert made.status_code == 201, made.text
        return dict(made.json)

    def state(self, document: int) -> str:
        return str(self.admin.get(f"/document/{document}").json["state"])

    def seen(self, document: int) -> dict[str, Any]:
        return dict(self.admin.get(f"/document/{document}/circulation").json)

    def steps(self, document: int) -> list[tuple[str, str]]:
        return [(one["name"], one["state"]) for one in self.seen(document)["steps"]]

    def decide(self, who: Client, decision: str, reason: str | None = None) -> int:
        """Decides the only task that somebody has."""
        (task,) = who.get("/tasks").json["items"]
        return who.post(
            f"/tasks/{task['id']}:complete", {"decision": decision, **({"reason": reason} if reason else {})}
        ).status_code


@pytest.fixture
def office(app: Flask, client: Client, installation: Installation, workspace: Workspace) -> Office:
    manager = open_client(app, installation, workspace, "head@acme.test", ["manager"])
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    customer = client.create("customer", name="Anna", owner=client.user_id)
    body = "<h1>{{ document.number }} / {{ document.version }}</h1>{{ record.name }}"
    values = {"name": "Contract", "of_entity": "customer", "numbering": "C-{year}-{number:3}", "body": body}
    template = client.create("document_template", **values)
    return Office(client, manager, agent, workspace, customer, f"own:{template}")


def test_a_document_goes_along_its_route_and_is_signed_with_the_hash_of_its_file(office: Office) -> None:
    admin, manager, agent = office.admin, office.manager, office.agent
    position = admin.create("position", name="Lawyer, senior", holder=agent.user_id)
    route = admin.create("approval_route", name="Contracts")
    for name, who in (
        ("price", {"turn": 1, "person": manager.user_id, "days": 2}),
        ("law", {"turn": 1, "position": position}),
        ("signature", {"turn": 2, "role": "manager", "action": "sign"}),
    ):
        admin.create("approval_step", route=route, name=name, **who)
    made = office.make()
    number = made["document"]
    assert admin.get(f"/document/{number}").json["number"].endswith("-001")
    assert made["sealed"] is False
    sent = admin.post(f"/document/{number}:send", {"route": route})
    assert sent.status_code == 200 and sent.json["state"] == "approval", sent.text
    assert office.steps(number) == [("price", "open"), ("law", "open"), ("signature", "waiting")]
    (task,) = manager.get("/tasks").json["items"]
    assert task["title"] == "Approve the document" and task["due_at"] is not None

    # what is on its way is not changed, and a rejection needs its reason
    refused = admin.delete(f"/customer/{office.customer}/files/{made['id']}")
    assert refused.status_code == 409, refused.text
    assert admin.post(f"/document/{number}/versions", {}).status_code == 409
    assert admin.delete(f"/document/{number}").status_code == 409
    assert office.decide(manager, "reject") == 422

    assert office.decide(manager, "approve") == 200
    assert office.steps(number)[2] == ("signature", "waiting")
    assert (
        office.decide(agent, "approve") == 200
    )  # the document is out of sight for the agent, the task is not
    assert office.steps(number)[2] == ("signature", "open")
    assert agent.get(f"/document/{number}/versions/1").status_code == 200
    assert agent.get(f"/document/{number}").status_code == 404
    assert office.decide(manager, "sign") == 200
    assert office.state(number) == "signed"
    seen = office.seen(number)
    content = admin.get(f"/document/{number}/versions/1").data
    last = seen["steps"][-1]
    assert last["sha256"] == hashlib.sha256(content).hexdigest() == seen["versions"][0]["sha256"]
    assert (last["decided_by"], last["decided_by_name"]) == (manager.user_id, "Head") and last["decided_at"]
    assert content.startswith(b"<h1>C-") and b"/ 1</h1>" in content
    with office.workspace.read() as session:
        told = session.scalars(
            sa.select(Notification.kind).where(Notification.user_id == admin.user_id)
        ).all()
    assert told == ["document_decided"]

    # a file that was changed behind Trellis shows, and signed ones stay
    with office.workspace.write() as session:
        session.execute(sa.update(AttachmentPart).values(data=b"another"))
    assert office.seen(number)["versions"][0]["matches"] is False
    assert admin.post(f"/document/{number}:take-back").status_code == 409
    void = admin.post(f"/document/{number}:void", {"reason": "a mistake"})
    assert void.status_code == 200 and void.json["state"] == "void"
    assert admin.post(f"/document/{number}:void", {"reason": "again"}).status_code == 409


def test_a_rejected_document_is_made_again_and_sent_anew(office: Office) -> None:
    admin, manager, agent = office.admin, office.manager, office.agent
    number = office.make()["document"]
    people = {"people": [manager.user_id, agent.user_id], "days": 3}
    assert admin.post(f"/document/{number}:send", people).status_code == 200
    assert agent.get("/tasks").json["items"] == []
    assert office.decide(manager, "reject", "the price is wrong") == 200
    assert office.state(number) == "rejected"
    assert [one["state"] for one in office.seen(number)["steps"]] == ["refused", "skipped"]
    assert admin.post(f"/document/{number}:send", people).status_code == 409
    again = admin.post(f"/document/{number}/versions", {})
    assert again.status_code == 201 and again.json["number"] == 2, again.text
    assert b"/ 2</h1>" in admin.get(f"/document/{number}/versions/2").data
    sent = {"file": (io.BytesIO(b"by hand"), "by hand.txt")}
    brought = admin("POST", f"/document/{number}/versions", data=sent)
    assert brought.status_code == 201 and brought.json["number"] == 3
    assert admin.post(f"/document/{number}:send", people).status_code == 200
    assert admin.post(f"/document/{number}:take-back").json["state"] == "draft"
    assert manager.get("/tasks").json["items"] == []
    assert admin.post(f"/document/{number}:send", people).status_code == 200
    assert (office.decide(manager, "approve"), office.decide(agent, "approve")) == (200, 200)
    assert office.state(number) == "approved"
    assert {one["round"] for one in office.seen(number)["steps"]} == {1, 2, 3}


def test_two_who_decide_at_once_do_not_lose_each_other(office: Office) -> None:
    admin = office.admin
    route = admin.create("approval_route", name="Both")
    for who in (office.manager, office.agent):
        admin.create("approval_step", route=route, name="look", person=who.user_id)
    number = office.make()["document"]
    assert admin.post(f"/document/{number}:send", {"route": route}).status_code == 200
    both = [
        threading.Thread(target=office.decide, args=(who, "approve"))
        for who in (office.manager, office.agent)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert office.state(number) == "approved"


def test_numbers_have_no_gaps_and_are_given_once(office: Office) -> None:
    makers = [threading.Thread(target=office.make) for _one in range(4)]
    for one in makers:
        one.start()
    for one in makers:
        one.join()
    wrong = office.admin.create(
        "document_template",
        name="Wrong",
        of_entity="customer",
        numbering="C-{year}-{number:3}",
        body="{{ record.x }}",
    )
    asked = {"template": f"own:{wrong}", "format": "html"}
    assert office.admin.post(f"/customer/{office.customer}/documents", asked).status_code == 422
    office.admin.create("document", title="Came in", number=_year(office) + "-006")
    office.make()
    office.make()
    numbers = sorted(one["number"] for one in office.admin.get("/document").json["items"])
    assert [one[-3:] for one in numbers] == ["001", "002", "003", "004", "005", "006", "007"]


def _year(office: Office) -> str:
    return str(office.admin.get("/document").json["items"][0]["number"])[:6]


def test_what_cannot_be_sent_is_said_and_files_follow_their_record(office: Office) -> None:
    admin, number = office.admin, office.make()["document"]
    route = admin.create("approval_route", name="Empty")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "people"),
        ({"people": [999]}, "people"),
        ({"people": ["x"]}, "people"),
        ({"people": [1], "action": "burn"}, "action"),
        ({"people": [1], "days": 0}, "days"),
        ({"route": 0}, "route"),
        ({"route": route}, "route"),
    ]
    for asked, field in wrong:
        refused = admin.post(f"/document/{number}:send", asked)
        assert refused.status_code == 422 and list(refused.json["errors"]) == [field], refused.text
    for values, field in (
        ({}, "person"),
        ({"person": admin.user_id, "role": "agent"}, "person"),
        ({"role": "nobody"}, "role"),
    ):
        refused = admin.post("/approval_step", {"route": route, "name": "s", **values})
        assert refused.status_code == 422 and field in refused.json["errors"], refused.text
    position = admin.create("position", name="Vacant")
    admin.create("approval_step", route=route, name="s", position=position)
    refused = admin.post(f"/document/{number}:send", {"route": route})
    assert refused.status_code == 422 and "Nobody holds" in refused.json["errors"]["route"][0]
    assert office.state(number) == "draft"

    assert office.agent.get(f"/document/{number}/circulation").status_code == 404
    assert office.agent.get(f"/document/{number}/versions/1").status_code == 404
    assert office.agent.post(f"/document/{number}:send", {"people": [1]}).status_code == 404
    assert office.manager.get(f"/document/{number}/versions/1").status_code == 200
    assert office.manager.get(f"/document/{number}/versions/2").status_code == 404


@pytest.mark.parametrize(
    "pattern", ["C", "{number}{number}", "{day}-{number}", "{month}-{number}", "{number"]
)
def test_a_pattern_that_gives_no_number_is_refused(pattern: str) -> None:
    assert numbering.problem_of(pattern) is not None
