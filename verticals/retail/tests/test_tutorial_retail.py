"""The tutorial: its commands print what stands there, and its figures are those of an independent computation.

The files are those of ``../shared/data`` beside the repository; without them the tests are skipped.
"""

from __future__ import annotations

import re
import shlex
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from purchases import CHARGES, Book, cdnow, online_retail
from trellis.cli import main

ROOT = Path(__file__).resolve().parents[3]
TUTORIAL = ROOT / "docs" / "tutorial-retail.md"
DATA = ROOT.parent / "shared" / "data"
FILES = (
    DATA / "online_retail_sample" / "OnlineRetail_sample.csv",
    DATA / "cdnow" / "CDNOW_master.txt",
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(path.is_file() for path in FILES), reason=f"the files of {DATA} are not there"
    ),
]


def commands() -> dict[str, str]:
    """Each command of the tutorial with what it printed there."""
    found: dict[str, str] = {}
    command = ""
    for block in re.findall(
        r"^```console\n(.*?)^```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for line in block.splitlines():
            if line.startswith("$ "):
                command = line.removeprefix("$ ")
                while command in found:
                    command += " "
                found[command] = ""
            else:
                found[command] += f"{line.rstrip()}\n"
    return found


def printed(command: str) -> str:
    return commands()[command]


def counts(command: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", printed(command)))


PRINTED = 5e-5
"""Half of the last digit that the command prints of a ratio."""


def kpi(workspace: str, name: str, period: str) -> float:
    row = printed(f"trellis kpi {workspace} {name} --period {period}").splitlines()[1]
    found = re.search(r"(\S+)  (?:money|ratio|percent|count)", row)
    assert found is not None
    return float(found[1])


def segments(command: str) -> dict[str, int]:
    rows = re.findall(r"^(retail\.\w+) .*?(\d+) +[\d.]+%$", printed(command), re.MULTILINE)
    return {name: int(number) for name, number in rows}


def tiers(command: str) -> list[tuple[str, int, Decimal]]:
    rows = re.findall(r"^(top|large|medium|small) +(\d+) +([\d.]+) ", printed(command), re.MULTILINE)
    return [(tier, int(number), Decimal(amount)) for tier, number, amount in rows]


def test_the_commands_print_what_the_tutorial_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRELLIS_HOME", "TRELLIS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LANG", "en")
    monkeypatch.chdir(tmp_path)
    for path in FILES:
        (tmp_path / path.name).symlink_to(path)
    for command, expected in commands().items():
        result = CliRunner().invoke(main, shlex.split(command)[1:], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert [line.rstrip() for line in result.stdout.splitlines()] == expected.splitlines(), command


def test_imports_bring_what_the_files_hold() -> None:
    lines = online_retail(FILES[0])
    source = "trellis import gifts {} OnlineRetail_sample.csv --map retail.online_retail_{}"
    assert counts(source.format("customer", "customers"))[0] == 3569
    goods = lines[~lines["product"].isin(CHARGES)]
    assert counts(source.format("product", "products"))[0] == goods["product"].nunique()
    assert counts(source.format("order", "receipts"))[0] == lines["receipt"].nunique()
    assert counts(source.format("order_line", "lines"))[0] == len(lines)
    purchases = cdnow(FILES[1])
    bought = "trellis import cdnow {} CDNOW_master.txt --map retail.cdnow_{}"
    assert counts(bought.format("customer", "customers"))[0] == purchases["customer"].nunique()
    assert counts(bought.format("order", "receipts"))[0] == len(purchases)


def test_figures_of_the_gift_shop_are_those_of_the_file() -> None:
    book = Book(online_retail(FILES[0]))
    november = ("2011-11-01", "2011-12-01")
    expected = {
        "revenue": float(book.revenue(*november)),
        "retail.average_check": book.average_check(*november),
        "retail.units_per_receipt": book.units_per_receipt(*november),
        "retail.items_price": book.items_price(*november),
        "retail.return_rate": book.return_rate(*november),
        "new_customers": book.new_customers(*november),
        "retention": book.retention("2011-10-01", *november),
        "retail.active_customers_90": book.active_90("2011-12-01"),
        "retail.repeat_purchase_rate_90": book.repeat_90("2011-12-01"),
    }
    for name, value in expected.items():
        assert kpi("gifts", name, "2011-11") == pytest.approx(value, abs=6e-5), name
    assert tiers("trellis analytics gifts pyramid --period 2011") == book.pyramid(2011)
    given = segments("trellis segment gifts --as-of 2011-12-09")
    assert {name: given[name] for name in book.segments("2011-12-09")} == book.segments("2011-12-09")


def test_scores_of_the_gift_shop_are_those_of_the_file() -> None:
    table = Book(online_retail(FILES[0])).rfm("2011-12-09")
    codes = table["r"].astype(str) + table["f"].astype(str) + table["m"].astype(str)
    text = printed("trellis analytics gifts rfm --as-of 2011-12-09")
    cells = dict(re.findall(r"\b([1-5]{3}) (\d+)\b", text.partition("cells:")[2]))
    assert {code: int(number) for code, number in cells.items()} == codes.value_counts().to_dict()
    assert f"customers: {len(table)}\n" in text


def test_figures_of_cdnow_are_those_of_the_file() -> None:
    book = Book(cdnow(FILES[1]))
    year = ("1997-01-01", "1998-01-01")
    assert kpi("cdnow", "new_customers", "1997-Q1") == book.new_customers("1997-01-01", "1997-04-01")
    assert kpi("cdnow", "revenue", "1997") == pytest.approx(float(book.revenue(*year)), abs=1e-4)
    assert kpi("cdnow", "retail.units_per_receipt", "1997") == pytest.approx(
        book.units_per_receipt(*year), abs=PRINTED
    )
    assert tiers("trellis analytics cdnow pyramid --period 1997") == book.pyramid(1997)
    given = segments("trellis segment cdnow --as-of 1998-06-30")
    assert {name: given[name] for name in book.segments("1998-06-30")} == book.segments("1998-06-30")


def test_cohorts_of_cdnow_are_those_of_the_file() -> None:
    book = Book(cdnow(FILES[1]))
    bought = book.known.assign(month=book.known["day"].dt.strftime("%Y-%m"))
    first = bought.groupby("customer")["month"].min()
    active = bought[bought["month"] <= "1997-12"].groupby("month")["customer"].agg(set)
    text = printed("trellis analytics cdnow loyalty --period 1997")
    for month in ("1997-01", "1997-02", "1997-03"):
        members = set(first.index[first == month])
        expected = [len(members & active[later]) for later in active.index if later >= month]
        assert f"{month}  {len(members)}  {expected}" in text
