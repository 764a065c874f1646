"""Making a document on the page of a record, and the editor of its templates."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from html import unescape

import pytest
from callers import Client, open_client
from documents.test_images import png
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


def test_the_logo_of_the_organisation_stands_in_documents(boss: Client, sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    page = admin.get("/acme/settings/logo")
    token = token_of(page.text)
    wrong = {"csrf_token": token, "file": (io.BytesIO(b"<svg>"), "logo.svg")}
    refused = admin.post("/acme/settings/logo", data=wrong)
    assert refused.status_code == 422 and "PNG or JPEG" in refused.text
    for width in (3, 5):  # the second takes the place of the first
        sent = {"csrf_token": token, "file": (io.BytesIO(png(width, 2)), "logo.png")}
        assert admin.post("/acme/settings/logo", data=sent).status_code == 302
    assert base64.b64encode(png(5, 2)).decode() in admin.get("/acme/settings/logo").text
    anna = boss.create("customer", name="Anna")
    tried = {"csrf_token": token, "of_entity": "customer", "name": "L", "language": "en", "record": str(anna)}
    body = '{{ organisation.logo | image("4cm") }}<img src="https://x.test/a.png"><a href="data:text/html,x">x</a>'
    shown = admin.post("/acme/document_template/preview", data=tried | {"body": body}).text
    assert 'src="data:image/png;base64,' in shown and "x.test" not in shown and "data:text" not in shown
    assert admin.post("/acme/settings/logo/remove", data={"csrf_token": token}).status_code == 302
    assert "Remove the logo" not in admin.get("/acme/settings/logo").text


def test_a_quote_has_a_document_before_anybody_writes_a_template(boss: Client, sign_in: SignIn) -> None:
    seat = boss.create("product", name="Seat & desk", price="75")
    quote = boss.create("quote", customer=boss.create("customer", name="Anna"), valid_until="2027-01-31")
    boss.create("quote_line", quote=quote, product=seat, quantity="2", discount="0.1", tax="0.2")
    admin, place = sign_in("admin@acme.test"), f"/acme/quote/{quote}"
    assert "Quote (English), PDF" in admin.get(f"{place}/document").text
    token = token_of(admin.get(place).text)
    for language in ("en", "ru"):
        chosen = {"csrf_token": token, "template": f"quote_{language}|html"}
        assert admin.post(f"{place}/document", data=chosen).status_code == 302
    english, russian = (unescape(admin.get(f"{place}/files/{one}").text) for one in (1, 2))
    assert all(one in english for one in ("Seat & desk", "135.00", "162.00", "31 Jan 2027")), english
    assert "162,00" in russian and "31 января 2027" in russian, russian
    empty = unescape(admin.get(f"/acme/product/{seat}/document").text)  # nothing is made of a product yet
    assert "/acme/document_template/new?of_entity=product" in empty
