"""Ways into a namespace."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from trellis import database
from trellis.database import Namespace, sqlite_engine


def test_writers_of_a_file_take_turns_and_none_waits_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = Namespace(sqlite_engine(tmp_path / "one.db"))
    with namespace.connection() as connection:
        connection.execute(sa.text("CREATE TABLE note (text VARCHAR)"))
    began, went = threading.Event(), threading.Event()

    def write(text: str) -> None:
        with namespace.write() as session:
            session.execute(sa.text("INSERT INTO note VALUES (:text)"), {"text": text})
            began.set()
            assert went.wait(20)

    def texts() -> list[str]:
        with namespace.read() as session:
            return list(session.scalars(sa.text("SELECT text FROM note ORDER BY rowid")))

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(write, "first")
        assert began.wait(20)
        monkeypatch.setattr(database, "LONGEST_WAIT", 0.01)
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            write("impatient")
        monkeypatch.setattr(database, "LONGEST_WAIT", 20)
        second = threads.submit(write, "second")
        assert texts() == []  # reading waits for nobody
        went.set()
        first.result(), second.result()
    assert texts() == ["first", "second"]
    with pytest.raises(RuntimeError), namespace.write() as session:
        session.execute(sa.text("INSERT INTO note VALUES ('broken')"))
        raise RuntimeError
    with (
        namespace.write() as session
    ):  # the turn of one that failed, and that of one that goes on after a commit
        session.execute(sa.text("DELETE FROM note"))
        session.commit()
        write("third")
    assert texts() == ["third"]
    namespace.dispose()
