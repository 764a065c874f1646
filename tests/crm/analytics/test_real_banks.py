"""What two banks knew of their customers, in fields of the organisation's own: segments, profiles and KPIs say what pandas does.

The files are imported as other banks would have them: the one with another delimiter, decimal comma and encoding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from importing import imported
from trellis.contributions import Direction, Level
from trellis.crm.analytics.profile import profile
from trellis.kpi import engine, own
from trellis.kpi.periods import Grain, containing
from trellis.security.actor import SYSTEM
from trellis.segments.engine import sizes
from trellis.segments.own import Draft, create
from trellis.settings.fields import add_field
from trellis.workspace import Workspace

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
CHURN = DATA / "bank_churn_modelling" / "Churn_Modelling.csv"
CALLS = DATA / "uci_bank_marketing" / "bank-additional.csv"

pytestmark = pytest.mark.slow


def read(path: Path, **options: Any) -> pd.DataFrame:
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return pd.read_csv(path, **options)


def load(workspace: Workspace, file: Path, types: Mapping[str, str], columns: Mapping[str, str]) -> None:
    """Imports customers with fields of the organisation's own."""
    for name, kind in types.items():
        with workspace.write() as session:
            add_field(session, workspace.edition(session), "customer", name, {"type": kind, "label": name})
    mapping = file.with_suffix(".json")
    mapping.write_text(json.dumps({"columns": columns, "key": "external_id"}))
    done = imported(workspace, "customer", file, mapping=mapping)
    assert done.rejected == 0, done.rejections[:3]


def segment(workspace: Workspace, title: str, rule: Any) -> str:
    with workspace.write() as session:
        return create(session, workspace.edition(session), SYSTEM, Draft(title=title, rule=rule)).name


def is_(name: str, value: Any, op: str = "eq") -> dict[str, Any]:
    return {"field": name, "op": op, "value": value}


def share(workspace: Workspace, rule: Any) -> tuple[Any, dict[str, Any]]:
    """A KPI of the administrator: which part of the customers fit a rule, and of those of each segment."""
    declaration = {"title": "Part", "aggregate": "share", "entity": "customer", "date": "created_at"}
    declaration |= {"rule": rule, "unit": "percent", "direction": Direction.CUSTOMERS, "level": Level.TACTICS}
    with workspace.write() as session:
        own.save_kpi(session, workspace.edition(session), SYSTEM, "part", declaration, new=True)
    with workspace.read() as session:
        year, edition = containing(date.today(), Grain.YEAR), workspace.edition(session)
        found = engine.value(session, edition, SYSTEM, "own.part", year, "segment", datetime.now(UTC).date())
    return found.value, {one.key: one.value for one in found.breakdown}


def told(workspace: Workspace, name: str, field: str) -> dict[Any, tuple[int, int]]:
    """By value of a field: how many of a segment have it, and how many of all."""
    with workspace.read() as session:
        found = profile(session, workspace.edition(session), SYSTEM, name, field)
    return {
        tuple(row.key) if isinstance(row.key, list) else row.key: (row.count, row.everybody)
        for row in found.rows
    }


def members(workspace: Workspace) -> dict[str, int]:
    with workspace.read() as session:
        return {one.segment.name: one.members for one in sizes(session, workspace.edition(session), SYSTEM)}


