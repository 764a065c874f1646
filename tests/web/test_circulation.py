"""Pages of document circulation: made, sent, decided on the desk, mailed with its file, compared and voided."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from posting import Box, received
from trellis.config import Config
from trellis.installation import Installation
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
Drain = Callable[[], int]


@pytest.fixture
def config(config: Config, post_office: tuple[str, Box]) -> Config:
    """With a mail server."""
    return replace(config, smtp_url=post_office[0], mail_from="crm@acme.test")


@pytest.fixture
def boss(app: Flask, installation: Installation) -> Client:
    workspace = installation.workspace("acme")
    return open_client(app, installation, workspace, "boss@acme.test", ["administrator"])


def test_a_document_circulates_in_the_browser(
    boss: Client, sign_in: SignIn, drain: Drain, post_office: tuple[str, Box]
) -> None:
    admin = sign_in("admin@acme.test")
    anna = boss.create("customer", name="Anna", email="anna@x.test")
    route = boss.create("approval_route", name="Contracts")
    me = next(one["id"] for one in boss.get("/user").json["items"] if one["email"] == "admin@acme.test")
    boss.create("approval_step", route=route, name="price", person=me, action="sign")
    values = {"name": "Contract", "of_entity": "customer", "body": "{{ document.number }}", "route": route}
    template = boss.create("document_template", **values)
    made = boss.post(f"/customer/{anna}/documents", {"template": f"own:{template}", "format": "html"}).json
    document, page = f"/acme/document/{made['document']}", admin.get(f"/acme/customer/{anna}").text
    token = token_of(page)
    assert f'href="{document}"' in page and "Boss made the document D-" in unescape(page)

    # sent along the route that its template proposes; then the file cannot be removed
    dialog = admin.get(f"{document}/send").text
    assert f'<option value="{route}" selected>Contracts</option>' in dialog
    nobody = admin.post(f"{document}/send", data={"csrf_token": token, "route": "", "people": ""})
    assert nobody.status_code == 422 and "Choose a route" in nobody.text
    assert admin.post(f"{document}/send", data={"csrf_token": token, "route": str(route)}).status_code == 302
    assert f"/files/{made['id']}/remove" not in admin.get(f"/acme/customer/{anna}").text

    # it waits on the desk and on its own page, and is signed there
    desk = admin.get("/acme/documents").text
    assert "To sign" in desk and f"{document}/versions/1" in desk
    assert "It waits for you" in admin.get(document).text
    form = desk.partition('hx-get="/acme/processes/tasks/')[2].partition("/")[0]
    decision = {"csrf_token": token, "in_dialog": "1", "decision": "sign", "reason": ""}
    assert admin.post(f"/acme/processes/tasks/{form}/complete", data=decision).status_code == 302
    signed = unescape(admin.get(document).text)
    assert "Admin signed version 1" in signed and "Sign-off sheet" in signed
    assert "Nothing waits for you" in admin.get("/acme/documents").text
    assert admin.get(f"{document}/sheet").data.startswith(b"%PDF-")

    # a file that somebody has is compared with what was signed
    content = admin.get(f"{document}/versions/1").data
    for data, said in ((content, "This is version 1, unchanged"), (b"other", "does not match")):
        sent = {"csrf_token": token, "file": (io.BytesIO(data), "a.html")}
        assert said in admin.post(f"{document}/check", data=sent).text
    sent = {"csrf_token": token, "file": (io.BytesIO(b"new"), "new.txt")}
    assert admin.post(f"{document}/version", data=sent).status_code == 409

    # it goes to the customer with a mail
    place = f"/acme/customer/{anna}/mail"
    assert admin.get(f"{document}/mail").headers["Location"] == f"{place}?file={made['id']}"
    assert f'value="{made["id"]}" checked' in admin.get(f"{place}?file={made['id']}").text
    mail = {"csrf_token": token, "to": "anna@x.test", "subject": "Contract", "text": "Attached"}
    assert admin.post(place, data={**mail, "files": "999"}).status_code == 422
    assert admin.post(place, data={**mail, "files": str(made["id"])}).status_code == 302
    assert drain() == 1
    (letter,) = received(post_office[1])
    (part,) = letter.iter_attachments()
    assert part.get_filename() == "Contract Anna.html" and part.get_content() == content
    assert "to anna@x.test, with Contract Anna.html" in unescape(admin.get(f"/acme/customer/{anna}").text)

    # void, with the reason
    assert admin.post(f"{document}/void", data={"csrf_token": token}).status_code == 422
    gone = {"csrf_token": token, "reason": "another was signed"}
    assert admin.post(f"{document}/void", data=gone).status_code == 302
    assert "another was signed" in admin.get(document).text


def test_a_document_that_comes_in_is_kept_with_its_file(boss: Client, sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    number = boss.create("document", title="Their contract")
    document = f"/acme/document/{number}"
    page = admin.get(document).text
    assert "No file yet" in page and "Make again" not in page
    refused = admin.post(f"{document}/version", data={"csrf_token": token_of(page)})
    assert refused.status_code == 422 and "Choose a file" in refused.text
    sent = {"csrf_token": token_of(page), "file": (io.BytesIO(b"%PDF-1.4"), "theirs.pdf")}
    assert admin.post(f"{document}/version", data=sent).status_code == 302
    assert "theirs.pdf" in admin.get(document).text
    again = admin.post(f"{document}/again", data={"csrf_token": token_of(page)})
    assert again.status_code == 409
