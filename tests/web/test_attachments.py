"""Files at a record in the browser: attached, refused beside the field, downloaded, removed."""

from __future__ import annotations

import io
from collections.abc import Callable
from html import unescape
from urllib.parse import quote

from flask.testing import FlaskClient
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]


def test_files_are_attached_downloaded_and_removed(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    page = client.get("/acme/customer/1").text
    token = token_of(page)
    assert "Attach" in page and "25 MB at most" in page

    def send(name: str, data: bytes) -> object:
        form = {"csrf_token": token, "file": (io.BytesIO(data), name)}
        return client.post("/acme/customer/1/files", data=form, headers={"HX-Request": "true"})

    refused = send("run.exe", b"MZ")
    assert refused.status_code == 422 and 'id="e-file"' in refused.text
    assert send("page.html", b"<script>alert(1)</script>").headers["HX-Redirect"] == "/acme/customer/1"
    page = unescape(client.get("/acme/customer/1").text)
    assert "page.html" in page and "1 KB" in page and "“page.html” is kept" in page
    got = client.get("/acme/customer/1/files/1")
    assert got.headers["Content-Type"] == "application/octet-stream"  # never a page of ours
    assert got.headers["Content-Disposition"] == "attachment; filename=page.html"
    send("Предложение.html", b"<p>")
    named = client.get("/acme/customer/1/files/2").headers["Content-Disposition"]
    assert named.isascii() and f"filename*=UTF-8''{quote('Предложение.html')}" in named
    assert "Remove “page.html”?" in unescape(client.get("/acme/customer/1/files/1/remove").text)
    client.post("/acme/customer/1/files/1/remove", data={"csrf_token": token})
    assert "page.html" not in unescape(client.get("/acme/customer/1").text).replace("The file is removed", "")
    assert "Attach" not in sign_in("reader@acme.test").get("/acme/customer/1").text
