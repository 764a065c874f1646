"""Conversation scripts over REST: what there is, conversations led step by step, figures of branches, and one's own scripts.

Scripts of one's own and conversations are records besides: ``/script``, ``/script_run``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g, url_for

from trellis.contributions import Script
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import current_timezone, translator
from trellis.kpi.periods import parse, today_in
from trellis.rest.answers import answer, etag, writer
from trellis.rest.arguments import Arguments, json_members, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.scripts import own
from trellis.scripts.content import to_json
from trellis.scripts.running import Conversation, Conversations
from trellis.scripts.speaking import spoken
from trellis.scripts.statistics import Branch, ScriptFigures, Statistics, VersionFigures
from trellis.scripts.tables import SCRIPT

_ = translator("trellis")


@blueprint.get("/scripts")
def list_scripts(workspace: str) -> Response:
    no_arguments()
    return answer({"items": [_described(one) for one in g.edition.all(Script).values() if _is_there(one)]})


@blueprint.get("/scripts/<name:script>")
def show_script(workspace: str, script: str) -> Response:
    """The steps of a script as conversations begin with now, in the language of the caller."""
    no_arguments()
    found = _found(script)
    return answer({**to_json(found, words=True), **_described(found)})


@blueprint.post("/scripts/<name:script>:copy")
def copy_script(workspace: str, script: str) -> Response:
    """Makes a script of one's own from this one."""
    no_arguments()
    made = own.copy(g.records, _found(script).name)
    place = url_for("rest.show", workspace=workspace, entity=SCRIPT, record_id=made.id)
    written = writer(g.edition, g.edition.entity(SCRIPT))(made)
    return answer(written, 201, {"Location": place, **etag(made)})


@blueprint.post("/scripts/<name:script>:start")
def start_script(workspace: str, script: str) -> Response:
    """Begins a conversation beside a record."""
    no_arguments()
    body = json_members({"entity": str, "record": int})
    missing = {name: [_("This field needs a value")] for name in ("entity", "record") if name not in body}
    if missing:
        raise RecordInvalid(missing)
    if not 0 < body["record"] <= LARGEST_ID:
        raise RecordInvalid({"record": [_("Give the id of a record")]})
    return answer(_told(Conversations(g.records).start(script, body["entity"], body["record"])), 201)


@blueprint.get("/scripts/<name:script>/figures")
def script_figures(workspace: str, script: str) -> Response:
    """How conversations by a script went, by branch; of its latest version that was run, or of another."""
    arguments = Arguments()
    number = arguments.number("version", 0, 1, 10**9)
    period = arguments.text("period")
    arguments.end()
    window = None
    if period is not None:
        zone = current_timezone()
        window = parse(period, g.edition.settings.fiscal_month, today_in(zone)).moments(zone)
    g.actor.require("script_run", "read")
    if script in g.edition.all(Script):
        _found(script)
    found = Statistics(g.records, script, window)
    versions = found.versions()
    if not number:
        number = max(
            (one.number for one in versions if one.runs), default=max((v.number for v in versions), default=0)
        )
    if not number:
        _found(script)
        return answer(
            {"script": script, "version": None, "versions": [], "runs": 0, "steps": [], "outcomes": []}
        )
    return answer(_counted(script, found.of_version(number), versions))


@blueprint.get("/scripts/runs/<id:number>")
def show_run(workspace: str, number: int) -> Response:
    """Where a conversation stands: what is said, what can be answered, and its path."""
    no_arguments()
    return answer(_told(Conversations(g.records).get(number)))


@blueprint.post("/scripts/runs/<id:number>:answer")
def answer_run(workspace: str, number: int) -> Response:
    """Gives an answer at a step; ``value`` is what is typed, where the answer asks for that."""
    no_arguments()
    body = json_members({"step": str, "answer": str, "value": object})
    talks = Conversations(g.records)
    return answer(
        _told(talks.answer(number, body.get("step", ""), body.get("answer", ""), body.get("value")))
    )


@blueprint.post("/scripts/runs/<id:number>:object")
def object_run(workspace: str, number: int) -> Response:
    """Notes an objection at a step; the answer has the reply among the objections of the step."""
    no_arguments()
    body = json_members({"step": str, "objection": str})
    talks = Conversations(g.records)
    return answer(_told(talks.object(number, body.get("step", ""), body.get("objection", ""))))


@blueprint.post("/scripts/runs/<id:number>:back")
def take_back(workspace: str, number: int) -> Response:
    no_arguments()
    return answer(_told(Conversations(g.records).back(number)))


@blueprint.post("/scripts/runs/<id:number>:stop")
def stop_run(workspace: str, number: int) -> Response:
    no_arguments()
    return answer(_told(Conversations(g.records).stop(number)))


