"""Rules of fields in the browser: set by an administrator, followed by forms and record pages while one types."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask.testing import FlaskClient
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
PAGE = "/acme/settings/fields/customer/phone/rules"
COMPANY = {"all": [{"field": "kind", "op": "eq", "value": "company"}]}
IN_BRNO = {"all": [{"field": "city", "op": "eq", "value": "Brno"}]}


def test_an_administrator_gives_a_field_rules_and_forms_follow_them(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    token = token_of(admin.get(PAGE).text)
    empty = {"csrf_token": token, "required_when.choice": "rule", "required_when": "null"}
    refused = admin.post(PAGE, data=empty)
    assert refused.status_code == 422 and "Add a comparison" in refused.text
    itself = json.dumps({"field": "phone", "op": "is_empty"})
    refused = admin.post(PAGE, data={**empty, "required_when": itself})
    assert refused.status_code == 422 and "cannot ask for the field" in refused.text
    kept = {
        "csrf_token": token,
        "required_when.choice": "rule",
        "required_when": json.dumps(COMPANY),
        "visible_when.choice": "rule",
        "visible_when": json.dumps(IN_BRNO),
    }
    assert admin.post(PAGE, data=kept).status_code == 302
    assert "Kind is Company" in admin.get("/acme/settings/fields?entity=customer").text

    new = admin.get("/acme/customer/new").text
    assert 'data-ruled="phone" hidden' in new and 'data-conditions="/acme/customer/conditions"' in new
    typed = {"csrf_token": token, "name": "A", "city": "Brno", "kind": "company", "birthday": "not a day"}
    told = admin.post("/acme/customer/conditions", data=typed).json
    assert told == {"phone": {"visible": True, "required": True, "label": "Phone"}}
    answer = admin.post("/acme/customer/new", data={**typed, "birthday": ""})
    assert answer.status_code == 422 and 'href="#f-phone"' in answer.text

    assert 'id="prop-phone" hidden' in admin.get("/acme/customer/1").text, "the first customer lives in Wien"
    saved = admin.post("/acme/customer/1/field/city", data={"csrf_token": token, "city": "Brno"})
    assert json.loads(saved.headers["HX-Trigger"])["record-fields"]["value"]["phone"]["visible"] is True

    forgotten = admin.post(f"{PAGE}/forget", data={"csrf_token": token})
    assert forgotten.status_code == 302
    assert "data-conditions" not in admin.get("/acme/customer/new").text
    assert sign_in("agent@acme.test").get(PAGE).status_code == 403


def test_rest_tells_the_rules_of_fields(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    kept = {"required_when.choice": "rule", "required_when": json.dumps(COMPANY)}
    admin.post(PAGE, data={"csrf_token": token_of(admin.get(PAGE).text), **kept})
    fields = admin.get("/api/v1/acme/entities/customer").json["fields"]  # type: ignore[index]
    told = {one["name"]: (one["required"], one["required_when"], one["visible_when"]) for one in fields}
    assert told["phone"] == (False, COMPANY, None)
    assert told["name"] == (True, None, None)
