"""What must be true of what is written on an element. Each problem names the element and the reason."""

from __future__ import annotations

import re

from trellis.contributions import Operation, Process, Segment
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.process import assignment, deadlines, decisions, events, loops, schedule, scripts
from trellis.process.diagram import Element, Problem
from trellis.process.dmn import tables
from trellis.process.elements import CALL, GATHER, IN, MATCH, OUT, PEOPLE, RESULT, SERVICES, SET
from trellis.process.expressions import compile_argument, compile_expression, is_moment
from trellis.process.forms import RESERVED, FormInvalid, form_of, is_variable
from trellis.process.naming import Names, guard
from trellis.process.notation import expression

_ = translator("trellis")

_EACH = ("each", "lines", "as")
_TOLD = re.compile(r"message\.[a-z0-9_]+(\.[a-z0-9_]+)*")
_ITEM = re.compile(r"[a-z][a-z0-9_]{0,59}")


def element_problems(names: Names, element: Element) -> list[Problem]:
    """What is wrong with what is written on an element."""
    try:
        outside, names = names.within(element.inside), names.within(element.id)
    except ValueError as error:  # of what something around it runs over
        return [Problem(element.id, str(error))]
    check = {
        **dict.fromkeys(PEOPLE, _check_people),
        **dict.fromkeys(SERVICES, _check_service),
        "scriptTask": _check_script,
        "callActivity": _check_call,
        "startEvent": _check_begin,
        "businessRuleTask": _check_decision,
    }.get(element.kind)
    found = guard(element.id, lambda: check(names, element)) if check else []
    if element.event == "timer" and element.kind == "startEvent":
        found += guard(element.id, lambda: check_schedule(names.process, element.detail))
    elif element.event == "timer":
        found += guard(element.id, lambda: _check_time(names, element.detail))
    if element.event == "message":
        found += guard(element.id, lambda: _check_message(names, element))
    if element.event == "signal" and not element.detail:
        found.append(Problem(element.id, _("Name the signal")))
    if element.several is not None:
        found += guard(element.id, lambda: _check_several(outside, names, element))
    return found


def check_start(edition: Edition, process: Process, event: str) -> None:
    """Raises ValueError for what starts no process."""
    moved = events.of_segment(event)
    if moved is not None:
        segment = edition.all(Segment).get(moved[0])
        if segment is None or segment.entity != process.entity:
            raise ValueError(_("There is no segment “%(name)s”", name=moved[0]))
        return
    occasion = events.parse(edition, event)
    if process.entity is not None and occasion.entity != process.entity:
        raise ValueError(
            _(
                "“%(event)s” is no event of %(entity)s, which the process is about",
                event=event,
                entity=process.entity,
            )
        )


def check_schedule(process: Process, text: str) -> None:
    """Raises ValueError for what is no schedule, or not of this process."""
    schedule.check(text)
    if process.entity is not None:
        raise ValueError(_("What starts by the clock is about no record"))


def _check_form(names: Names, element: Element) -> None:
    form = form_of(element)
    view = names.view
    for name in (*form.fields, *form.shown):
        if view is None:
            raise FormInvalid(_("“fields” and “show” need a process that is about records of an entity"))
        if name not in view.fields:
            raise FormInvalid(_("%(entity)s has no field “%(field)s”", entity=view.name, field=name))
        if name in form.fields and view.fields[name].read_only:
            raise FormInvalid(_("“%(field)s” cannot be filled in", field=name))


def _check_begin(names: Names, element: Element) -> None:
    _check_form(names, element)
    form = form_of(element)
    if form.fields or form.shown:
        raise FormInvalid(_("A start event asks for variables only (form.<variable>)"))
    by_itself = element.event or names.process.starts or names.process.schedule
    if by_itself and any(one.required for one in form.own.values()):
        raise FormInvalid(_("What starts by an event cannot require answers"))