@blueprint.post("/scripts/runs/<id:number>:resume")
def resume_run(workspace: str, number: int) -> Response:
    no_arguments()
    return answer(_told(Conversations(g.records).resume(number)))


@blueprint.get(f"/{SCRIPT}/<id:record_id>/faults")
def script_faults(workspace: str, record_id: int) -> Response:
    """What keeps a script of one's own from being published, beside the step where it is."""
    no_arguments()
    found = own.faults(g.edition, g.records.get(SCRIPT, record_id))
    return answer(
        {"items": [{"step": f.step or None, "part": f.part or None, "text": str(f.text)} for f in found]}
    )


@blueprint.post(f"/{SCRIPT}/<id:record_id>:publish")
def publish_script(workspace: str, record_id: int) -> Response:
    no_arguments()
    made = own.publish(g.records, record_id)
    return answer(writer(g.edition, g.edition.entity(SCRIPT))(made), headers=etag(made))


@blueprint.post(f"/{SCRIPT}/<id:record_id>:withdraw")
def withdraw_script(workspace: str, record_id: int) -> Response:
    no_arguments()
    made = own.withdraw(g.records, record_id)
    return answer(writer(g.edition, g.edition.entity(SCRIPT))(made), headers=etag(made))


def _is_there(script: Script) -> bool:
    return any(name in g.edition.entities and g.actor.may(name, "read") for name in script.entities)


def _found(name: str) -> Script:
    script = g.edition.all(Script).get(name)
    if script is None or not _is_there(script):
        raise RecordNotFound(_("There is no script “%(name)s” here", name=name[:80]))
    return script  # type: ignore[no-any-return]


def _described(script: Script) -> dict[str, Any]:
    return {
        "name": script.name,
        "title": str(script.title),
        "description": str(script.description) if script.description else None,
        "plugin": script.owner,
        "entities": list(script.entities),
        "replaces": script.replaces or None,
    }


def _told(run: Conversation) -> dict[str, Any]:
    ending = next((one for one in run.script.outcomes if one.key == run.ending), None)
    return {
        "id": run.id,
        "script": run.script.name,
        "title": str(run.script.title),
        "version": run.number,
        "entity": run.entity,
        "record": run.record.id,
        "state": run.state,
        "step": _step(run),
        "outcome": {"key": ending.key, "title": str(ending.title), "result": ending.result.value}
        if ending
        else None,
        "path": [
            {"step": one.step, "kind": one.kind, "choice": one.choice, "at": one.at} for one in run.passed
        ],
    }


def _step(run: Conversation) -> dict[str, Any] | None:
    if run.at is None:
        return None

    def said(text: Any) -> str:
        return spoken(str(text), g.records, run.entity, run.record.id)

    return {
        "key": run.at.key,
        "say": said(run.at.say),
        "hint": str(run.at.hint) if run.at.hint else None,
        "answers": [
            {
                "key": one.key,
                "title": str(one.title),
                "fills": one.fills or None,
                "asks": str(one.asks) if one.asks else None,
                "typed": one.value is None and bool(one.fills or one.asks),
            }
            for one in run.at.answers
        ],
        "objections": [
            {"key": one.key, "title": str(one.title), "reply": said(one.reply)} for one in run.objections
        ],
    }


def _counted(script: str, found: ScriptFigures, versions: list[VersionFigures]) -> dict[str, Any]:
    return {
        "script": script,
        "version": found.number,
        "runs": found.runs,
        "done": found.done,
        "going_on": found.going_on,
        "broke_off": found.broke_off,
        "good": found.good,
        "outcomes": [
            {
                "key": one.key,
                "title": str(one.title),
                "result": one.result.value,
                "runs": found.endings.get(one.key, 0),
            }
            for one in found.script.outcomes
        ],
        "steps": [
            {
                "key": step.key,
                "say": str(step.say),
                "came": found.steps[step.key].came,
                "here": found.steps[step.key].here,
                "broke_off": found.steps[step.key].broke_off,
                "answers": _branches(found.steps[step.key].answers, step.answers),
                "objections": _branches(
                    found.steps[step.key].objections, [*step.objections, *found.script.objections]
                ),
            }
            for step in found.script.steps
        ],
        "versions": [
            {
                "number": one.number,
                "source": one.source,
                "since": one.since,
                "runs": one.runs,
                "results": one.results,
                "broke_off": one.broke_off,
            }
            for one in versions
        ],
    }


def _branches(counted: Mapping[str, Branch], known: Any) -> list[dict[str, Any]]:
    found = ((one, counted.get(one.key, Branch())) for one in known)
    return [
        {"key": one.key, "title": str(one.title), "runs": branch.runs, "outcomes": branch.endings}
        for one, branch in found
    ]
