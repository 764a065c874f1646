"""Every text that people read exists in every language."""

from __future__ import annotations

import ast
from importlib.resources import files
from pathlib import Path

import pytest
from trellis.i18n import LANGUAGES, Text, as_written, use_locale
from trellis.testing.catalogue import missing, texts

PACKAGES = ["trellis", "trellis_retail", "trellis_banking", "trellis_b2b"]


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_text_is_translated(package: str, language: str) -> None:
    pytest.importorskip(package)
    assert list(missing(package, language)) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_text_stands_where_it_is_not_gathered(package: str) -> None:
    """A text among the arguments of another is lost on the way to the catalogue."""
    pytest.importorskip(package)
    gathered = {one.id if isinstance(one.id, str) else one.id[0] for one in texts(package)}
    for path in Path(str(files(package))).rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("_", "_n"):
                text = call.args[0]
                assert not isinstance(text, ast.Constant) or text.value in gathered, (
                    f"{path.name}: {text.value}"
                )


def test_a_text_of_ones_own_stays_as_it_was_written() -> None:
    with use_locale("ru"):
        assert str(Text("Yes")) == "Да" and str(as_written("Yes")) == "Yes"
