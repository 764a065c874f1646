"""Duplicates: what is found, why, and for whom."""

from __future__ import annotations

from typing import Any

import pytest
from trellis.contributions import FieldRight, Grant, Scope
from trellis.quality.duplicates import digits_of, find, groups
from trellis.records.door import Records, Write
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.security.field_rights import merge_field_rules
from trellis.workspace import Workspace

PEOPLE: tuple[dict[str, Any], ...] = (
    {"name": "Meyer & Söhne GmbH", "email": "info@meyer.test", "phone": "+49 30 123 456 78"},
    {"name": "Анна Королёва", "email": "anna@mail.test", "phone": "8 (495) 765-43-21"},
    {"name": "Jana Novotná", "city": "Brno"},
    {"name": "Jana Novotna", "city": "Praha"},
    {"name": "Somebody else", "phone": "+7 495 765 43 21"},
)


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        records.save("customer", [Write(values=one) for one in PEOPLE])
    return workspace


def alike(
    workspace: Workspace, values: dict[str, Any], actor: Actor = SYSTEM, **more: Any
) -> list[tuple[int, list[str]]]:
    with workspace.read() as session:
        edition = actor.sees(workspace.edition(session))
        found = find(session, edition, actor, "customer", values, **more)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0 < one.score <= 1 for one in found)
    return [(one.record.id, [str(reason) for reason in one.reasons]) for one in found]


MAIL, PHONE, NAME, LIKE = "same mail address", "same telephone number", "same name", "similar name"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"email": "INFO@meyer.test"}, [(1, [MAIL])]),
        ({"phone": "030/12345678"}, [(1, [PHONE])]),
        ({"phone": "(030) 123-45678 ext. 9"}, [(1, [PHONE])]),
        ({"name": "MEYER und Söhne"}, []),
        ({"name": "Sohne, Meyer"}, [(1, [NAME])]),
        ({"name": "Meyer & Söhne Ltd."}, [(1, [NAME])]),
        ({"name": "Королева Анна"}, [(2, [NAME])]),
        ({"name": "Анна Каралёва"}, []),
        ({"name": "Анна Королёво"}, [(2, [LIKE])]),
        ({"phone": "84957654321", "name": "Anna"}, [(2, [PHONE]), (5, [PHONE])]),
        ({"name": "Jana Novotná"}, [(3, [NAME]), (4, [NAME])]),
        ({"email": "nobody@mail.test"}, []),
        ({}, []),
        ({"name": 42, "phone": "12", "email": None}, []),
    ],
)
def test_records_are_recognised(
    filled: Workspace, values: dict[str, Any], found: list[tuple[int, list[str]]]
) -> None:
    assert alike(filled, values) == found


def test_more_reasons_come_first_and_the_record_itself_never(filled: Workspace) -> None:
    values = {"email": "anna@mail.test", "phone": "+7 495 765 43 21", "name": "Анна Королева"}
    assert alike(filled, values) == [(2, [MAIL, PHONE, NAME]), (5, [PHONE])]
    assert alike(filled, values, besides=2) == [(5, [PHONE])]


def test_what_one_may_not_see_is_not_found(filled: Workspace) -> None:
    own = Actor(user_id=9, grants={"customer": Grant("customer", read=Scope.OWN)})
    assert alike(filled, {"email": "info@meyer.test"}, own) == []
    from trellis.contributions import Role
    from trellis.i18n import Text

    role = Role(
        name="shop.clerk",
        title=Text("Clerk"),
        grants=(Grant("customer", read=Scope.ALL, fields={"email": FieldRight.NONE}),),
    )
    clerk = Actor(user_id=9, grants=merge_grants([role]), fields=merge_field_rules([role]))
    assert alike(filled, {"email": "info@meyer.test"}, clerk) == []
    assert alike(filled, {"phone": "030 12345678"}, clerk) == [(1, [PHONE])]
    with filled.read() as session:
        edition = filled.edition(session)
        assert groups(session, edition, own, "customer") == []
        assert {str(one.reason) for one in groups(session, clerk.sees(edition), clerk, "customer")} == {PHONE}


def test_groups_of_a_list_agree_in_a_key(filled: Workspace) -> None:
    with filled.write() as session:
        records = Records(session, filled.edition(session), SYSTEM)
        told = {"email": "info@meyer.test", "phone": "8 495 7654321 Доб. 12"}
        records.create("customer", {"name": "  jana novotná ", **told})
        binned = records.create("customer", {"name": "Анна", "email": "anna@mail.test"}).id
        records.delete("customer", binned)
        found = groups(session, filled.edition(session), SYSTEM, "customer")
    assert [(str(one.reason), one.count, [record.id for record in one.records]) for one in found] == [
        (MAIL, 2, [1, 6]),
        (PHONE, 3, [2, 5, 6]),
        (NAME, 2, [3, 6]),
    ]


def test_the_last_digits_of_a_number_are_compared() -> None:
    assert digits_of("+49 30 123 456 78") == digits_of("030/12345678") == "012345678"[-9:]
    assert digits_of("12345") == digits_of(None) == ""
