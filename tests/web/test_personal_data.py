"""Personal data in the browser: a file for the person, and erasing after the name is typed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable

from flask.testing import FlaskClient
from trellis.installation import Installation
from trellis.security.actor import SYSTEM
from trellis.security.identities import set_roles
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
PAGE = "/acme/customer/1/personal-data"
OFFICER = "/acme/settings/roles/own.data_officer"


def test_a_person_is_taken_out_and_erased(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    assert PAGE in admin.get("/acme/customer/1").text
    form = {"csrf_token": token_of(admin.get(PAGE).text), "file": (io.BytesIO(b"hers"), "Pass: 7?.txt")}
    admin.post("/acme/customer/1/files", data=form)
    page = admin.get(PAGE).text
    assert "Removed whole" in page, "files go too"
    assert "Personal data of Customer 00" in page and "Backups and copies" in page
    for language, word in (("en", "Timeline"), ("ru", "История")):
        admin.set_cookie("language", language)
        with zipfile.ZipFile(io.BytesIO(admin.get(f"{PAGE}/file").data)) as archive:
            told = json.loads(archive.read("personal-data.json"))
            assert (told["title"], told["files"][0]["name"]) == ("Customer 00", "Pass: 7?.txt")
            assert archive.read(told["files"][0]["path"]) == b"hers"
            html = archive.read("personal-data.html").decode()
            assert word in html and 'href="files/1-Pass_%207_.txt"' in html
    admin.set_cookie("language", "en")
    token = token_of(page)
    refused = admin.post("/acme/customer/1/erase", data={"csrf_token": token, "name": "Customer 01"})
    assert refused.status_code == 422 and 'id="e-name"' in refused.text
    done = admin.post("/acme/customer/1/erase", data={"csrf_token": token, "name": "Customer 00"})
    assert done.status_code == 302
    record = admin.get("/acme/customer/1?tab=history").text
    assert "Removed whole" not in admin.get(PAGE).text
    assert "Erased #1" in record and ">erased</td>" in record
    assert "Customer 00" not in record
    assert "erased personal data of this record" in admin.get("/acme/customer/1").text
    assert "Personal data erased" in admin.get("/acme/settings/audit?entity=customer").text


def test_the_right_to_personal_data_is_given_by_a_role(sign_in: SignIn, installation: Installation) -> None:
    admin = sign_in("admin@acme.test")
    reader = sign_in("reader@acme.test")
    assert reader.get(PAGE).status_code == 403
    assert PAGE not in reader.get("/acme/customer/1").text
    token = token_of(admin.get("/acme/settings/roles/new").text)
    form = {"csrf_token": token, "title": "Data officer", "personal_data": "true", "customer.read": "all"}
    assert admin.post("/acme/settings/roles/new", data=form).status_code == 302
    assert re.search(r'id="f-personal_data"[^>]* checked', admin.get(OFFICER).text)
    workspace = installation.workspace("acme")
    with workspace.write() as session:
        set_roles(session, workspace.edition(session), SYSTEM, 3, ["own.data_officer"])
    assert reader.get(PAGE).status_code == 200
    assert reader.get(f"{PAGE}/file").status_code == 200
