"""Making a document on the page of a record, and the editor of its templates."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation
from trellis.workspace import Workspace
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def boss(app: Flask, installation: Installation) -> Client:
    workspace: Workspace = installation.workspace("acme")
    return open_client(app, installation, workspace, "boss@acme.test", ["administrator"])


def test_a_template_is_written_tried_and_made_a_document(boss: Client, sign_in: SignIn) -> None:
    anna = boss.create("customer", name="Anna <i>", city="Brno")
    admin = sign_in("admin@acme.test")
    editor = "/acme/document_template/new"
    page = admin.get(f"{editor}?of_entity=customer").text
    assert 'data-insert="{{ record.city }}"' in page and "related.order" in page
    form = {"csrf_token": token_of(page), "of_entity": "customer", "name": "Letter", "language": "en"}
    tried = form | {
        "record": str(anna),
        "body": "<h2>{{ record.name }}</h2><script>x()</script>{{ record.city }}",
    }
    shown = admin.post("/acme/document_template/preview", data=tried).text
    assert "<h2>Anna &lt;i&gt;</h2>Brno" in shown and "x()" not in shown
    wrong = admin.post("/acme/document_template/preview", data=tried | {"body": "{{ record.town }}"}).text
    assert "“town”" in unescape(wrong)
    refused = admin.post(editor, data=form | {"body": "{% if %}"})
    assert refused.status_code == 422 and "Line 1" in refused.text
    assert admin.post(editor, data=form | {"body": "{{ record.city }}"}).status_code == 302
    place = f"/acme/customer/{anna}/document"
    assert f'hx-get="{place}"' in admin.get(f"/acme/customer/{anna}").text
    assert "Letter (English), PDF" in admin.get(place).text
    (template,) = boss.get("/document_template").json["items"]
    chosen = {"csrf_token": token_of(page), "template": f"own:{template['id']}|pdf"}
    assert admin.post(place, data=chosen).status_code == 302
    assert "Letter Anna i.pdf" in admin.get(f"/acme/customer/{anna}").text
    no_such = admin.post(place, data=chosen | {"template": "own:0|pdf"})
    assert no_such.status_code == 404
