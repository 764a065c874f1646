"""Satisfaction: index, weights, intervals, who counts, splits, drivers, benchmarks, rights."""

from __future__ import annotations

import csv
from math import sqrt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from measured import Book
from trellis.contributions import FieldRight, Grant, Scope
from trellis.crm.analytics.satisfaction import Satisfaction, index_series, satisfaction
from trellis.crm.analytics.survey_scores import ASSUMPTIONS, nps_of
from trellis.crm.analytics.window import Window
from trellis.errors import PermissionRefused, RecordInvalid
from trellis.kpi.periods import parse
from trellis.records.door import Write
from trellis.security.actor import Actor
from trellis.security.field_rights import FieldRule

YEAR = Window.of(parse("2026"))
MOBI = Path(__file__).resolve().parents[4] / "shared" / "data" / "ecsi_mobi" / "mobi.csv"


def found(book: Book, by: str = "segment", window: Window = YEAR) -> Satisfaction:
    return satisfaction(book.session, book.edition, book.actor, window, by)


def answered(book: Book, *rows: dict[str, Any]) -> None:
    usual = {"answered_at": "2026-05-05T10:00:00Z"}
    book.records.save("survey_answer", [Write(values={**usual, **row}) for row in rows])


def asked(book: Book, *scores: tuple[int | None, int | None, int | None], **more: Any) -> None:
    answered(book, *(dict(zip(("q1", "q2", "q3"), one, strict=True)) | more for one in scores))


def few(book: Book, **values: Any) -> Book:
    return book.assuming("satisfaction", fewest=1, **values)


def test_the_index_of_three_means(book: Book) -> None:
    """The quick example of metrics.md 10: 8, 7, 6 gives 66.6667."""
    asked(book, (8, 7, 6))
    one = found(few(book))
    assert (one.scores.index.value, one.responses, one.scores.index.low) == (66.6667, 1, None)
    assert found(book).to_json()["index"] is None
    assert "10" in str(found(book).reason)
    asked(book, (10, 10, 10), (1, 1, 1))
    three = found(few(book)).scores.index
    spread = pd.Series([66.6667, 100, 0]).sem()
    assert (three.value, three.error) == (pytest.approx(55.5556), pytest.approx(spread, abs=1e-3))
    assert (three.low, three.high) == (0.0, 100.0)
    asked(book, (5, 4, 5))
    small = found(few(book, scale=5))
    assert (small.responses, small.incomplete) == (2, 2)
    assert small.scores.index.value == pytest.approx((0 + (14 - 3) / 12 * 100) / 2, abs=1e-4)


def test_incomplete_answers_are_left_out_or_completed(book: Book) -> None:
    asked(book, (8, 7, 6), (9, None, 6), (None, None, 4), (None, None, None))
    assert (found(few(book)).responses, found(few(book)).incomplete) == (1, 2)
    completed = found(few(book, incomplete="mean"))
    assert (completed.responses, completed.incomplete) == (3, 0)
    assert completed.means == (7.0, pytest.approx((7 + 7.5 + 4) / 3), pytest.approx(16 / 3))


def test_the_last_answer_of_a_customer_in_a_period_counts(book: Book) -> None:
    anna = book.customer()
    answered(
        book,
        {"customer": anna, "q1": 1, "q2": 1, "q3": 1, "answered_at": "2026-02-01T00:00:00Z"},
        {"customer": anna, "q1": 10, "q2": 10, "q3": 10, "answered_at": "2026-08-01T00:00:00Z"},
        {"customer": anna, "nps": 9, "answered_at": "2026-09-01T00:00:00Z"},
        {"customer": anna, "q1": 1, "q2": 1, "q3": 1, "answered_at": "2027-01-01T00:00:00Z"},
        {"q1": 1, "q2": 1, "q3": 1},
        {"q1": 1, "q2": 1, "q3": 1},
    )
    year = found(few(book))
    assert (year.responses, year.scores.index.value) == (3, pytest.approx(100 / 3, abs=1e-4))
    assert (year.scores.nps.n, year.scores.nps.value) == (1, 100)
    quarters = [Window.of(parse(f"2026-Q{number}")) for number in range(1, 5)]
    series = index_series(book.session, few(book).edition, book.actor, quarters)
    assert [(one.n, one.value) for one in series] == [(1, 0), (2, 0), (1, 100), (0, None)]


