"""Journeys over REST, beside what they share with all records: started, paused, stopped; who is on one; what it brings."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, g

from trellis.contributions import Journey
from trellis.crm.marketing.journeys import figures, running, words
from trellis.crm.marketing.journeys.kept import version_of
from trellis.crm.marketing.journeys.members import Asked, members, versions_of
from trellis.errors import RecordNotFound
from trellis.i18n import translator
from trellis.journeys.brought import plan_of
from trellis.journeys.program import walk
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments, json_members, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.problems import Malformed
from trellis.rest.records import MOST_PER_PAGE, PER_PAGE, one_record
from trellis.rest.surveys import customer_ids

_ = translator("trellis")

ACTS = {
    "publish": running.publish,
    "pause": running.pause,
    "resume": running.resume,
    "stop": running.stop,
}


@blueprint.get("/journeys")
def brought_journeys(workspace: str) -> Response:
    """The journeys that the edition brings, with their plans, to be made one's own by ``POST /journey``."""
    no_arguments()
    g.actor.require("journey", "read")
    items = [
        {
            "name": one.name,
            "title": str(one.title),
            "description": str(one.description or ""),
            "plugin": one.owner,
            "plan": plan_of(one),
        }
        for one in g.edition.all(Journey).values()
    ]
    return answer({"items": items, "next": None})


def _act(workspace: str, record_id: int, act: str) -> Response:
    no_arguments()
    record = ACTS[act](g.records, record_id)
    return one_record("journey", record)


for _name in ACTS:
    blueprint.add_url_rule(
        f"/journey/<id:record_id>:{_name}", f"{_name}_journey", partial(_act, act=_name), methods=["POST"]
    )


@blueprint.post("/journey/<id:record_id>:enter")
def enter_journey(workspace: str, record_id: int) -> Response:
    """Brings the customers of a segment in, or these; in the background."""
    no_arguments()
    body = json_members({"segment": str, "customers": list})
    if ("segment" in body) is ("customers" in body):
        raise Malformed(_("Give a “segment” or “customers”, one of both"), "segment")
    job = running.bring_in(
        g.records, record_id, body.get("segment", ""), customer_ids(body.get("customers", []))
    )
    return answer({"job": job}, 202)


@blueprint.post("/journey/<id:record_id>:take-out")
def leave_journey(workspace: str, record_id: int) -> Response:
    """Ends the journey of one customer."""
    no_arguments()
    body = json_members({"customer": int})
    customer = body.get("customer", 0)
    if not 0 < customer <= LARGEST_ID:
        raise Malformed(_("“customer” is the id of a customer"), "customer")
    running.take_out(g.records, record_id, customer)
    return answer({"customer": customer, "out": True})


@blueprint.get("/journey/<id:record_id>/figures")
def journey_figures(workspace: str, record_id: int) -> Response:
    """Who is where, what became of each step of a version, and treated beside control."""
    arguments = Arguments()
    number = arguments.number("version", 0, 0, 1_000_000)
    arguments.end()
    record = g.records.get("journey", record_id)
    known = versions_of(g.session, record_id)
    row = next((one for one in known if one.number == number), None) if number else next(iter(known), None)
    if number and row is None:
        raise RecordNotFound()
    steps: list[dict[str, Any]] = []
    if row is not None:
        counted = figures.steps_of(g.session, g.actor, row.id)
        for key, step in walk(version_of(g.session, g.edition, row.id).plan["steps"]):
            told = counted.get(key, figures.StepFigures()).to_json()
            steps.append(
                {"step": key, "kind": step["kind"], "title": words.title_of(g.edition, step, {}), **told}
            )
    return answer(
        {
            "journey": record_id,
            "state": record.values["state"],
            "version": row.number if row else None,
            "members": figures.states_of(g.session, g.actor, record_id),
            "goal": figures.effect_of(g.session, g.actor, record_id).to_json(),
            "steps": steps,
        }
    )


@blueprint.get("/journey/<id:record_id>/members")
def journey_members(workspace: str, record_id: int) -> Response:
    """Who is on a journey, or was, the newest first; ``before`` is the id of the last one seen."""
    arguments = Arguments()
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    before = arguments.number("before", 0, 0, LARGEST_ID)
    asked = Asked(state=arguments.text("state") or "", step=arguments.text("step") or "")
    arguments.end()
    if asked.state and asked.state not in words.MEMBER_STATES:
        known = ", ".join(words.MEMBER_STATES)
        raise Malformed(_("“state” is one of: %(known)s", known=known), "state")
    g.records.get("journey", record_id)
    g.actor.require("customer", "read")
    rows = members(g.records, record_id, asked, limit + 1, before or None)
    names = ("id", "customer_id", "state", "step", "control", "round")
    moments = ("due_at", "entered_at", "ended_at", "reached_at")
    items = []
    for row in rows[:limit]:
        told = {name.removesuffix("_id"): getattr(row, name) for name in names}
        items.append(told | {name: _moment(getattr(row, name)) for name in moments})
    return answer({"items": items, "next": str(rows[limit - 1].id) if len(rows) > limit else None})


def _moment(at: Any) -> str | None:
    return None if at is None else at.isoformat()
