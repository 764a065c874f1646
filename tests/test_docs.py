"""The documentation says what there is."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from trellis.testing.reference import hook_names, reference

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def pages() -> str:
    return "\n".join(path.read_text() for path in [ROOT / "README.md", *DOCS.rglob("*.md")])


def test_the_hook_reference_is_up_to_date() -> None:
    assert (DOCS / "hooks.md").read_text() == reference()


@pytest.mark.parametrize("hook", hook_names())
def test_every_hook_says_what_it_is_for(hook: str) -> None:
    import trellis.hookspecs

    text = getattr(trellis.hookspecs, hook).__doc__ or ""
    assert "Since 0." in text


def commands(group: click.Group, path: str) -> list[str]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, f"{path} {name}")
        else:
            found.append(f"{path} {name}")
    return found


def test_every_command_is_in_the_documentation() -> None:
    from trellis.cli import main

    text = pages()
    missing = [
        one for one in commands(main, "trellis") if one.split()[-1] not in text or one.split()[1] not in text
    ]
    assert missing == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md"), key=str), ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    import re

    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
