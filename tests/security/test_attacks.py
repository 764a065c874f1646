"""Files that are larger than they look, values that grow, and secrets that errors and logs might tell."""

from __future__ import annotations

import logging
import smtplib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from trellis import mail
from trellis.backup import archive, restoring
from trellis.config import Config
from trellis.control import Identity
from trellis.installation import Installation
from trellis.records.expressions import (
    ExpressionFailed,
    ExpressionInvalid,
    compile_expression,
    names_of,
)
from trellis.records.importer import ImportFailed, open_source
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.web.app import create_app
from web.conftest import PASSWORD, token_of

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def spreadsheet(path: Path, cells: str) -> Path:
    """A workbook of one sheet, as small as they come."""
    one = '<Relationship Id="a" Type="{type}" Target="{target}"/>'

    def related(kind: str, target: str) -> str:
        to = one.format(type=f"{RELATED}/{kind}", target=target)
        return f'<Relationships xmlns="{PACKAGE}">{to}</Relationships>'

    sheets = '<sheets><sheet name="S" sheetId="1" r:id="a"/></sheets>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("_rels/.rels", related("officeDocument", "xl/workbook.xml"))
        file.writestr("xl/_rels/workbook.xml.rels", related("worksheet", "worksheets/sheet1.xml"))
        file.writestr("xl/workbook.xml", f'<workbook xmlns="{SHEET}" xmlns:r="{RELATED}">{sheets}</workbook>')
        sheet = f'<worksheet xmlns="{SHEET}"><sheetData>{cells}</sheetData></worksheet>'
        file.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


def test_a_spreadsheet_that_stands_for_terabytes_does_not_end_the_server(tmp_path: Path) -> None:
    named = '<row r="1"><c r="A1" t="str"><v>name</v></c></row>'
    calm = spreadsheet(tmp_path / "calm.xlsx", f'{named}<row r="3"><c r="A3"><v>7</v></c></row>')
    assert [row.cells for row in open_source(calm).rows()] == [{"name": 7}]
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(ImportFailed, match="too large"):
        open_source(spreadsheet(tmp_path / "corner.xlsx", named + corner))
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ImportFailed, match=r"broken\.xlsx cannot be read"):
        open_source(tmp_path / "broken.xlsx")


@pytest.mark.parametrize(
    "text",
    [
        "().__class__",
        "row.__class__.__mro__",
        "row['a'].__class__",
        "[x for x in row]",
        "2 ** 9999999",
        "1 << 9999999",
        "'%s' % 1",
        "f'{row}'",
        "__import__('os')",
        "eval('1')",
        "getattr(row, 'x')",
        "(lambda: 1)()",
    ],
)
def test_an_expression_climbs_nowhere(text: str) -> None:
    with pytest.raises(ExpressionInvalid):
        compile_expression(text)


def test_an_expression_grows_nothing() -> None:
    names = names_of({"a": "x" * 1_000_000}, 1)
    for text in (
        "concat(a, a)",
        "'ab' * 9999999",
        "a * 9",
        "a + a",
        f"concat({'a,' * 500} a)",
        "[1] * 99999999",
    ):
        with pytest.raises(ExpressionFailed):
            compile_expression(text)(names)


def test_a_backup_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "LONGEST", 1000)
    path = tmp_path / "a.backup"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(archive.MANIFEST, '{"format": 1, "x": "' + "y" * 5000 + '"}')
    with pytest.raises(archive.BackupInvalid):
        restoring.read_manifest(path)
    (tmp_path / "rows").write_bytes(b"[1]\n" + b"x" * 5000)
    with (tmp_path / "rows").open("rb") as rows:
        lines = restoring._lines(rows)
        assert next(lines) == b"[1]\n"
        with pytest.raises(ValueError):
            next(lines)


def test_an_error_of_the_database_tells_no_values(installation: Installation) -> None:
    with pytest.raises(sa.exc.IntegrityError) as failed, installation.control.write() as session:
        for _number in range(2):
            session.add(Identity(email="secret@acme.test", password="$argon2 hash", uniquifier="u"))
        session.flush()
    assert "argon2" not in str(failed.value)


def test_a_wrong_mail_address_of_the_server_keeps_its_password(config: Config) -> None:
    bent = replace(config, smtp_url="smtp://user:p#secret@host:587")
    with pytest.raises(smtplib.SMTPException) as failed:
        mail.connect(bent)
    assert "secret" not in str(failed.value) and "%XX" in str(failed.value)


@pytest.fixture
def app(open_installation: Callable[..., Installation]) -> Flask:
    installation = open_installation()
    add_user(installation, installation.workspace("acme"), "anna@acme.test", "Anna", ["agent"], PASSWORD)
    return create_app(installation)


def test_the_log_holds_no_secret(
    app: Flask, installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    token = new_token(installation.workspace("acme"), "anna@acme.test")
    browser = app.test_client()
    form = {"csrf_token": token_of(browser.get("/acme/login").text), "email": "anna@acme.test"}
    assert browser.post("/acme/login", data={**form, "password": "wrong words here"}).status_code == 401
    assert browser.post("/acme/login", data={**form, "password": PASSWORD}).status_code == 303

    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("trellis.records.feed.Feed._written", fail)
    headers = {"Authorization": f"Bearer {token}"}
    answer = app.test_client().get("/api/v1/acme/events", headers=headers)
    assert (answer.status_code, "on purpose" in answer.text) == (500, False)
    assert "on purpose" in caplog.text
    cookie = browser.get_cookie("trellis")
    assert cookie is not None
    for secret in (token, token[4:12], PASSWORD, "wrong words", cookie.value[:20], str(app.secret_key)):
        assert secret not in caplog.text, secret
    for header in answer.headers.values():
        assert token not in header


def test_cookies_are_for_this_site_and_not_for_scripts(app: Flask) -> None:
    for address, secure in (("http://localhost", False), ("https://crm.acme.test", True)):
        kept = app.test_client().get("/acme/login", base_url=address).headers["Set-Cookie"]
        assert ("HttpOnly" in kept, "SameSite=Lax" in kept, "Secure" in kept) == (True, True, secure)
