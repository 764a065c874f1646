"""What expressions of a diagram may name: variables that some step sets, fields of the record, and the loop they stand in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trellis.contributions import Process, Role
from trellis.edition import Edition, EntityView
from trellis.i18n import translator
from trellis.process import scripts
from trellis.process.diagram import Diagram, Problem
from trellis.process.dmn import tables
from trellis.process.elements import PEOPLE
from trellis.process.expressions import Path
from trellis.process.loops import ABOUT_LOOP, lines_of
from trellis.process.paths import check_path
from trellis.process.variables import LOOP
from trellis.records.expressions import ExpressionInvalid

_ = translator("trellis")


def guard(element: str, check: Callable[[], None]) -> list[Problem]:
    """What a check of an element finds: nothing, or the problem that it raises."""
    try:
        check()
    except (ValueError, ExpressionInvalid) as error:
        return [Problem(element, str(error))]
    return []


class Names:
    """What expressions of a diagram may name."""

    def __init__(
        self, edition: Edition, process: Process, diagram: Diagram, items: Mapping[str, str] | None = None
    ) -> None:
        self.edition, self.process, self.diagram = edition, process, diagram
        self.view: EntityView | None = edition.entities.get(process.entity or "")
        self._items = items
        self.variables: set[str] = set(process.given)
        known = tables(diagram.text)
        for element in diagram.elements.values():
            self.variables.update(scripts.variables(element))
            if element.kind == "businessRuleTask" and element.detail in known:
                self.variables.update(one.name for one in known[element.detail].outputs)

    def within(self, element: str) -> Names:
        """What may be named where an element stands: also the items of those around it that run several times."""
        items = {}
        for one in self.diagram.around(element):
            if one.several is not None and one.several.item not in items:
                items[one.several.item] = (
                    lines_of(self.edition, one.several.lines)[0] if one.several.lines else ""
                )
        return Names(self.edition, self.process, self.diagram, items) if items else self

    def check(self, paths: frozenset[Path]) -> None:
        """Raises ValueError for a path that leads nowhere."""
        for path in paths:
            if path[0] == "record":
                check_path(self.edition, self.view, path)
            elif path[0] == "starter":
                check_path(self.edition, self.edition.entities.get("user"), path)
            elif self._items and path[0] in self._items:
                self._check_item(path)
            elif self._items and path[0] == LOOP and len(path) == 2 and path[1] in ABOUT_LOOP:
                continue
            elif len(path) > 1 or path[0] not in self.variables:
                raise ValueError(_("No step sets the variable “%(name)s”", name=".".join(path)))

    def _check_item(self, path: Path) -> None:
        entity = (self._items or {})[path[0]]
        if entity:
            check_path(self.edition, self.edition.entity(entity), path)
        elif len(path) > 1:
            raise ValueError(_("“%(path)s” leads nowhere", path=".".join(path)))

    def require_role(self, name: str) -> None:
        """Raises ValueError unless there is such a role."""
        if name not in self.edition.all(Role):
            raise ValueError(_("There is no role “%(role)s”", role=name))

    def require_element(self, name: str) -> None:
        """Raises ValueError unless there is such a task of people."""
        if name not in self.diagram.elements or self.diagram.elements[name].kind not in PEOPLE:
            raise ValueError(_("There is no task of people “%(name)s”", name=name))
