"""What the pages of scripts show: the catalogue, and the figures of one script by its branches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import g, request

from trellis.contributions import Script, ScriptResult, ScriptStep
from trellis.edition import OWN
from trellis.errors import RecordNotFound
from trellis.i18n import Text, current_timezone, format_date, format_number, format_percent, translator
from trellis.kpi.periods import Grain, containing, parse
from trellis.records.query import Record
from trellis.scripts import own
from trellis.scripts.speaking import without_marks
from trellis.scripts.statistics import ScriptFigures, Statistics, StepFigures, Totals, Window, totals
from trellis.scripts.tables import RUN, SCRIPT, SCRIPT_STATES
from trellis.web.choosing import choices
from trellis.web.display import origin
from trellis.web.script_drawing import drawing
from trellis.web.script_panel import TONES
from trellis.web.views.lists import base
from trellis.web.widgets import today

_ = translator("trellis")

_MOST = 200


def visible(script: Script) -> bool:
    """Whether the reader sees any records that a script runs beside."""
    return any(name in g.edition.entities and g.actor.may(name, "read") for name in script.entities)


def catalogue() -> dict[str, Any]:
    """All scripts: those in use, and what is worked on."""
    counted = totals(g.records)
    mine = {own.name_of(one.id): one for one in _own()}
    known = [one for one in g.edition.all(Script).values() if visible(one)]
    replaced = {one.replaces: one for one in known if one.replaces}
    rows = [
        _row(one, counted.get(one.name), mine.pop(one.name, None), replaced.get(one.name)) for one in known
    ]
    rows += [_draft_row(one, counted.get(name)) for name, one in mine.items()]
    return {
        "rows": rows,
        "counted": g.actor.may(RUN, "read"),
        "new_url": f"{base()}/{SCRIPT}/new" if g.actor.may(SCRIPT, "create") else "",
        "runs_url": f"{base()}/{RUN}" if g.actor.may(RUN, "read") else "",
    }


def _own() -> list[Record]:
    if not g.actor.may(SCRIPT, "read"):
        return []
    return list(g.records.list(SCRIPT, sort=["name"], limit=_MOST).items)


def _row(
    script: Script, counted: Totals | None, mine: Record | None, instead: Script | None
) -> dict[str, Any]:
    url = f"{base()}/scripts/{script.name}"
    may_copy = g.actor.may(SCRIPT, "create")
    return {
        "title": str(script.title),
        "text": str(script.description or ""),
        "origin": origin(g.edition, script.owner),
        "entities": ", ".join(_entities(script)),
        "url": url,
        "state": str(_("Replaced by one's own")) if instead else "",
        "edit_url": _edit_url(mine),
        "copy_url": f"{url}/copy" if may_copy and script.owner != OWN and not instead else "",
        **_counts(counted),
    }


def _draft_row(record: Record, counted: Totals | None) -> dict[str, Any]:
    script = own.draft_of(record)
    state = next(one.label for one in SCRIPT_STATES if one.value == record.values["state"])
    return {
        "title": record.values["name"],
        "text": "",
        "origin": origin(g.edition, OWN),
        "entities": ", ".join(_entities(script)),
        "url": f"{base()}/scripts/{script.name}" if record.values["published"] else _edit_url(record),
        "state": str(state),
        "edit_url": _edit_url(record),
        "copy_url": "",
        **_counts(counted),
    }


def _edit_url(record: Record | None) -> str:
    if record is None or not g.actor.reaches(SCRIPT, "update", record.values):
        return ""
    return f"{base()}/{SCRIPT}/{record.id}/edit"


def _entities(script: Script) -> Iterator[str]:
    for name in script.entities:
        view = g.edition.entities.get(name)
        yield str(view.info.plural) if view else name


def _counts(counted: Totals | None) -> dict[str, str]:
    known = counted or Totals()
    return {
        "runs": format_number(known.runs),
        "going_on": format_number(known.going_on) if known.going_on else "",
        "good": format_percent(known.good / known.done, 0) if known.done else "",
    }


def figures(name: str) -> dict[str, Any]:
    """The figures of one script in a period and a version. Raises RecordNotFound, PermissionRefused."""
    script = g.edition.all(Script).get(name)
    if script is not None and not visible(script):
        raise RecordNotFound()
    found = Statistics(g.records, name, _window())
    versions = found.versions()
    if script is None and not versions:
        raise RecordNotFound()
    asked = request.args.get("version", "")
    numbers = [one.number for one in versions]
    number = (
        int(asked)
        if asked.isdecimal() and len(asked) < 10 and int(asked) in numbers
        else max((one.number for one in versions if one.runs), default=max(numbers, default=0))
    )
    of = found.of_version(number) if number else None
    shown = of.script if of else script
    if shown is None or not visible(shown):
        raise RecordNotFound()
    return {
        "name": name,
        "title": str(shown.title),
        "text": str(shown.description or ""),
        "origin": origin(g.edition, shown.owner),
        "entities": ", ".join(_entities(shown)),
        "controls": [_periods(), *([_versions(numbers, number)] if len(numbers) > 1 else [])],
        "versions": [_version(one, number) for one in versions],
        "edit_url": _edit_url(_mine(name)),
        "runs_url": f"{base()}/{RUN}?script={name}",
        **(
            _of_version(of) if of and of.runs else {"facts": [], "drawing": None, "steps": [], "outcomes": []}
        ),
        "objections": _objections(of) if of else [],
    }


def _mine(name: str) -> Record | None:
    number = own.number_of(name)
    if number is None or not g.actor.may(SCRIPT, "read"):
        return None
    return next(iter(g.records.list(SCRIPT, ids=[number], limit=1).items), None)


def _window() -> Window:
    asked = request.args.get("period", "")
    if not asked:
        return None
    return parse(asked, g.edition.settings.fiscal_month, today()).moments(current_timezone())


def _periods() -> dict[str, Any]:
    month = g.edition.settings.fiscal_month
    grains = (Grain.MONTH, Grain.QUARTER, Grain.YEAR)
    known: dict[str, Text | str] = {"": _("Always")}
    known |= {one.code: one.title for one in (containing(today(), grain, month) for grain in grains)}
    given = request.args.get("period", "")
    return choices("period", _("Period"), {**known, given: known.get(given, given)}.items())


def _versions(numbers: list[int], current: int) -> dict[str, Any]:
    made = choices("version", _("Version"), [(str(one), str(one)) for one in sorted(numbers)[-6:]])
    for link in made["links"]:
        link["current"] = link["title"] == str(current)
    return made


def _version(one: Any, current: int) -> dict[str, Any]:
    done = sum(one.results.values())
    shares = {result.value: one.results.get(result, 0) for result in ScriptResult}
    return {
        "number": one.number,
        "source": "" if one.source == OWN else one.source,
        "since": format_date(one.since),
        "current": one.number == current,
        "url": f"?version={one.number}",
        "runs": format_number(one.runs),
        "broke_off": format_number(one.broke_off),
        **{name: f"{format_number(n)}" for name, n in shares.items()},
        "share": format_percent(shares["good"] / done, 0) if done else "",
    }


def _of_version(found: ScriptFigures) -> dict[str, Any]:
    return {
        "facts": [
            (str(_("Conversations")), format_number(found.runs)),
            (str(_("Came to an outcome")), _share(found.done, found.runs)),
            (str(_("Ended well")), "" if found.good is None else format_percent(found.good, 0)),
            (str(_("Broke off")), _share(found.broke_off, found.runs)),
            (str(_("Go on now")), format_number(found.going_on)),
        ],
        "drawing": drawing(found),
        "steps": [_step(found, step) for step in found.script.steps],
        "outcomes": [
            {
                "title": str(one.title),
                "tone": TONES[one.result.value],
                "number": format_number(found.endings.get(one.key, 0)),
                "share": found.endings.get(one.key, 0) / found.done if found.done else 0.0,
                "share_text": _percent(found.endings.get(one.key, 0), found.done),
            }
            for one in found.script.outcomes
        ],
    }


def _step(found: ScriptFigures, step: ScriptStep) -> dict[str, Any]:
    counted: StepFigures = found.steps[step.key]
    good = {one.key for one in found.script.outcomes if one.result is ScriptResult.GOOD}
    says = {one.key: without_marks(str(one.say)) for one in found.script.steps}
    ends = {one.key: str(one.title) for one in found.script.outcomes}
    answers = []
    for one in step.answers:
        branch = counted.answers.get(one.key)
        runs = branch.runs if branch else 0
        ended = sum(branch.endings.values()) if branch else 0
        well = sum(n for key, n in branch.endings.items() if key in good) if branch else 0
        answers.append(
            {
                "title": str(one.title),
                "to": says.get(one.to, "") or ends.get(one.outcome, ""),
                "ends": bool(one.outcome),
                "runs": format_number(runs),
                "share": _percent(runs, counted.came),
                "bar": runs / counted.came if counted.came else 0.0,
                "good": _percent(well, ended),
            }
        )
    return {
        "key": step.key,
        "say": without_marks(str(step.say)),
        "came": _share(counted.came, found.runs),
        "broke_off": format_number(counted.broke_off) if counted.broke_off else "",
        "here": format_number(counted.here) if counted.here else "",
        "answers": answers,
    }


def _objections(found: ScriptFigures) -> list[dict[str, str]]:
    """How often each was made, the most frequent first, and how the conversations ended in which it was."""
    good = {one.key for one in found.script.outcomes if one.result is ScriptResult.GOOD}
    made: dict[str, list[int]] = {}
    for step in found.script.steps:
        known = {one.key: str(one.title) for one in (*step.objections, *found.script.objections)}
        for key, branch in found.steps[step.key].objections.items():
            if key in known:
                well = sum(n for end, n in branch.endings.items() if end in good)
                now = made.setdefault(known[key], [0, 0, 0])
                now[:] = now[0] + branch.runs, now[1] + well, now[2] + sum(branch.endings.values())
    return [
        {"title": title, "times": format_number(times), "good": _percent(well, ended)}
        for title, (times, well, ended) in sorted(made.items(), key=lambda one: -one[1][0])
    ]


def _share(number: int, of: int) -> str:
    return f"{format_number(number)} ({_percent(number, of)})" if of else format_number(number)


def _percent(number: int, of: int) -> str:
    return format_percent(number / of, 0) if of else ""
