"""The panel of a conversation beside a record: what is said, the answers, what was filled, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import g, request

from trellis.contributions import Script, ScriptAnswer
from trellis.crm.market.panels import told
from trellis.errors import RecordNotFound
from trellis.i18n import plural_translator, translator
from trellis.records.entity import Field
from trellis.records.query import Record
from trellis.records.types import Text
from trellis.scripts.running import LONGEST_REMARK, Conversation, Conversations
from trellis.scripts.speaking import spoken
from trellis.scripts.tables import DONE, RUNNING, STOPPED
from trellis.web.display import control, origin, read_form

_ = translator("trellis")
_n = plural_translator("trellis")

TONES = {"good": "good", "neutral": "neutral", "bad": "danger"}
"""The badge of an outcome by its result."""
_REMARK = "remark"


def beside(record: Record, base: str) -> dict[str, Any]:
    """What the page of a record has of scripts: those that can be begun, and the conversation that stands beside it."""
    if not any(record.entity in one.entities for one in g.edition.all(Script).values()):
        return {"scripts": [], "conversation": None}
    talks = Conversations(g.records)
    url = f"{base}/{record.entity}/{record.id}/script"
    offered = [
        {"name": one.name, "title": str(one.title), "origin": origin(g.edition, one.owner), "url": url}
        for one in talks.offered(record)
    ]
    run = _asked(talks, record) or talks.beside(record)
    return {"scripts": offered, "conversation": panel(run, base) if run else None}


def _asked(talks: Conversations, record: Record) -> Conversation | None:
    """The conversation that the address names, where it is one beside this record."""
    number = request.args.get("conversation", "")
    if not number.isdecimal() or len(number) > 18:
        return None
    try:
        run = talks.get(int(number))
    except RecordNotFound:
        return None
    return run if (run.entity, run.record.id) == (record.entity, record.id) else None


def panel(
    run: Conversation,
    base: str,
    *,
    objected: str = "",
    errors: Mapping[str, Sequence[str]] | None = None,
    chosen: str = "",
    problem: str = "",
) -> dict[str, Any]:
    """The panel of a conversation. After an objection with its reply; after a refused answer with what was wrong."""
    url = f"{base}/scripts/runs/{run.id}"
    mine = g.actor.reaches(run.entity, "update", {**run.record.values, "id": run.record.id})
    reply = run.objection(objected)
    done, left = len(run.answered), run.left()
    return {
        "id": run.id,
        "title": str(run.script.title),
        "origin": origin(g.edition, run.script.owner),
        "url": url,
        "state": run.state,
        "may": mine,
        "step": run.at.key if run.at else "",
        "say": _spoken(run, run.at.say) if run.at else "",
        "hint": str(run.at.hint) if run.at and run.at.hint else "",
        "answers": list(_answers(run, errors or {}, chosen, base)) if run.state == RUNNING and mine else [],
        "objections": [{"key": one.key, "title": str(one.title)} for one in run.objections]
        if run.state == RUNNING and mine
        else [],
        "reply": {"title": str(reply.title), "text": _spoken(run, reply.reply)} if reply else None,
        "share": done / (done + left) if done + left else 1.0,
        "progress": _progress(run, done, left),
        "filled": list(_filled(run)),
        "can_go_back": bool(done) and mine and run.state in (RUNNING, DONE),
        "outcome": _outcome(run),
        "problem": problem,
        "close_url": f"{base}/{run.entity}/{run.record.id}",
        "run_url": f"{base}/script_run/{run.id}" if g.actor.may("script_run", "read") else "",
        "focus": "HX-Request" in request.headers or "conversation" in request.args,
    }


def typed(run: Conversation, choice: str) -> Any:
    """What was typed for an answer, as the door takes it."""
    answer = next((one for one in run.at.answers if one.key == choice), None) if run.at else None
    texts = request.form.getlist("value")
    if answer is None or not texts:
        return None
    declared = _asked_field(run, answer)
    return read_form(declared, texts[-1]) if declared else texts[-1]


def _spoken(run: Conversation, text: Any) -> str:
    return spoken(str(text), g.records, run.entity, run.record.id)


def _progress(run: Conversation, done: int, left: int) -> str:
    if run.state == STOPPED:
        return str(_("Broken off"))
    if run.state == DONE:
        return str(_n("%(num)s answer", "%(num)s answers", done))
    return str(
        _n(
            "Step %(step)s, at least %(num)s more",
            "Step %(step)s, at least %(num)s more",
            left,
            step=done + 1,
        )
    )


def _answers(
    run: Conversation, errors: Mapping[str, Sequence[str]], chosen: str, base: str
) -> Iterator[dict[str, Any]]:
    for number, one in enumerate(run.at.answers if run.at else (), 1):
        found = [text for texts in errors.values() for text in texts] if one.key == chosen else []
        declared = _asked_field(run, one)
        yield {
            "key": one.key,
            "number": number,
            "title": str(one.title),
            "control": _control(run, one, declared, found, number, base) if declared else None,
            "errors": [] if declared else found,
        }


def _asked_field(run: Conversation, answer: ScriptAnswer) -> Field | None:
    """The field that is typed into with an answer; of a remark one that is no record's. None where nothing is typed."""
    if answer.value is not None or not (answer.fills or answer.asks):
        return None
    seen = g.actor.sees(g.edition).entity(run.entity).fields.get(answer.fills)
    label = answer.asks or (seen.label if seen else answer.title)
    return seen or Field(name=_REMARK, type=Text(LONGEST_REMARK), label=label, required=True)


def _control(
    run: Conversation, answer: ScriptAnswer, declared: Field, errors: list[str], number: int, base: str
) -> dict[str, Any]:
    """The control of what is typed, with what the record holds now, or what was refused."""
    value = run.record.values.get(declared.name) if declared.name != _REMARK else None
    if errors:
        value = request.form.getlist("value")[-1:] or ""
        value = value[0] if value else ""
    title = run.record.titles.get(declared.name, "")
    made = control(g.edition, base, declared, value, title=title, errors=errors)
    label = str(answer.asks or declared.label)
    return {**made, "id": f"script-{number}", "name": "value", "label": label, "required": True}


def _filled(run: Conversation) -> Iterator[dict[str, str]]:
    """What the answers so far have filled in, each field once; and remarks."""
    seen = g.actor.sees(g.edition)
    fields = seen.entity(run.entity).fields
    latest = {one.field: one for one in run.answered if one.field in fields}
    for name, one in latest.items():
        yield {"label": str(fields[name].label), "value": told(seen, fields[name], one.value)}
    for one in run.answered:
        step = run.step(one.step)
        answer = next((known for known in step.answers if known.key == one.choice), None) if step else None
        if one.remark and answer is not None:
            yield {"label": str(answer.asks or answer.title), "value": one.remark}


def _outcome(run: Conversation) -> dict[str, str] | None:
    if run.state != DONE:
        return None
    found = next((one for one in run.script.outcomes if one.key == run.ending), None)
    title = str(found.title) if found else run.ending
    return {"title": title, "tone": TONES[found.result.value] if found else "neutral"}