def test_nps_csat_and_ces(book: Book) -> None:
    """The examples of metrics.md 13 and 14: 60/25/15 of 100, 72 of 100."""
    score = nps_of(100, 60, 15)
    assert (score.value, score.error) == (45, pytest.approx(7.40, abs=0.005))
    assert score.high == pytest.approx(45 + 14.5, abs=0.05)
    assert nps_of(0, 0, 0).value is None
    answered(book, *({"nps": one} for one in (10, 9, 9, 8, 0)))
    answered(book, *({"csat": one} for one in [5] * 42 + [4] * 30 + [1] * 28))
    answered(book, *({"ces": one} for one in (7, 6, 2, 1)))
    scores = found(few(book)).scores
    assert (scores.nps.value, scores.csat.value) == (40, 0.72)
    assert (scores.ces.value, scores.ces.part) == (4, 0.5)
    assert found(few(book, easy_is_high=False)).scores.ces.value == 4
    answered(book, {"ces": 7})
    assert found(few(book, easy_is_high=False)).scores.ces.value == pytest.approx(3.4)
    answer = found(few(book)).to_json()
    assert (answer["index"], answer["nps"], answer["csat"], answer["ces"]) == (None, 40, 0.72, 4.6)


def test_scores_out_of_bounds_are_refused(book: Book) -> None:
    for name, value in (("q1", 11), ("q1", 0), ("nps", 11), ("csat", 6), ("ces", 8), ("nps", -1)):
        with pytest.raises(RecordInvalid) as caught:
            answered(book, {name: value})
        assert name in str(caught.value.errors)
    assert ASSUMPTIONS.checked(book.edition, {"weight_q1": "0.3885"})["weight_q1"] == "0.3885"
    nothing = {f"weight_q{number}": 0 for number in (1, 2, 3)}
    with pytest.raises(RecordInvalid):
        ASSUMPTIONS.checked(book.edition, nothing)


def test_figures_are_split_and_held_against_a_benchmark(book: Book) -> None:
    asked(book, (10, 10, 10), channel="mail", nps=10)
    asked(book, (1, 1, 1), channel="phone")
    asked(book, (1, 1, 1))
    benchmark = {"name": "Retail", "measure": "index", "source": "ACSI"}
    for since, value in (("2020-01-01", 70), ("2026-01-01", 75.5), ("2027-01-01", 90)):
        book.records.create("satisfaction_benchmark", {**benchmark, "since": since, "value": value})
    book.records.create(
        "satisfaction_benchmark", {**benchmark, "measure": "csat", "since": "2025-01-01", "value": 80}
    )
    answer = found(few(book), "channel").to_json()
    assert [(one["channel"], one["index"], one["nps"]) for one in answer["by_channel"]] == [
        ("mail", 100, 100),
        ("phone", 0, None),
    ]
    index, csat = answer["benchmarks"]
    assert (index["value"], index["difference"]) == (75.5, pytest.approx(33.3333 - 75.5))
    assert (csat["value"], csat["difference"]) == (80, None)
    assert found(few(book), "tier").parts == ()


def test_products_are_told_apart_by_the_last_answer_about_each(book: Book) -> None:
    tea, milk = (book.records.create("product", {"name": name}).id for name in ("Tea", "Milk"))
    anna = book.records.create("customer", {"name": "Anna"}).id
    said = ((tea, 3, 10), (tea, 9, 11), (milk, 0, 12))
    answered(
        book,
        *(
            {"customer": anna, "product": one, "nps": nps, "answered_at": f"2026-05-{day}T10:00:00Z"}
            for one, nps, day in said
        ),
        {"customer": anna, "nps": 5},
    )
    answer = found(few(book), "product").to_json()
    assert [(one["product"], one["title"], one["nps"]) for one in answer["by_product"]] == [
        (milk, "Milk", -100),
        (tea, "Tea", 100),
    ]
    assert answer["nps"] == -100
    blind = Grant("product", read=Scope.NONE)
    reader = Actor(user_id=7, grants={"*": Grant("*", read=Scope.ALL), "product": blind})
    with pytest.raises(PermissionRefused):
        satisfaction(book.session, book.edition, reader, YEAR, "product")


def test_a_reader_counts_the_answers_in_reach(book: Book) -> None:
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    asked(book, (10, 10, 10), owner=boris)
    asked(book, (1, 1, 1))
    grants = {"survey_answer": Grant("survey_answer", read=Scope.OWN)}
    agent = few(book).seen_by(Actor(user_id=boris, grants=grants))
    assert (found(agent).responses, found(agent).scores.index.value) == (1, 100)
    hidden = frozenset({FieldRule("survey_answer", "q2", FieldRight.NONE)})
    for actor in (Actor(user_id=boris), Actor(user_id=boris, grants=grants, fields=hidden)):
        with pytest.raises(PermissionRefused):
            found(book.seen_by(actor))


