"""Fields required and shown under a rule: one answer for every way in, and rules that cannot be kept are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trellis
from importing import file, imported
from samples import plugin
from sqlalchemy.orm import Session
from trellis import enabling, types
from trellis.edition import Settings
from trellis.errors import RecordInvalid
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.records import conditions
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.importer import Plan
from trellis.records.importer.preview import preview
from trellis.security.actor import SYSTEM
from trellis.settings.conditions import decide, forget
from trellis.settings.fields import add_field
from trellis.workspace import Workspace

COMPANY = {"field": "kind", "op": "eq", "value": "company"}
NO_EMAIL = {"field": "email", "op": "is_empty"}
NO_PHONE = {"field": "phone", "op": "is_empty"}


def rule(workspace: Workspace, name: str, required: Any = None, visible: Any = None) -> None:
    with workspace.write() as session:
        rules = {"required_when": required, "visible_when": visible}
        decide(session, workspace.edition(session), "customer", name, rules)


def door(workspace: Workspace, session: Session) -> Records:
    return Records(session, workspace.edition(session), SYSTEM)


def refused(workspace: Workspace, values: dict[str, Any]) -> set[str]:
    with workspace.write() as session:
        try:
            door(workspace, session).create("customer", values)
        except RecordInvalid as error:
            return set(error.errors)
    return set()


def test_a_rule_holds_for_every_way_into_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    rule(workspace, "phone", NO_EMAIL)
    rule(workspace, "email", NO_PHONE)  # each names the other: one of the two is asked for
    rule(workspace, "city", COMPANY)
    assert refused(workspace, {"name": "A"}) == {"phone", "email"}
    assert refused(workspace, {"name": "A", "phone": "1234567"}) == set()
    assert refused(workspace, {"name": "A", "kind": "company", "email": "a@a.test"}) == {"city"}
    with workspace.write() as session:
        records = door(workspace, session)
        writes = [Write(values={"name": "B", "email": "b@b.test"}), Write(values={"name": "C"})]
        with pytest.raises(BatchInvalid) as batch, records.whole():
            records.save("customer", writes)
        assert set(batch.value.failures) == {1}
        made = records.create("customer", {"name": "D", "email": "d@d.test"})
        with pytest.raises(RecordInvalid) as changed:
            records.update("customer", made.id, {"kind": "company"})
        assert set(changed.value.errors) == {"city"}
    source = file(tmp_path, "people.csv", "name,kind\nEva,company\n")
    result = imported(workspace, "customer", source)
    assert (result.created, result.rejected) == (0, 1)
    with workspace.write() as session:
        edition = workspace.edition(session)
        plan = Plan(columns={"name": "name", "kind": "kind"})
        tried = preview(session, edition, SYSTEM, "customer", plan, source, None)
    assert set(tried.rows[0].errors) == {"city", "email", "phone"}
    assert {"city", "email", "phone"} <= set(tried.fields), "the error has a cell to stand beside"
    with workspace.write() as session:
        forget(session, "customer", "city")
    assert refused(workspace, {"name": "A", "kind": "company", "email": "a@a.test"}) == set()


def test_a_hidden_field_keeps_its_value_and_none_is_asked_of_it(workspace: Workspace) -> None:
    with workspace.write() as session:
        declaration = {"type": "text", "label": "VAT id", "required": True}
        add_field(session, workspace.edition(session), "customer", "vat", declaration)
    rule(workspace, "own.vat", None, COMPANY)
    assert refused(workspace, {"name": "A", "kind": "company"}) == {"own.vat"}
    with workspace.write() as session:
        records = door(workspace, session)
        made = records.create("customer", {"name": "A", "kind": "company", "own.vat": "DE1"})
        kept = records.update("customer", made.id, {"kind": "person"})
        assert kept.values["own.vat"] == "DE1"
        emptied = records.update("customer", made.id, {"own.vat": None})
        assert emptied.values["own.vat"] is None
        view = records.edition.entity("customer")
        told = conditions.states(records.edition, SYSTEM, view, emptied.values)
        assert told == {"own.vat": conditions.State(visible=False, required=False)}


@pytest.mark.parametrize(
    ("name", "attribute", "given", "message"),
    [
        ("phone", "required_when", {"field": "phone", "op": "is_empty"}, "the field that it shows"),
        ("phone", "visible_when", {"field": "owner.name", "op": "is_not_empty"}, "another record"),
        ("phone", "visible_when", {"field": "id", "op": "gt", "value": 5}, "has no id"),
        ("phone", "required_when", {"field": "nmae", "op": "is_empty"}, "did you mean “name”"),
        ("name", "visible_when", COMPANY, "cannot be hidden"),
        ("tier", "required_when", COMPANY, "kept by Trellis"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(
    workspace: Workspace, name: str, attribute: str, given: Any, message: str
) -> None:
    rules = {"required_when": None, "visible_when": None, attribute: given}
    with workspace.write() as session, pytest.raises(RecordInvalid) as error:
        decide(session, workspace.edition(session), "customer", name, rules)
    assert message in str(error.value.errors[attribute][0])


def test_a_plugin_declares_rules_and_the_organisation_replaces_them(installation: Installation) -> None:
    fields = [
        trellis.Field(name="dog.name", entity="customer", type=types.Text(), label=Text("Dog")),
        trellis.Field(
            name="dog.breed",
            entity="customer",
            type=types.Text(),
            label=Text("Breed"),
            required_when={"field": "dog.name", "op": "is_not_empty"},
        ),
        trellis.Field(
            name="dog.age",
            entity="customer",
            type=types.Integer(),
            label=Text("Age"),
            visible_when={"field": "dog.nose", "op": "is_not_empty"},
        ),
    ]
    dogs = plugin("dog", trellis_fields=lambda: fields)
    installation.plugins.add(dogs)
    workspace = installation.create_workspace("kennel", Settings())
    before = enabling.preview(workspace, "dog").problems
    assert "dog.age.visible_when" in str(before[0])
    fields.pop()
    enabling.enable(workspace, "dog")
    assert refused(workspace, {"name": "A", "dog.name": "Rex"}) == {"dog.breed"}
    rule(workspace, "dog.breed")
    assert refused(workspace, {"name": "A", "dog.name": "Rex"}) == set()
