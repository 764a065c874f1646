"""Uploads: what is too large or is not what its name says is told beside its field, with the limit; nothing is kept."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from callers import Client, open_client
from samples import registry
from trellis.config import Config
from trellis.installation import Installation
from trellis.security.identities import set_password
from trellis.system import FilePart
from trellis.uploads import MB, Limits
from trellis.web.app import create_app
from trellis.workspace import Workspace
from web.conftest import PASSWORD, token_of

LARGE = b"name\n" + b"A" * (2 * MB)


@pytest.fixture
def prepare() -> None:
    """Nobody is there from the start."""


@pytest.fixture
def narrow(config: Config, workspace: Workspace) -> Iterator[Installation]:
    """A server that takes a megabyte of everything."""
    uploads = Limits(form=1, rest=1, import_=1, rest_import=1, backup=1)
    installation = Installation(dataclasses.replace(config, uploads=uploads), registry())
    yield installation
    installation.close()


@pytest.fixture
def client(narrow: Installation) -> Client:
    workspace = narrow.workspace("acme")
    return open_client(create_app(narrow), narrow, workspace, "admin@acme.test", ["administrator"])


def file(content: bytes, name: str, **more: Any) -> dict[str, Any]:
    form = {**more, "file": (io.BytesIO(content), name)}
    return {"data": form, "content_type": "multipart/form-data"}


def test_what_is_too_large_is_told_with_the_limit(narrow: Installation, client: Client) -> None:
    for answer in (
        client("POST", "/customer", data=b'{"name": "' + LARGE + b'"}', content_type="application/json"),
        client("POST", "/imports", **file(LARGE, "people.csv", entity="customer")),
    ):
        assert answer.status_code == 413
        assert answer.json is not None and "1 MB at most" in answer.json["detail"]
    set_password(narrow, "admin@acme.test", PASSWORD)
    browser = client.http
    form = {"csrf_token": token_of(browser.get("/acme/login").text), "email": "admin@acme.test"}
    browser.post("/acme/login", data={**form, "password": PASSWORD})
    for page in ("customer/import", "settings/backup/restore"):
        sent = browser.post(f"/acme/{page}", **file(LARGE, "people.zip"))
        assert sent.status_code == 303 and sent.headers["Location"] == f"/acme/{page}"
        form_again = browser.get(f"/acme/{page}").text
        assert 'id="e-file"' in form_again and "This is too large: 1 MB at most" in form_again
        assert 'id="e-file"' not in browser.get(f"/acme/{page}").text
    plain = browser.post("/acme/customer/new", data={"name": "A" * (2 * MB)})
    assert plain.status_code == 413 and "1 MB at most" in plain.text
    with narrow.workspace("acme").read() as session:
        assert session.scalars(sa.select(FilePart.name)).all() == []


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"%PDF-1.7\x00\x00", "people.csv", "the content is PDF"),
        (b"PK\x03\x04\x00\x00", "people.csv", "the content is ZIP, XLSX"),
        (b"name\nAnna\n", "people.xlsx", "the content is something else"),
    ],
)
def test_a_file_is_what_its_name_says(client: Client, content: bytes, name: str, words: str) -> None:
    answer = client("POST", "/imports", **file(content, name, entity="customer"))
    assert answer.status_code == 422 and answer.json is not None
    assert words in answer.json["errors"]["file"][0]


def test_limits_are_read_from_one_variable() -> None:
    assert Limits.parse("import=80, backup=2000") == Limits(import_=80, backup=2000)
    for wrong in ("imports=5", "import=0", "import=x", "import"):
        with pytest.raises(ValueError, match="TRELLIS_UPLOAD_LIMITS"):
            Limits.parse(wrong)
