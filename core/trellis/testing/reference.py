"""The hook reference of the documentation, made from ``hookspecs.py`` and the contributions it names.

``uv run python -m trellis.testing.reference docs/hooks.md`` writes it; a test fails when it is out of date.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trellis import contributions, hookspecs
from trellis.records import events
from trellis.records.entity import EntityInfo, Field


def hook_names() -> list[str]:
    """All hooks, in the order in which ``hookspecs.py`` tells of them."""
    return [name for name in vars(hookspecs) if name.startswith("trellis_")]


def reference() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Hooks"
    yield ""
    yield inspect.cleandoc(hookspecs.__doc__ or "")
    for name in hook_names():
        hook = getattr(hookspecs, name)
        yield from (
            "",
            f"## `{name}`",
            "",
            f"```python\n{_signature(hook)}\n```",
            "",
            inspect.cleandoc(hook.__doc__ or ""),
        )
    yield from ("", "# Contributions")
    around_a_write = (events.BeforeSave, events.Taken, events.Saved, events.Change)
    for kind in (*_contribution_classes(), Field, EntityInfo, *around_a_write):
        yield from _class_lines(kind)


def _signature(hook: Any) -> str:
    first = inspect.getsource(hook).split("\n")
    return next(line for line in first if line.startswith("def ")).split("  # type")[0]


def _contribution_classes() -> list[type]:
    found = [getattr(contributions, name) for name in contributions.__all__]
    return [one for one in found if inspect.isclass(one) and dataclasses.is_dataclass(one)]


def _class_lines(kind: type) -> Iterator[str]:
    yield from ("", f"## `{kind.__name__}`", "", inspect.cleandoc(kind.__doc__ or ""), "")
    yield "| attribute | type | default |"
    yield "|---|---|---|"
    for one in dataclasses.fields(kind):
        shown = re.sub(r"\s+", " ", str(one.type)).replace("|", "\\|")
        yield f"| `{one.name}` | `{shown}` | {_default(one)} |"


def _default(one: dataclasses.Field[Any]) -> str:
    if one.default is not dataclasses.MISSING:
        return f"`{one.default!r}`"
    return "empty" if one.default_factory is not dataclasses.MISSING else "required"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference())