def _check_people(names: Names, element: Element) -> None:
    _check_form(names, element)
    for word in assignment.words(element.properties.get("for", "")):
        _check_word(names, word)
    for _act, word in deadlines.names(element):
        if word != assignment.MANAGER:
            _check_word(names, word)
    for word in assignment.words(element.properties.get("not", "")):
        if word.startswith(assignment.PERFORMER):
            names.require_element(word.removeprefix(assignment.PERFORMER))
        elif word != assignment.STARTER:
            raise ValueError(_("“not” holds “starter” or “performer:<element>”, not “%(word)s”", word=word))
    due = element.properties.get("due", "")
    if due:
        _check_time(names, due)
    for act in deadlines.acts(element):
        if not due:
            raise ValueError(_("“%(name)s” needs “due”", name=act))
        after = element.properties.get(f"{act}{deadlines.AFTER}", "")
        if after:
            _check_time(names, after)


def _check_word(names: Names, word: str) -> None:
    """A word that says for whom a task is."""
    if word.startswith("="):
        names.check(compile_expression(word[1:]).paths)
    elif not assignment.is_assignment(word):
        raise ValueError(_("“%(word)s” names nobody a task can be for", word=word))
    elif word.startswith(assignment.ROLE):
        names.require_role(word.removeprefix(assignment.ROLE))
    elif word == assignment.OWNER and names.view is None:
        raise ValueError(_("“owner” needs a process that is about records of an entity"))
    elif word.startswith(assignment.PERFORMER):
        names.require_element(word.removeprefix(assignment.PERFORMER))


def _check_time(names: Names, text: str) -> None:
    if not text:
        raise ValueError(_("Say when: P3D, 2026-12-31T09:00:00Z or an expression"))
    if not is_moment(text):
        names.check(compile_expression(expression(text)).paths)


def _check_message(names: Names, element: Element) -> None:
    _require_known(names, element)
    if element.kind == "startEvent":
        if not _is_told(element):
            check_start(names.edition, names.process, element.detail)
        when = element.properties.get("when", "")
        if when:
            names.check(compile_expression(when.removeprefix("=")).paths)
        return
    matches = {name: text for name, text in element.properties.items() if name.startswith(MATCH)}
    if _is_told(element):
        for text in matches.values():
            names.check(compile_argument(text).paths)
        return
    occasion = events.parse(names.edition, element.detail)
    for name, text in matches.items():
        field = name.removeprefix(MATCH)
        if field not in names.edition.entity(occasion.entity).fields:
            raise ValueError(_("%(entity)s has no field “%(field)s”", entity=occasion.entity, field=field))
        names.check(compile_argument(text).paths)
    if not matches and occasion.entity != names.process.entity:
        raise ValueError(
            _("Say which record of %(entity)s is waited for: match.<field>", entity=occasion.entity)
        )


def _require_known(names: Names, element: Element) -> None:
    """Raises ValueError for what is called neither like an event of a record nor like what processes tell one another."""
    name = element.detail
    if not name:
        raise ValueError(
            _("Say which event this is: one of a record, or message.<name>, which processes tell one another")
        )
    parts = name.partition("=")[0].split(".")
    of_records = any(".".join(parts[:length]) in names.edition.entities for length in range(1, len(parts)))
    if not of_records and parts[0] not in ("message", "segment", "segment_left"):
        raise ValueError(
            _(
                "“%(name)s” is a message of another tool: choose an event of a record, or call it message.<name> where "
                "processes tell it one another",
                name=name,
            )
        )


def _is_told(element: Element) -> bool:
    """Whether processes tell it one another. Raises ValueError for what only a record could tell."""
    if element.detail.startswith(events.MESSAGE):
        if not _TOLD.fullmatch(element.detail):
            raise ValueError(
                _("“%(name)s”: write message.name with small latin letters", name=element.detail)
            )
        return True
    if element.kind in ("endEvent", "intermediateThrowEvent"):
        raise ValueError(
            _("What a process tells others is called message.<name>, not “%(name)s”", name=element.detail)
        )
    return False


