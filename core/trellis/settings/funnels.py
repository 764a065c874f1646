"""Funnels of the organisation's own, and what it decided for the stages of any lifecycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trellis.contributions import Lifecycle, Stage
from trellis.edition import OWN, Edition, EntityView, Settings
from trellis.errors import RecordInvalid, RuleInvalid
from trellis.i18n import Text, translator
from trellis.records import types
from trellis.records.rules import parse
from trellis.settings.names import new_name, plain_name

_ = translator("trellis")

ENTITY, FIELD = "opportunity", "funnel"
WON, LOST = "won", "lost"
_MOST_STAGES = 20
_LONGEST, _LONGEST_NAME = 60, 50
"""Characters of a title; of the name that is made of it, which opportunities hold."""
_EXIT_TEXT = types.Text()


def own_funnels(settings: Settings) -> Iterator[Lifecycle]:
    """The organisation's own funnels of opportunities, as contributions; each ends in a stage that is won and one that is lost."""
    for name, declared in settings.funnels.items():
        stages = [Stage(value=one["value"], title=Text(one["title"])) for one in declared["stages"]]
        yield Lifecycle(
            name=name,
            title=Text(declared["title"]),
            owner=OWN,
            entity=ENTITY,
            when=(FIELD, name),
            stages=(
                *stages,
                Stage(value=WON, title=_("Won"), kind="won", probability=1, tone="good"),
                Stage(
                    value=LOST,
                    title=_("Lost"),
                    kind="lost",
                    probability=0,
                    tone="danger",
                    requires=("lost_reason",),
                ),
            ),
        )


def declared(
    edition: Edition, title: str, stages: Sequence[tuple[str, str]], name: str | None = None
) -> tuple[str, dict[str, Any]]:
    """A funnel as it is kept, of its title and its open stages as (value or empty, title), with its name.

    A value that the funnel ``name`` does not have is that of a new stage. Raises RecordInvalid.
    """
    title, given = title.strip(), [(value, text.strip()) for value, text in stages if text.strip()]
    errors: dict[str, list[str | Text]] = {}
    if not _is_title(title):
        errors["title"] = [_("Give it a name of up to %(most)s characters", most=_LONGEST)]
    titles = [text.casefold() for _value, text in given]
    if not given or len(given) > _MOST_STAGES or len(set(titles)) < len(titles):
        errors["stages"] = [_("Name 1 to %(most)s stages, each another", most=_MOST_STAGES)]
    elif not all(map(_is_title, titles)):
        errors["stages"] = [_("Give it a name of up to %(most)s characters", most=_LONGEST)]
    if errors:
        raise RecordInvalid(errors)
    there = {one["value"] for one in edition.settings.funnels.get(name or "", {"stages": ()})["stages"]}
    taken = {WON, LOST, *there}
    kept = []
    for value, text in given:
        new = _value(text, taken) if value not in there else value
        kept.append({"value": new, "title": text})
        taken.add(new)
        there.discard(new)
    made = name or new_name(plain_name(title)[:_LONGEST_NAME], edition.all(Lifecycle), "funnel")
    return made, {"title": title, "stages": kept}


def _is_title(text: str) -> bool:
    try:
        return bool(types.Text(_LONGEST).check(text))
    except types.ValueInvalid:
        return False


def _value(title: str, taken: set[str]) -> str:
    stem = plain_name(title)[:40] or "stage"
    return next(one for one in (stem, *(f"{stem}_{number}" for number in range(2, 100))) if one not in taken)


def checked_terms(edition: Edition, view: EntityView, terms: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises RecordInvalid, by ``stage.attribute``, for what cannot be decided for stages."""
    errors: dict[str, list[str | Text]] = {}
    for stage, decided in terms.items():
        if (rule := decided.get("exit")) is not None:
            try:
                parse(rule, view, edition)
            except RuleInvalid as error:
                errors[f"{stage}.exit"] = [str(error)]
        try:
            _EXIT_TEXT.check(decided.get("exit_text"))
        except types.ValueInvalid as error:
            errors[f"{stage}.exit_text"] = [error.message]
        chance, days = decided.get("probability"), decided.get("days")
        if chance is not None and not 0 <= chance <= 1:
            errors[f"{stage}.probability"] = [_("Must be between 0 and 100 %")]
        if days is not None and not 0 < days < 10_000:
            errors[f"{stage}.days"] = [_("Must be a number of days")]
        unknown = [name for name in decided.get("requires", ()) if name not in view.fields]
        if unknown:
            errors[f"{stage}.requires"] = [_("There is no field “%(name)s”", name=unknown[0])]
    if errors:
        raise RecordInvalid(errors)