def drawn(book: Book) -> list[dict[str, int]]:
    """Answers that hang together: each question and driver follows one mood."""
    rows = []
    for number in range(120):
        mood = 2 + number * 7 % 8
        rows.append(
            {
                "q1": mood,
                "q2": max(1, mood - number % 3),
                "q3": min(10, mood + number % 2),
                "image": max(1, mood - number % 5),
                "quality": min(10, mood + number % 4),
                "value": 1 + number % 10,
            }
        )
    answered(book, *rows)
    return rows


def check_weights(one: Satisfaction, frame: pd.DataFrame) -> None:
    """Power iteration on the correlations, apart from the engine."""
    questions = frame[["q1", "q2", "q3"]]
    vector = pd.Series(1.0, index=questions.columns)
    for _step in range(500):
        vector = questions.corr() @ vector
        vector = vector / sqrt((vector**2).sum())
    raw = vector / questions.std()
    assert one.weighted == "estimated"
    assert one.weights == pytest.approx(tuple(raw / raw.sum()), abs=1e-5)


def check_drivers(one: Satisfaction, frame: pd.DataFrame, names: list[str]) -> None:
    index = frame[["q1", "q2", "q3"]].mul(list(one.weights)).sum(axis=1)
    both = frame[names].assign(index=index)
    standard = (both - both.mean()) / both.std()
    import numpy as np

    solved, *_rest = np.linalg.lstsq(standard[names].to_numpy(), standard["index"].to_numpy(), rcond=None)
    by_name = {driver.name: driver for driver in one.drivers}
    for name, beta in zip(names, solved, strict=True):
        assert by_name[name].r == pytest.approx(both[name].corr(index), abs=1e-5)
        assert by_name[name].beta == pytest.approx(beta, abs=1e-4)
        assert by_name[name].n == len(frame)


def test_weights_are_estimated_from_enough_answers(book: Book) -> None:
    frame = pd.DataFrame(drawn(book))
    one = found(book.assuming("satisfaction", weights="estimated"))
    check_weights(one, frame)
    check_drivers(one, frame, ["image", "quality", "value"])
    assert next(driver for driver in one.drivers if driver.name == "expectation").r is None
    assert found(book.assuming("satisfaction", weights="estimated", estimate_from=121)).weighted == "equal"


def test_answers_that_do_not_vary_have_equal_weights_and_no_drivers(book: Book) -> None:
    answered(book, *[{"q1": 7, "q2": 7, "q3": 7, "image": 5, "quality": 5}] * 12)
    one = found(book.assuming("satisfaction", weights="estimated", estimate_from=10))
    assert (one.weighted, one.scores.index.error) == ("equal", 0)
    assert {(driver.r, driver.beta) for driver in one.drivers} == {(None, None)}


@pytest.mark.slow
def test_the_mobile_phone_survey(book: Book) -> None:
    """Tenenhaus et al. 2005: means 7.988, 7.128, 7.316. Equal weights and those of the State of Ohio as in metrics.md 10."""
    if not MOBI.is_file():
        pytest.skip(f"{MOBI} is not there")
    names = {"CUSA1": "q1", "CUSA2": "q2", "CUSA3": "q3", "IMAG1": "image", "CUEX1": "expectation"}
    names |= {"PERQ1": "quality", "PERV1": "value"}
    with MOBI.open() as file:
        rows = [{names[key]: int(row[key]) for key in names} for row in csv.DictReader(file)]
    answered(book, *rows)
    equal = found(book)
    assert (equal.responses, equal.means) == (250, (7.988, 7.128, 7.316))
    assert equal.scores.index.value == 71.9704
    ohio = {"weight_q1": "0.3885", "weight_q2": "0.3190", "weight_q3": "0.2925"}
    assert found(book.assuming("satisfaction", weights="own", **ohio)).scores.index.value == 72.4122
    frame = pd.DataFrame(rows)
    each = (frame[["q1", "q2", "q3"]].mean(axis=1) - 1) / 9 * 100
    assert equal.scores.index.error == pytest.approx(each.sem(), abs=1e-4)
    estimated = found(book.assuming("satisfaction", weights="estimated"))
    check_weights(estimated, frame)
    check_drivers(estimated, frame, ["image", "expectation", "quality", "value"])
