"""A script as JSON and back: how versions and drafts are kept, and what REST tells and takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import marshmallow as ma
import orjson
from marshmallow import fields, validate

from trellis.contributions import (
    Cell,
    Direction,
    Level,
    Script,
    ScriptAnswer,
    ScriptObjection,
    ScriptOutcome,
    ScriptResult,
    ScriptStep,
)
from trellis.edition import OWN, Edition
from trellis.errors import Message, RecordInvalid
from trellis.i18n import Text, translator
from trellis.plugins import CORE

_ = translator("trellis")

Content = Mapping[str, Any]

CELL = Cell(Direction.MARKET, Level.OPERATIONS, "MK4")
KEY = r"[a-z][a-z0-9_]{0,59}"
LONGEST_TITLE, LONGEST_TEXT = 200, 4000
MOST_STEPS, MOST_ANSWERS, MOST_OBJECTIONS, MOST_OUTCOMES, MOST_ENTITIES = 200, 9, 20, 20, 20


def domain_of(edition: Edition, owner: str) -> str:
    """The catalogue in which the texts of a script are translated; none for one's own."""
    manifest = edition.plugin(owner)
    return manifest.package if manifest else "" if owner == OWN else "trellis"


def to_json(script: Script, *, words: bool = False) -> dict[str, Any]:
    """A script as JSON: as it is written, or, with ``words``, in the language of the reader."""

    def text(label: Any) -> str:
        return "" if label is None else str(label) if words or not isinstance(label, Text) else label.message

    def objections(known: Any) -> list[dict[str, Any]]:
        return [{"key": one.key, "title": text(one.title), "reply": text(one.reply)} for one in known]

    return {
        "title": text(script.title),
        "description": text(script.description),
        "entities": list(script.entities),
        "steps": [
            {
                "key": step.key,
                "say": text(step.say),
                "hint": text(step.hint),
                "answers": [
                    {
                        "key": one.key,
                        "title": text(one.title),
                        "to": one.to,
                        "outcome": one.outcome,
                        "fills": one.fills,
                        "value": one.value,
                        "asks": text(one.asks),
                    }
                    for one in step.answers
                ],
                "objections": objections(step.objections),
            }
            for step in script.steps
        ],
        "outcomes": [
            {"key": one.key, "title": text(one.title), "result": one.result.value} for one in script.outcomes
        ],
        "objections": objections(script.objections),
    }


def from_json(name: str, content: Content, owner: str = OWN, domain: str = "", replaces: str = "") -> Script:
    """The script of a content that :func:`to_json` or :func:`checked` has made."""

    def text(given: str) -> Text:
        return Text(given, domain=domain)

    def objections(known: Any) -> tuple[ScriptObjection, ...]:
        return tuple(
            ScriptObjection(key=o["key"], title=text(o["title"]), reply=text(o["reply"])) for o in known
        )

    def answer(one: Content) -> ScriptAnswer:
        asks = text(one["asks"]) if one["asks"] else None
        plain = {part: one[part] for part in ("key", "to", "outcome", "fills", "value")}
        return ScriptAnswer(**plain, title=text(one["title"]), asks=asks)

    return Script(
        name=name,
        title=text(content["title"]),
        description=text(content["description"]) if content["description"] else None,
        cell=CELL,
        owner=owner,
        entities=tuple(content["entities"]),
        steps=tuple(
            ScriptStep(
                key=step["key"],
                say=text(step["say"]),
                hint=text(step["hint"]) if step["hint"] else None,
                answers=tuple(answer(one) for one in step["answers"]),
                objections=objections(step["objections"]),
            )
            for step in content["steps"]
        ),
        outcomes=tuple(
            ScriptOutcome(key=one["key"], title=text(one["title"]), result=ScriptResult(one["result"]))
            for one in content["outcomes"]
        ),
        objections=objections(content["objections"]),
        replaces=replaces,
    )


