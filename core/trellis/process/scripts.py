"""Script tasks: lines of ``name = expression``, and nothing else; and which variables an element sets."""

from __future__ import annotations

from collections.abc import Iterator

from trellis.i18n import translator
from trellis.process.diagram import Element
from trellis.process.elements import GATHER
from trellis.process.expressions import Expression, compile_expression
from trellis.process.forms import FORM, is_variable

_ = translator("trellis")

MOST_LINES = 100


def assignments(script: str) -> Iterator[tuple[str, Expression]]:
    """The lines of a script. Raises ValueError for one that is no ``name = expression``, ExpressionInvalid."""
    lines = [line.strip() for line in script.splitlines()]
    if len(lines) > MOST_LINES:
        raise ValueError(_("A script has at most %(number)s lines", number=MOST_LINES))
    for line in lines:
        if not line or line.startswith("#"):
            continue
        name, mark, text = (part.strip() for part in line.partition("="))
        if not mark or not is_variable(name) or text.startswith("="):
            raise ValueError(
                _("“%(line)s” is not “name = expression”; a script can do nothing else", line=line)
            )
        yield name, compile_expression(text)


def names_of(text: str) -> list[str]:
    """Names by commas."""
    return [one for one in (part.strip() for part in text.split(",")) if one]


def variables(element: Element) -> Iterator[str]:
    """The variables that an element sets."""
    for name, value in element.properties.items():
        if name.startswith(FORM):
            yield name.removeprefix(FORM)
        elif name == "result":
            yield value
        elif name.startswith(GATHER):
            yield name.removeprefix(GATHER)
    if element.kind == "callActivity":
        yield from names_of(element.properties.get("out", ""))
    if element.kind == "scriptTask":
        try:
            yield from (name for name, _expression in assignments(element.detail))
        except Exception:  # told where the script itself is checked
            return
