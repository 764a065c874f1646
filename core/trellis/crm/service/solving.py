"""Known solutions: a case takes one as its answer, and its answer becomes one."""

from __future__ import annotations

from trellis.crm.service.cases import Solution
from trellis.errors import PermissionRefused, RecordInvalid
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.records.events import BeforeSave
from trellis.records.query import Record

_ = translator("trellis")

_TAKEN = ("kind", "product", "problem")


def take(event: BeforeSave) -> None:
    """A case that is given a known solution, and no answer of its own, is answered by what that says is to be done."""
    values, before = event.values, event.before
    chosen = values.get("solution")
    if chosen is None or chosen == before.get("solution") or {**before, **values}.get("answer"):
        return
    solution = event.session.get(Solution, chosen)
    if solution is not None:
        values["answer"] = solution.body


def make_known(records: Records, case_id: int) -> Record:
    """Makes a known solution of what was done about a case, and names it there. Returns the solution.

    Raises RecordNotFound, PermissionRefused, RecordInvalid for a case that does not say what was done.
    """
    case = records.get("case", case_id)
    if not records.actor.reaches("case", "update", {**case.values, "id": case.id}):
        raise PermissionRefused()
    body = case.values.get("answer")
    if not body:
        raise RecordInvalid({"answer": [_("Say first what was done")]})
    with records.whole():
        known = {name: case.values.get(name) for name in _TAKEN}
        made = records.create("solution", {"name": case.values["subject"], "body": body, **known})
        records.update("case", case.id, {"solution": made.id}, case.version)
    return made
