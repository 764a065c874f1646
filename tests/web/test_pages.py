"""Pages: each opens for those who may, in both languages; what is typed badly comes back; rights hold."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from urllib.parse import quote

import sqlalchemy as sa
from flask.testing import FlaskClient
from samples import gym, registry
from trellis.config import Config
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.people import Unit
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]

RULE = quote(
    json.dumps(
        {"all": [{"field": "city", "op": "eq", "value": "Brno"}, {"field": "gym.card", "op": "is_not_empty"}]}
    )
)
PAGES = (
    "",
    "?period=year",
    "tasks",
    "model",
    "customer",
    f"customer?filter={RULE}&sort=-gym.card&columns=name,gym.card,owner",
    "customer?q=customer+1",
    "customer?view=mine",
    "search",
    "search?q=customer",
    "search?q=nothingatall",
    "order?totals=1",
    "customer?bin=1",
    "customer/1",
    "customer/1?tab=details",
    "customer/1?tab=history",
    "customer/1?tab=order",
    "customer/1/edit",
    "customer/new",
    "order",
    "opportunity/board",
    "lead/board",
    "gym.membership",
    "gym.membership/1",
    "segments",
    "segments/gym.members",
    "kpis",
    "kpis?kpi=revenue&grain=quarter",
    "kpis?open=revenue&by=unit&against=year",
    "analytics/pyramid",
    "analytics/rfm",
    "analytics/loyalty",
    "analytics/loyalty?period=2026&change=0.1",
    "analytics/clv",
    "analytics/clv?horizon=none",
    "analytics/pyramid?period=2026&measure=revenue",
    "analytics/abc",
    "analytics/abc?of=products&period=2020",
    "analytics/significance",
    "analytics/satisfaction",
    "analytics/satisfaction?by=tier&period=2026",
    "analytics/programme",
    "survey_answer/new",
    "programme/new",
)
SETTINGS = (
    "general",
    "health",
    "users",
    "roles",
    "roles/manager",
    "roles/new",
    "fields",
    "fields?entity=order",
    "fields/customer/phone/rules",
    "plugins",
    "value",
)


def test_every_page_opens_in_both_languages(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    for language in ("en", "ru"):
        client.set_cookie("language", language)
        for path in (*PAGES, *(f"settings/{one}" for one in SETTINGS)):
            answer = client.get(f"/acme/{path}")
            assert answer.status_code == 200, f"{language} {path}: {answer.text[:300]}"
            assert f'lang="{language}"' in answer.text
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_the_history_calls_records_by_name_for_those_who_may_see_them(sign_in: SignIn) -> None:
    admin, agent = sign_in("admin@acme.test"), sign_in("agent@acme.test")
    assert ">Customer 00</td>" in admin.get("/acme/order/1?tab=history").text
    assert "#1</td>" not in admin.get("/acme/activity/1?tab=history").text
    assert agent.get("/acme/order/1?tab=history").status_code == 404


def test_a_dashboard_is_called_by_its_name_and_home_greets(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    assert "<h1>Good " in client.get("/acme/").text
    assert "<h1>Home</h1>" in client.get("/acme/dashboards/home").text


def test_strangers_are_sent_to_the_sign_in_page(app: object, sign_in: SignIn) -> None:
    client = app.test_client()  # type: ignore[attr-defined]
    answer = client.get("/acme/customer")
    assert answer.status_code == 303
    assert answer.location.startswith("/acme/login")
    assert client.get("/nowhere/customer").status_code in (303, 404)


def test_settings_are_for_administrators(sign_in: SignIn) -> None:
    client = sign_in("agent@acme.test")
    for one in SETTINGS:
        assert client.get(f"/acme/settings/{one}").status_code == 403, one
    token = token_of(client.get("/acme/search").text)
    for path in (
        "settings/general",
        "settings/plugins/gym/disable",
        "settings/users/new",
        "settings/fields/customer/new",
    ):
        assert client.post(f"/acme/{path}", data={"csrf_token": token}).status_code == 403, path


def test_what_one_may_not_see_does_not_exist(sign_in: SignIn) -> None:
    client = sign_in("agent@acme.test")
    assert client.get("/acme/customer/1").status_code == client.get("/acme/customer/99999").status_code == 404
    assert "Customer 01" not in client.get("/acme/customer").text
    assert client.get("/acme/customer/options?q=customer").json == {"items": []}


def test_a_reader_changes_nothing(sign_in: SignIn) -> None:
    client = sign_in("reader@acme.test")
    token = token_of(client.get("/acme/search").text)
    attempts = {
        "customer/new": {"name": "New"},
        "customer/1/edit": {"name": "Changed"},
        "customer/1/field/city": {"city": "Graz"},
        "customer/1/delete": {},
        "opportunity/1/move": {"stage": "won"},
        "customer/bulk/delete": {"ids": "1,2"},
    }
    for path, values in attempts.items():
        answer = client.post(f"/acme/{path}", data={"csrf_token": token, **values})
        assert answer.status_code in (403, 404, 422), path
    assert "Customer 00" in client.get("/acme/customer/1").text


def test_a_write_without_the_token_of_the_page_is_refused(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    assert client.post("/acme/customer/1/delete").status_code == 403
    assert client.get("/acme/customer/1").status_code == 200


def test_a_form_keeps_what_was_typed_and_says_what_is_wrong(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    token = token_of(client.get("/acme/customer/new").text)
    answer = client.post(
        "/acme/customer/new", data={"csrf_token": token, "name": "", "email": "nonsense", "city": "Graz"}
    )
    assert answer.status_code == 422
    assert 'value="nonsense"' in answer.text
    assert 'value="Graz"' in answer.text
    assert 'href="#f-name"' in answer.text
    made = client.post("/acme/customer/new", data={"csrf_token": token, "name": "Ирина", "gym.card": "G-77"})
    assert "G-77" in client.get(made.location).text


def test_a_field_is_edited_in_place_and_a_lost_update_is_told(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    token = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    saved = client.post("/acme/customer/1/field/city", data={"city": "Graz", "version": "1"}, headers=token)
    assert "Graz" in saved.text
    stale = client.post("/acme/customer/1/field/city", data={"city": "Linz", "version": "1"}, headers=token)
    assert stale.status_code == 422
    assert "made this “Graz” meanwhile" in stale.text
    assert 'value="Linz"' in stale.text


def test_a_move_asks_for_what_the_stage_needs(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text), "HX-Request": "true"}
    headers["HX-Current-URL"] = "http://localhost/acme/opportunity/board"
    asked = client.post("/acme/opportunity/1/move", data={"stage": "lost"}, headers=headers)
    assert 'name="lost_reason"' in asked.text
    done = client.post(
        "/acme/opportunity/1/move", data={"stage": "lost", "lost_reason": "Price"}, headers=headers
    )
    assert json.loads(done.headers["HX-Trigger"])["moved"]["stage"] == "lost"
    history = client.get("/acme/opportunity/1?tab=history").text
    assert "Lost</td>" in history  # the title of the stage, not its name


def test_a_note_stands_on_the_timeline(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    pane = client.post(
        "/acme/customer/1/compose", data={"kind": "note", "text": "Likes <b>lamps</b>"}, headers=headers
    )
    assert "Likes &lt;b&gt;lamps&lt;/b&gt;" in pane.text


def test_ticked_rows_go_to_the_bin_and_come_back(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    client.post("/acme/customer/bulk/delete", data={"ids": "1,2"}, headers=headers)
    assert "Customer 00" in client.get("/acme/customer?bin=1").text
    assert client.get("/acme/customer/1").status_code == 404
    client.post("/acme/customer/bulk/restore", data={"ids": "1,2"}, headers=headers)
    assert client.get("/acme/customer/1").status_code == 200
    assert "The bin is empty" in client.get("/acme/customer?bin=1").text


def test_a_view_is_kept_and_a_bad_filter_is_told(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    token = token_of(client.get("/acme/search").text)
    definition = json.dumps(
        {"rule": {"field": "city", "op": "eq", "value": "Brno"}, "fields": ["name", "city"]}
    )
    kept = client.post(
        "/acme/customer/views", data={"csrf_token": token, "title": "In Brno", "definition": definition}
    )
    page = client.get(kept.location).text
    assert "In Brno" in page
    assert "Customer 01" in page and "Customer 00" not in page
    bad = quote(json.dumps({"field": "height", "op": "eq", "value": 1}))
    assert client.get(f"/acme/customer?filter={bad}").status_code == 400


def test_an_export_is_the_list_that_was_shown(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    rows = client.get(f"/acme/customer/export?filter={RULE}&columns=name,city").text.splitlines()
    assert rows[0] == "id,external_id,name,city"
    assert len(rows) == 16


def test_a_plugin_is_disabled_and_enabled_again_from_the_page(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    client.post("/acme/settings/plugins/gym/disable", headers=headers)
    assert client.get("/acme/gym.membership").status_code == 404
    assert "Enabling Gym will add" in client.get("/acme/settings/plugins/gym/preview").text
    client.post("/acme/settings/plugins/gym/enable", headers=headers)
    assert "Gold" in client.get("/acme/gym.membership").text
    refused = client.post("/acme/settings/plugins/gym/purge", data={"name": "gim"}, headers=headers)
    assert refused.status_code == 422


def test_a_form_that_is_out_of_date_takes_in_what_others_changed_and_tells_what_both_did(
    sign_in: SignIn,
) -> None:
    client = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    edit = "/acme/customer/1/edit"
    old = {"name": "Customer 00", "city": "Wien", "phone": "", "email": "", "version": "1"}
    theirs = old | {"name": "Anna Meyer", "city": "Graz"}
    assert client.post(edit, data=theirs, headers=headers).status_code == 302
    mine = old | {"name": "Anna Maier", "email": "anna@x.test"}
    refused = client.post(edit, data=mine, headers=headers)
    assert refused.status_code == 409
    assert "made this “Anna Meyer” meanwhile" in refused.text
    held = {name: _held(refused.text, name) for name in old}
    assert held == mine | {"city": "Graz", "version": "2"}
    assert client.post(edit, data=held, headers=headers).status_code == 302
    page = client.get(edit).text
    assert {name: _held(page, name) for name in old} == held | {"version": "3"}


def _held(page: str, name: str) -> str:
    """What a text box of a form holds."""
    (box,) = re.findall(rf'<input[^>]* name="{name}"[^>]*>', page)
    return "".join(re.findall(r' value="([^"]*)"', box))


def test_a_dialog_that_is_opened_by_its_address_comes_with_a_page(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    address = "/acme/settings/users/new"
    whole = client.get(address).text
    assert "<html" in whole and 'data-back="/acme/settings/users"' in whole and "Add a user" in whole
    part = client.get(address, headers={"HX-Request": "true"}).text
    assert "<html" not in part and "Add a user" in part


def test_a_purge_never_writes_over_the_archive_of_an_earlier_one(sign_in: SignIn, config: Config) -> None:
    client = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    for act in ("disable", "purge", "enable", "disable", "purge"):
        client.post(f"/acme/settings/plugins/gym/{act}", data={"name": "gym"}, headers=headers)
    first, second = sorted((config.home / "archives/acme").iterdir(), key=lambda one: one.stat().st_mtime_ns)
    page = client.get("/acme/settings/plugins").text
    links = re.findall(r'href="(/acme/settings/plugins/archives/[^"]+)"', page)
    assert [client.get(link).data for link in links] == [second.read_bytes(), first.read_bytes()]
    assert client.get("/acme/settings/plugins/archives/..%2F..%2Fcontrol.db").status_code == 404
    with zipfile.ZipFile(first) as archive:
        assert b"Gold" in archive.read("tables/gym_membership.jsonl")
    with zipfile.ZipFile(second) as archive:
        assert archive.read("tables/gym_membership.jsonl") == b""


def test_an_own_field_works_at_once_and_its_values_survive_removal(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    field = {
        "name": "size",
        "label": "Size",
        "type": "choice",
        "options": "S\nM",
        "indexed": "true",
        "in_list": "true",
    }
    assert client.post("/acme/settings/fields/customer/new", data=field, headers=headers).status_code < 400
    client.post("/acme/customer/1/field/own.size", data={"own.size": "M"}, headers=headers)
    assert "own-size" in client.get("/acme/customer/1").text
    client.post("/acme/settings/fields/customer/own.size/remove", headers=headers)
    assert "own-size" not in client.get("/acme/customer/1").text
    client.post("/acme/settings/fields/customer/new", data=field, headers=headers)
    rule = quote(json.dumps({"field": "own.size", "op": "eq", "value": "M"}))
    assert "Customer 00" in client.get(f"/acme/customer?filter={rule}").text


def test_a_wrong_password_and_an_unknown_address_read_alike(app: object) -> None:
    client = app.test_client()  # type: ignore[attr-defined]
    token = token_of(client.get("/acme/login").text)
    answers = [
        client.post("/acme/login", data={"csrf_token": token, "email": email, "password": "wrong"})
        for email in ("admin@acme.test", "nobody@acme.test")
    ]
    assert {answer.status_code for answer in answers} == {401}
    texts = [answer.text.replace("admin@acme.test", "").replace("nobody@acme.test", "") for answer in answers]
    assert texts[0] == texts[1]


def test_signing_in_leads_only_inside(app: object) -> None:
    client = app.test_client()  # type: ignore[attr-defined]
    token = token_of(client.get("/acme/login").text)
    form = {
        "csrf_token": token,
        "email": "admin@acme.test",
        "password": "a long password",
        "next": "//evil.test/",
    }
    assert client.post("/acme/login", data=form).location == "/acme/"


def test_the_organisation_is_shown_as_a_tree_with_positions_and_people(
    sign_in: SignIn, open_installation: Callable[..., Installation]
) -> None:
    workspace = open_installation(plugins=registry(gym())).workspace("acme")
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        head = records.create("unit", {"name": "Head office"}).id
        shop = records.create("unit", {"name": "Shop 7", "parent": head}).id
        records.create("position", {"name": "Shop manager", "unit": shop, "holder": 1})
        records.create("position", {"name": "Cashier", "unit": shop})
        ring = records.create("unit", {"name": "Ring A"}).id
        other = records.create("unit", {"name": "Ring B", "parent": ring}).id
        made_before = (
            sa.update(Unit).where(Unit.id == ring).values(parent_id=other)
        )  # circles were not refused
        session.execute(made_before)
    page = sign_in("admin@acme.test").get("/acme/settings/organisation").text
    tree = page.split('class="units units-top"')[1].split("<section")[0]
    assert tree.index("Head office") < tree.index('<ul class="units">') < tree.index("Shop 7")
    assert tree.index("Shop 7") < tree.index("Shop manager") and "vacant" in tree
    assert tree.count(">Ring A<") == tree.count(">Ring B<") == 1
    assert f"/acme/unit/new?parent={shop}" in tree
    assert "Agent" in page.split("Without a unit")[1]
    assert sign_in("agent@acme.test").get("/acme/settings/organisation").status_code == 403


def test_an_own_field_is_changed_in_place_and_keeps_its_values(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    for name, label in (("size", "Size"), ("shoe", "Shoe")):
        field = {"name": name, "label": label, "type": "choice", "options": "S\nM"}
        client.post("/acme/settings/fields/customer/new", data=field, headers=headers)
    client.post("/acme/customer/1/field/own.size", data={"own.size": "M", "version": "1"}, headers=headers)
    url = "/acme/settings/fields/customer/own.size/edit"
    form = client.get(url).text
    assert 'value="Size"' in form and "S\nM" in form and 'name="type"' not in form
    asked = {
        "label": "Garment",
        "group": "Measures",
        "options": "S\nM\nL",
        "required": ["false", "true"],
        "searchable": ["false", "true"],
        "indexed": ["false", "true"],
        "position": "99",
    }
    assert client.post(url, data=asked, headers=headers).status_code < 400
    page = client.get("/acme/customer/1?tab=details").text
    assert "Garment" in page and "Measures" in page
    new = client.get("/acme/customer/new").text
    assert new.index("Shoe") < new.index("Garment")
    refused = client.post("/acme/customer/new", data={"name": "No size"}, headers=headers)
    assert refused.status_code == 422 and "This field needs a value" in refused.text
    assert "Customer 00" in client.get("/acme/customer?q=M").text
    for wrong in ({"position": "x"}, {"label": ""}, {"options": ""}):
        assert client.post(url, data={**asked, **wrong}, headers=headers).status_code == 422, wrong
    assert client.get("/acme/settings/fields/customer/name/edit").status_code == 404