def test_who_left_a_bank(workspace: Workspace, tmp_path: Path) -> None:
    frame = read(CHURN).head(2500)
    kept = frame[["CustomerId", "Surname", "Geography", "Balance", "NumOfProducts", "Exited", "AgeGroup"]]
    file = tmp_path / "churn.csv"
    kept.to_csv(file, index=False, sep=";", decimal=",", encoding="utf-16")
    types = {"balance": "decimal", "products": "integer", "left": "boolean", "age": "text"}
    columns = {"external_id": "CustomerId", "name": "Surname", "country": "Geography"}
    columns |= {"own.balance": "Balance", "own.products": "NumOfProducts", "own.age": "AgeGroup"}
    load(workspace, file, types, {**columns, "own.left": "=when(whole(Exited) == '1', true, false)"})
    rich = segment(workspace, "Rich", is_("own.balance", "100000", "gte"))
    german = segment(workspace, "German", {"all": [is_("country", "Germany"), is_("own.products", 2, "lt")]})
    gone = segment(workspace, "Gone", is_("own.left", True))
    both = segment(workspace, "Both", {"all": [{"segment": rich}, {"not": {"segment": gone}}]})
    wanted = {
        rich: frame["Balance"] >= 100_000,
        german: (frame["Geography"] == "Germany") & (frame["NumOfProducts"] < 2),
        gone: frame["Exited"] == 1,
        both: (frame["Balance"] >= 100_000) & (frame["Exited"] == 0),
    }
    found = members(workspace)
    assert {name: found[name] for name in wanted} == {name: int(rows.sum()) for name, rows in wanted.items()}
    value, by_segment = share(workspace, is_("own.left", True))
    assert value == pytest.approx(frame["Exited"].mean())
    expected = {name: frame["Exited"][rows].mean() for name, rows in wanted.items()}
    assert {name: by_segment[name] for name in wanted} == pytest.approx(expected)
    for field, column in (("country", "Geography"), ("own.age", "AgeGroup")):
        inside, whole = frame[wanted[gone]][column].value_counts(), frame[column].value_counts()
        assert told(workspace, gone, field) == {key: (inside.get(key, 0), whole[key]) for key in whole.index}
    fifths = told(workspace, gone, "own.balance")
    bounds = [(float(low), float(high)) for low, high in fifths]
    assert sum(count for count, _all in fifths.values()) == wanted[gone].sum()
    balances = frame["Balance"]
    for (low, high), (count, everybody) in zip(bounds, fifths.values(), strict=True):
        within = (balances >= low) & (balances <= high)
        assert (count, everybody) == (int((within & wanted[gone]).sum()), int(within.sum()))
    assert len(fifths) < 5, "a third of the balances are 0, and stand in one band"


def test_who_answered_the_calls_of_a_bank(workspace: Workspace, tmp_path: Path) -> None:
    frame = read(CALLS, sep=";").head(2500)
    file = tmp_path / "calls.csv"
    frame.to_csv(file, index=False, sep="\t")
    types = {"contact": "text", "calls": "integer", "since": "integer", "answer": "text"}
    columns = {"external_id": "=concat('K', _row)", "name": "=concat('K', _row)", "own.calls": "campaign"}
    columns |= {"own.since": "=when(pdays == '999', '', pdays)", "own.contact": "contact", "own.answer": "y"}
    load(workspace, file, types, columns)
    by_phone = segment(workspace, "By phone", is_("own.contact", "cellular"))
    known = segment(workspace, "Known", {"field": "own.since", "op": "is_not_empty"})
    often = segment(workspace, "Often", is_("own.calls", 3, "gt"))
    wanted = {
        by_phone: frame["contact"] == "cellular",
        known: frame["pdays"] != 999,
        often: frame["campaign"] > 3,
    }
    found = members(workspace)
    assert {name: found[name] for name in wanted} == {name: int(rows.sum()) for name, rows in wanted.items()}
    value, by_segment = share(workspace, is_("own.answer", "yes"))
    said_yes = frame["y"] == "yes"
    assert value == pytest.approx(said_yes.mean())
    expected = {name: said_yes[rows].mean() for name, rows in wanted.items()}
    assert {name: by_segment[name] for name in wanted} == pytest.approx(expected)
    inside, whole = frame[wanted[often]]["y"].value_counts(), frame["y"].value_counts()
    assert told(workspace, often, "own.answer") == {
        key: (inside.get(key, 0), whole[key]) for key in whole.index
    }