def _check_several(outside: Names, names: Names, element: Element) -> None:
    several = element.several
    if several is None:
        return
    if not _ITEM.fullmatch(several.item) or several.item in RESERVED:
        raise ValueError(
            _("“%(name)s” is no name for a variable: small latin letters, digits, _", name=several.item)
        )
    if several.lines:
        _entity, field = loops.lines_of(names.edition, several.lines)
        kind = names.edition.entity(_entity).fields[field].type
        if names.process.entity is None or getattr(kind, "entity", "") != names.process.entity:
            raise ValueError(_("“%(lines)s” does not refer to records of the process", lines=several.lines))
    elif not several.each:
        raise ValueError(_("Say what it runs over: each (a list or a number), or lines (entity.reference)"))
    else:
        outside.check(compile_expression(several.each).paths)
    if several.until:
        names.check(compile_expression(several.until).paths)
    for name, text in loops.gathered(element):
        if not _ITEM.fullmatch(name) or name in RESERVED:
            raise ValueError(
                _("“%(name)s” is no name for a variable: small latin letters, digits, _", name=name)
            )
        names.check(compile_expression(text).paths)


def _is_of_loop(element: Element, name: str) -> bool:
    return element.several is not None and (name in _EACH or name.startswith(GATHER))


def _check_service(names: Names, element: Element) -> None:
    name = element.properties.get(CALL, "")
    operation = names.edition.all(Operation).get(name)
    if not name:
        raise ValueError(_("Say what this step does: choose its operation (“call”)"))
    if operation is None:
        known = ", ".join(names.edition.all(Operation))
        raise ValueError(
            _("“call” names no operation: “%(name)s”. There are: %(known)s", name=name, known=known)
        )
    parameters = {one.name: one for one in operation.parameters}
    for given, text in element.properties.items():
        if given in (CALL, RESULT) or _is_of_loop(element, given):
            continue
        if given not in parameters and not (operation.sets and given.startswith(SET)):
            raise ValueError(_("“%(operation)s” has no parameter “%(name)s”", operation=name, name=given))
        names.check(compile_argument(text).paths)
    missing = [
        one.name for one in operation.parameters if one.required and one.name not in element.properties
    ]
    if missing:
        raise ValueError(_("“%(operation)s” needs “%(name)s”", operation=name, name=missing[0]))
    if operation.sets:
        _check_sets(names, element)


def _check_sets(names: Names, element: Element) -> None:
    entity = element.properties.get("entity") or names.process.entity
    view = names.edition.entities.get(entity or "")
    if view is None:
        raise ValueError(_("There is no entity “%(name)s”", name=entity or ""))
    for given in element.properties:
        field = given.removeprefix(SET)
        if given.startswith(SET) and field not in view.fields:
            raise ValueError(_("%(entity)s has no field “%(field)s”", entity=view.name, field=field))


def _check_script(names: Names, element: Element) -> None:
    for _name, assigned in scripts.assignments(element.detail):
        names.check(assigned.paths)


def _check_decision(names: Names, element: Element) -> None:
    known = tables(names.diagram.text)
    table = known.get(element.detail)
    if not element.detail:
        raise ValueError(_("Say which decision table this step asks (“table”)"))
    if table is None:
        raise ValueError(
            _(
                "There is no decision table “%(name)s”. There are: %(known)s",
                name=element.detail,
                known=", ".join(known),
            )
        )
    result = element.properties.get(RESULT, "")
    if result and (len(table.outputs) > 1 or not is_variable(result)):
        raise ValueError(_("“result” names the variable of a table with one output"))
    found = list(decisions.problems(table, names.check))
    if found:
        raise ValueError("; ".join(str(one) for one in found))


def _check_call(names: Names, element: Element) -> None:
    if not element.detail:
        raise ValueError(_("Say which process this step calls: choose one that is published"))
    called = names.edition.all(Process).get(element.detail)
    if called is None:
        raise ValueError(
            _(
                "No process “%(name)s” is published that could be called: publish it first, or choose another one",
                name=element.detail,
            )
        )
    if called.entity not in (None, names.process.entity) and "id" not in element.properties:
        raise ValueError(
            _("“%(process)s” is about another entity: name its record by “id”", process=called.name)
        )
    for given, text in element.properties.items():
        if given == "id" or given.startswith(IN):
            names.check(compile_argument(text).paths)
        elif given != OUT and not _is_of_loop(element, given):
            raise ValueError(
                _("A call has the properties id, in.<variable> and out, not “%(name)s”", name=given)
            )
