"""The public page on which a customer answers a survey: no sign-in, one answer behind each link, with or without scripts.

A link that is wrong, used or too old leads to the same page; so does one into a workspace that is not there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Blueprint, current_app, g, render_template, request

from trellis.crm.customers import answering
from trellis.crm.customers.answering import ANSWERING, LONGEST_COMMENT, Invited
from trellis.crm.customers.letters import PATH, read_link
from trellis.errors import RecordInvalid, WorkspaceNotFound
from trellis.i18n import LANGUAGES, translator
from trellis.records.door import Records
from trellis.web import context
from trellis.web.language import ARGUMENT, speak_to_customer
from trellis.web.plain import plain_shell
from trellis.web.views.lists import messages

_ = translator("trellis")

blueprint = Blueprint("answering", __name__)

RATE = 120
"""Requests a minute that one address may make of one server process: an office shares one, a guesser gets nowhere."""

_Answer = tuple[str, int]


class _Found(NamedTuple):
    invited: Invited
    company: str


@blueprint.get(f"/{PATH}/<link>")
def show(link: str) -> str | _Answer:
    found = _open(link, writes=False)
    return _closed() if found is None else _form(found, {}, {})


@blueprint.post(f"/{PATH}/<link>")
def take(link: str) -> str | _Answer:
    found = _open(link, writes=True)
    if found is None:
        return _closed()
    try:
        with g.records.whole():
            kept = answering.answer(g.records, found.invited, request.form)
    except RecordInvalid as error:
        return _form(found, request.form, messages(error)), 422
    if not kept:
        return _closed()
    done = {"company": found.company, "title": str(_("Thank you")), "text": found.invited.words["thanks"]}
    return _page("surveys/told.html", done)


def _open(link: str, *, writes: bool) -> _Found | None:
    """Enters the workspace of a link, as nobody who has signed in; None when the link opens nothing."""
    current_app.extensions["trellis_answer_rates"].take(request.remote_addr)
    known = read_link(g.installation.config, link)
    if known is None:
        return None
    try:
        workspace = g.installation.workspace(known[0])
    except WorkspaceNotFound:
        return None
    session = context.enter(workspace, writes=writes)
    edition = workspace.edition(session)
    g.records = g.work.records = Records(session, edition, ANSWERING)
    asked = request.args.get(ARGUMENT, "")
    invited = answering.find(session, edition, known[1], asked if asked in LANGUAGES else "")
    if invited is None:
        language = answering.language_of(session, known[1])
        if language is not None:
            speak_to_customer(language)  # who was written to reads the end in the same language
        return None
    speak_to_customer(invited.language)
    return _Found(invited, edition.settings.title or workspace.name)


def _form(found: _Found, given: Any, errors: dict[str, list[str]]) -> str:
    invited = found.invited
    asked = {
        "company": found.company,
        "title": found.company,
        "intro": invited.words["intro"],
        "questions": [
            {
                "field": one.field,
                "text": invited.words[one.field],
                "numbers": range(one.lowest, one.highest + 1),
                "worst": str(one.worst),
                "best": str(one.best),
                "given": given.get(one.field, ""),
                "errors": errors.get(one.field, []),
            }
            for one in invited.questions
        ],
        "comment": given.get("comment", ""),
        "comment_errors": errors.get("comment", []),
        "longest": LONGEST_COMMENT,
        "problem": _problem(invited, errors),
    }
    return _page("surveys/answer.html", asked)


def _problem(invited: Invited, errors: dict[str, list[str]]) -> str:
    """What is said above the form, where something is wrong."""
    if not errors:
        return ""
    if errors.keys() <= {"comment", *(one.field for one in invited.questions)}:
        return str(_("Not sent yet: look at what is marked"))
    return str(_("Your answer could not be kept. Try again later"))


def _closed() -> _Answer:
    told = {
        "company": "",
        "title": str(_("There is nothing to answer here")),
        "text": str(_("This link was used, has ended, or is not complete. If you answered: thank you.")),
    }
    return _page("surveys/told.html", told), 404


def _page(template: str, survey: dict[str, Any]) -> str:
    shell = plain_shell()
    if survey["company"]:
        shell["workspace"] = {"title": survey["company"]}
    return render_template(template, survey=survey, page_title=survey["title"], shell=shell)
