"""Full-text search in lists: what finds a record, for whom, and that the index follows every way of writing."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from samples import gym, registry
from sqlalchemy.orm import Session
from trellis import enabling
from trellis.contributions import FieldRight, Grant, Scope
from trellis.crm.customers.entities import Customer
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.records.importer import run_import
from trellis.records.query import ListQuery
from trellis.search import common
from trellis.search.asked import MOST_WORDS, Asked
from trellis.search.words import number_ends, terms
from trellis.security.actor import SYSTEM, Actor
from trellis.security.field_rights import FieldRule
from trellis.settings.fields import add_field, remove_field
from trellis.workspace import Workspace

Open = Callable[..., Installation]

PEOPLE: tuple[dict[str, Any], ...] = (
    {"name": "Иванова Анна Петровна", "city": "Екатеринбург", "phone": "+7 (495) 123-45-67"},
    {"name": "Алёна Королёва", "email": "alena.k@roga-kopyta.example"},
    {"name": "Universities Press Ltd", "city": "Oxford", "email": "orders@press.example"},
    {"name": "ООО «Московские перевозки»", "city": "Тверь"},
    {"name": "IT Works", "city": "Malmö"},
)
ALL = {"customer": Grant("customer", read=Scope.ALL, create=True, update=Scope.ALL)}


@pytest.fixture
def records(workspace: Workspace) -> Iterator[Records]:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        for values in PEOPLE:
            records.create("customer", values)
        yield records


def names(records: Records, text: str, **options: Any) -> list[str]:
    return [one.values["name"] for one in records.list("customer", text=text, sort=["name"], **options).items]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("петровна анна", 0),  # any order
        ("анна екатер", 0),  # a beginning, in several fields
        ("екатер анн", 0),  # two of them, where nothing has the words
        ("ИВАНОВОЙ", 0),  # a form of the word
        ("екатеринбурге", 0),
        ("королева", 1),  # ё is written or not
        ("университи", None),
        ("university", 2),
        ("presses oxford", 2),
        ("перевозка московская", 3),
        ("it", 4),  # a word that dictionaries leave out
        ("malmo", 4),
        ("MALMÖ", 4),
        ("4951234567", 0),
        ("8 495 123-45-67", 0),
        ("123-45-67", 0),
        ("4567", 0),
        ("9999", None),
        ("roga", 1),
        ("alena.k@roga-kopyta.example", 1),
        ("анна oxford", None),
        ("иваноав", 0),  # letters exchanged
        ("екатеренбург", 0),  # one letter wrong
        ("oxfrd pres", 2),  # one left out
        ("универсал", None),
    ],
)
def test_a_record_is_found_by_what_people_type(records: Records, text: str, found: int | None) -> None:
    assert names(records, text) == ([] if found is None else [PEOPLE[found]["name"]])
    assert records.count("customer", text=text) == (found is not None)


def test_words_near_are_looked_for_only_where_nothing_has_the_word(records: Records) -> None:
    records.create("customer", {"name": "Иванова Анна Петровна младшая"})
    records.create("customer", {"name": "Иваново текстиль"})
    assert len(names(records, "иванова")) == 3  # the form of one word is the other
    assert names(records, "петровна младшая") == ["Иванова Анна Петровна младшая"]
    assert names(records, "текстиьл") == ["Иваново текстиль"]


def test_pages_of_a_mistyped_word_go_on(records: Records) -> None:
    for number in range(5):
        records.create("customer", {"name": f"Рассвет {number}"})
    found, cursor = [], None
    while True:
        page = records.list("customer", text="расвсет", sort=["name"], limit=2, cursor=cursor)
        found += [one.values["name"] for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == [f"Рассвет {number}" for number in range(5)]


def test_the_index_follows_every_write_of_the_door(records: Records) -> None:
    made = records.create("customer", {"name": "Полдень", "city": "Казань"})
    records.update("customer", made.id, {"city": "Самара"})
    assert (names(records, "казань"), names(records, "самара полдень")) == ([], ["Полдень"])
    records.delete("customer", made.id)
    assert names(records, "полдень") == []
    assert names(records, "полдень", deleted=True) == ["Полдень"]
    records.restore("customer", made.id)
    assert names(records, "полдень") == ["Полдень"]


def test_the_index_is_taken_back_with_the_write(workspace: Workspace, records: Records) -> None:
    with pytest.raises(RuntimeError), records.session.begin_nested():
        records.create("customer", {"name": "Мираж"})
        raise RuntimeError
    assert names(records, "мираж") == []


def test_an_import_is_found_and_its_words_are_known(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    rows = "".join(f"X{number},Клиент {number},Воронеж\n" for number in range(250))
    path.write_text(f"external_id,name,city\n{rows}", encoding="utf-8")
    assert run_import(workspace, SYSTEM, "customer", path).created == 250
    with workspace.read() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        assert records.count("customer", text="клиенты воронежа") == 250
        assert names(records, "ворнеж 249") == ["Клиент 249"]


def test_what_is_written_past_the_door_is_found(records: Records) -> None:
    statement = sa.update(Customer).where(Customer.name == "IT Works").values(city="Lund")
    records.session.execute(statement)
    assert (names(records, "lund"), names(records, "malmö")) == (["IT Works"], [])
    records.session.execute(sa.delete(Customer).where(Customer.name == "IT Works"))
    assert names(records, "lund") == []


def test_a_word_in_a_field_that_is_withheld_finds_nothing(records: Records) -> None:
    rule = FieldRule("customer", "city", FieldRight.NONE)
    limited = Records(records.session, records.edition, Actor(grants=ALL, fields=frozenset([rule])))
    assert names(limited, "анна") == [PEOPLE[0]["name"]]
    for text in ("екатеринбург", "анна екатеринбург", "екатеринбуг"):
        assert names(limited, text) == [], text
        assert limited.count("customer", text=text) == 0, text


def test_a_search_stays_in_the_reach_of_the_actor(records: Records) -> None:
    own = MappingProxyType({"customer": replace(ALL["customer"], read=Scope.OWN)})
    other = Records(records.session, records.edition, Actor(user_id=7, grants=own))
    assert names(other, "анна") == []
    mine = records.create("customer", {"name": "Анна Вторая"})
    records.session.execute(sa.update(Customer).where(Customer.id == mine.id).values(owner_id=7))
    assert [one.id for one in other.list("customer", text="анна").items] == [mine.id]
    assert names(other, "петорвна") == []


def test_words_of_a_plugin_and_of_an_administrator_come_and_go(open_installation: Open) -> None:
    workspace = open_installation(plugins=registry(gym())).workspace("acme")
    with workspace.write() as session:
        edition = workspace.edition(session)
        add_field(
            session, edition, "customer", "hobby", {"type": "text", "label": "Hobby", "searchable": True}
        )
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        records.create("customer", {"name": "Anna", "own.hobby": "Аквариумные рыбки"})
    enabling.enable(workspace, "gym")

    def found(text: str) -> int:
        with workspace.read() as session:
            return Records(session, workspace.edition(session), SYSTEM).count("customer", text=text)

    assert found("рыбка") == found("аквариумыне") == 1
    enabling.disable(workspace, "gym")
    assert found("рыбка anna") == 1
    with workspace.write() as session:
        remove_field(session, workspace.edition(session), "customer", "own.hobby")
    assert (found("рыбка"), found("anna")) == (0, 1)
    with workspace.write() as session:
        stored = _stored(session)
        edition = workspace.edition(session)
        add_field(
            session, edition, "customer", "hobby", {"type": "text", "label": "Hobby", "searchable": True}
        )
        assert _stored(session) == stored  # the table is not written anew while nobody could read it
    assert found("рыбка") == 1


def _stored(session: Session) -> list[Any]:
    """The files of customers and of their words on PostgreSQL."""
    if session.get_bind().dialect.name == "sqlite":
        return []
    files = "SELECT pg_relation_filenode(oid) FROM pg_class WHERE relname ~ '^(search_)?customer(_[0-9a-f]{16})?$' ORDER BY 1"
    found = session.connection().exec_driver_sql(files).scalars().all()
    assert len(found) == 2
    return list(found)


@pytest.mark.parametrize("lost", ["index", "words"])
def test_a_lost_index_is_made_again_by_an_upgrade(
    workspace: Workspace, records: Records, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    records.session.commit()
    sqlite = workspace.namespace.dialect == "sqlite"
    if sqlite and lost == "words":
        pytest.skip("SQLite keeps the words in the index alone")
    with workspace.namespace.connection() as connection:
        if sqlite:
            connection.exec_driver_sql("DROP TRIGGER core_search_customer_insert")
            connection.exec_driver_sql("DELETE FROM core_search_customer")
        elif lost == "words":
            connection.exec_driver_sql("ALTER TABLE customer DROP COLUMN search_words")
        else:
            query = (
                "SELECT indexname FROM pg_indexes WHERE tablename = 'customer' AND indexname LIKE 'search%%'"
            )
            (name,) = connection.exec_driver_sql(query).scalars()
            connection.exec_driver_sql(f'DROP INDEX "{name}"')
    assert workspace.upgrade() == []
    made = _indexes(workspace)
    assert workspace.upgrade() == []
    assert _indexes(workspace) == made  # none that is right is made again
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        monkeypatch.setattr(common, "WALK", dict.fromkeys(common.WALK, 0))
        assert _is_common(records, "анна")  # what is known of words was gathered again
        records.create("customer", {"name": "Анна Новая"})
        assert records.count("customer", text="анна") == 2
        if not sqlite:
            statement = ListQuery(
                records.edition.entity("customer"), records.edition, SYSTEM, text="анна"
            ).statement()
            text = statement.compile(session.connection(), compile_kwargs={"literal_binds": True})
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
            session.execute(sa.text("SET LOCAL enable_indexscan = off"))
            plan = session.execute(sa.text(f"EXPLAIN {text}".replace(":", "\\:"))).scalars().all()
            assert any("search_customer" in line for line in plan), plan


def _indexes(workspace: Workspace) -> list[Any]:
    """What each index of words is stored in; SQLite keeps what was made in the order of its making."""
    with workspace.namespace.connection() as connection:
        where = "sqlite_master WHERE type = 'trigger' AND name LIKE 'core_search%'"
        if connection.dialect.name == "postgresql":
            where = "pg_class WHERE relkind = 'i' AND relname LIKE 'search%%'"
        key = "rowid, name" if connection.dialect.name == "sqlite" else "oid, relname"
        return list(connection.exec_driver_sql(f"SELECT {key} FROM {where} ORDER BY 1"))


def test_words_are_kept_whoever_writes(records: Records) -> None:
    if records.session.connection().dialect.name == "sqlite":
        pytest.skip("SQLite has no schemas to write from")
    made = records.create("customer", {"name": "Агата"})
    table = f"{records.session.scalar(sa.text('SELECT current_schema()'))}.customer"
    kept = records.session.scalar(sa.text("SHOW search_path"))
    records.session.execute(sa.text("SET LOCAL search_path = pg_catalog"))
    records.session.execute(
        sa.text(f"UPDATE {table} SET name = 'Яна', phone = '+7 495 1234567' WHERE id = {made.id}")
    )
    records.session.execute(sa.text(f"SET LOCAL search_path = {kept}"))
    assert names(records, "яна 4567") == ["Яна"] and names(records, "агата") == []


def test_common_words_are_walked_to_with_the_same_answer(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        records.create("customer", {"name": f"Клиент {number:02}"})
    wanted = names(records, "клиенты")
    monkeypatch.setattr(common, "WALK", dict.fromkeys(common.WALK, 0))
    records.session.execute(sa.text("ANALYZE"))
    assert names(records, "клиентам") == wanted == [f"Клиент {number:02}" for number in range(30)]


def test_common_words_far_behind_in_a_list_are_fetched(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        records.create("customer", {"name": f"Клиент {number:02}"})
    for number in range(30):
        records.create("customer", {"name": f"ООО {number:02}"})
    records.session.execute(sa.text("ANALYZE"))
    walked, fetched = [], []
    sa.event.listen(
        records.session.connection(),
        "before_cursor_execute",
        lambda _connection, _cursor, sql, *_rest: (walked if "has_words" in sql else fetched).append(sql),
    )
    monkeypatch.setattr(common, "WALK", dict.fromkeys(common.WALK, 0))
    for far, ways in ((20, (1, 1)), (80, (1, 0))):
        monkeypatch.setattr(common, "FAR", dict.fromkeys(common.FAR, far))
        walked.clear(), fetched.clear()
        found = records.list("customer", text="ооо", sort=["name"], limit=10).items
        assert [one.values["name"] for one in found] == [f"ООО {number:02}" for number in range(10)]
        assert (len(walked), len([one for one in fetched if "ORDER BY" in one])) == ways


def test_a_list_with_text_asks_a_fixed_number_of_statements(records: Records) -> None:
    statements: list[str] = []
    connection = records.session.connection()
    sa.event.listen(connection, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for number in (0, 20):
        for one in range(number):
            records.create("customer", {"name": f"Клиент {one}"})
        statements.clear()
        records.list("customer", text="анна", sort=["name"])
        assert len(statements) <= 4


def test_texts_become_words() -> None:
    assert terms("Клиенты, клиентам!") == "клиенты клиентам клиент"
    assert number_ends("+7 (495) 123") == "7495123 495123 95123 5123"
    assert number_ends("12") == ""


def test_any_mark_parts_words(records: Records) -> None:
    words = [f"w{number:02}" for number in range(len(string.punctuation))]
    name = "".join(f"{word}{mark}" for word, mark in zip(words, string.punctuation, strict=True))
    records.create("customer", {"name": name})
    for some in (words[place : place + MOST_WORDS] for place in range(0, len(words), MOST_WORDS)):
        assert names(records, " ".join(some)) == [name]


def test_long_texts_are_kept_whole_and_found_by_their_start(records: Records) -> None:
    values: Mapping[str, Any] = {"subject": "Письмо", "body": "альбатрос " + "x" * 3000 + " слово" * 40_000}
    made = records.create("activity", values)
    assert [one.id for one in records.list("activity", text="альбатросы").items] == [made.id]


def test_a_word_is_common_where_many_records_have_it(records: Records) -> None:
    for number in range(400):
        records.create("customer", {"name": f"Клиент {number:03}", "city": "Вена" if number % 2 else "Брно"})
    records.session.execute(sa.text("ANALYZE"))
    is_common = partial(_is_common, records)
    assert is_common("клиенты") and is_common("клиент брно 007") is False
    assert not is_common("007") and not is_common("ничего")
    assert is_common("кл") and not is_common("клиентела")  # a short beginning may be common


def test_words_of_which_nothing_is_known_are_rare(records: Records) -> None:
    assert not _is_common(records, "клиенты")


def _is_common(records: Records, text: str) -> bool:
    view = records.edition.entity("customer")
    return common.is_common(records.session, records.edition, Asked.of(text), view)


def test_postgresql_plans_the_search_of_a_list_once_for_all_texts(records: Records) -> None:
    if records.session.connection().dialect.name != "postgresql":
        pytest.skip("SQLite keeps no plans")
    for number in range(12):
        assert names(records, f"nobody{number}") == []
    kept = sa.text(
        "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements WHERE statement ~ 'trellis_asked'"
    )
    generic, custom = records.session.execute(kept).one()
    assert generic and custom <= 5