def digest(content: Content) -> str:
    """What tells contents apart."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def starter(title: str, entity: str = "customer") -> dict[str, Any]:
    """What a script of one's own begins with: a question with two answers."""
    answers = [
        {"key": key, "title": str(text), "outcome": outcome}
        for key, text, outcome in (("yes", _("Yes"), "agreed"), ("no", _("No"), "refused"))
    ]
    return checked(
        {
            "title": title,
            "entities": [entity],
            "steps": [{"key": "start", "say": str(_("Good day. Do you have a minute?")), "answers": answers}],
            "outcomes": [
                {"key": "agreed", "title": str(_("Agreed")), "result": "good"},
                {"key": "refused", "title": str(_("Refused")), "result": "bad"},
            ],
        }
    )


def checked(draft: Any) -> dict[str, Any]:
    """A draft with all its parts, in the shape of :func:`to_json`. Raises RecordInvalid; whether it can be run is not asked."""
    try:
        return _DRAFT.load(draft)  # type: ignore[no-any-return]
    except ma.ValidationError as error:
        raise RecordInvalid({"draft": list(_sentences(error.messages))[:20]}) from None
    except (TypeError, AttributeError, RecursionError):
        raise RecordInvalid({"draft": [_("Give an object with entities, steps and outcomes")]}) from None


def _sentences(found: Any, place: str = "") -> Iterator[Message]:
    if isinstance(found, Mapping):
        for name, inner in found.items():
            yield from _sentences(inner, f"{place}.{name}".strip("."))
    else:
        for one in found:
            yield f"{place}: {one}"


def _text(longest: int, *, required: bool = False) -> fields.Field[Any]:
    most = validate.Length(max=longest, error=str(_("At most %(most)s characters", most=longest)))
    plain = validate.Regexp(r"[^\x00\ud800-\udfff]*\Z", error=str(_("A character that cannot be kept")))
    return fields.String(validate=[most, plain], **({"required": True} if required else {"load_default": ""}))


def _key() -> fields.Field[Any]:
    return fields.String(required=True, validate=validate.Regexp(rf"{KEY}\Z"))


def _several(schema: type[ma.Schema], most: int) -> fields.Field[Any]:
    return fields.List(fields.Nested(schema), load_default=list, validate=validate.Length(max=most))


class _Part(ma.Schema):
    class Meta:
        unknown = ma.RAISE


class _Answer(_Part):
    key = _key()
    title = _text(LONGEST_TITLE)
    to = _text(60)
    outcome = _text(60)
    fills = _text(160)
    value = fields.Raw(allow_none=True, load_default=None, validate=lambda value: _plain(value))
    asks = _text(LONGEST_TITLE)


class _Objection(_Part):
    key = _key()
    title = _text(LONGEST_TITLE)
    reply = _text(LONGEST_TEXT)


class _Step(_Part):
    key = _key()
    say = _text(LONGEST_TEXT)
    hint = _text(LONGEST_TEXT)
    answers = _several(_Answer, MOST_ANSWERS)
    objections = _several(_Objection, MOST_OBJECTIONS)


class _Outcome(_Part):
    key = _key()
    title = _text(LONGEST_TITLE)
    result = fields.String(
        load_default=ScriptResult.NEUTRAL.value, validate=validate.OneOf([one.value for one in ScriptResult])
    )


class _Draft(_Part):
    title = _text(LONGEST_TITLE)
    description = _text(LONGEST_TEXT)
    entities = fields.List(_text(80), load_default=list, validate=validate.Length(max=MOST_ENTITIES))
    steps = _several(_Step, MOST_STEPS)
    outcomes = _several(_Outcome, MOST_OUTCOMES)
    objections = _several(_Objection, MOST_OBJECTIONS)


_DRAFT = _Draft()


def _plain(value: Any) -> None:
    """A value for a field is one that JSON writes on one line."""
    if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > LONGEST_TEXT):
        raise ma.ValidationError(str(_("A text, a number, true or false")))


def is_here(edition: Edition, owner: str) -> bool:
    """Whether who brought a script is there: its runs go on only then."""
    return owner in (CORE, OWN) or edition.plugin(owner) is not None
