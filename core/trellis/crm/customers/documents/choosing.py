"""Which templates there are for a record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from trellis import attachments
from trellis.attachments import Attachment
from trellis.contributions import Template
from trellis.crm.customers.documents.entities import TEMPLATE
from trellis.documents.making import DocumentTemplate
from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import current_language, translator
from trellis.letters.templates import text_of
from trellis.records.door import Records

_ = translator("trellis")

_OWN = "own:"
WORD = ".docx"
_MOST = 200


def templates_of(records: Records, entity: str) -> list[DocumentTemplate]:
    """What can be made about records of ``entity``: one's own first, those in the reader's language before others."""
    brought = [
        _brought(records.edition, one)
        for one in records.edition.all(Template).values()
        if one.entity == entity and one.subject is None
    ]
    own: list[DocumentTemplate] = []
    if records.actor.may(TEMPLATE, "read"):
        rule = {"field": "of_entity", "op": "eq", "value": entity}
        found = records.list(TEMPLATE, rule=rule, sort=["name"], limit=_MOST).items
        own = [_own(one.id, one.values) for one in found]
    return sorted([*own, *brought], key=lambda one: one.language != current_language())


@contextmanager
def template_of(records: Records, name: str) -> Iterator[DocumentTemplate]:
    """The template of this name, with its Word file while the block lasts. Raises RecordInvalid where there is none."""
    brought = records.edition.all(Template).get(name)
    if brought is not None and brought.subject is None:
        yield _brought(records.edition, brought)
        return
    number = name.removeprefix(_OWN)
    if not name.startswith(_OWN) or not number.isdecimal() or len(number) > 18:
        raise RecordInvalid({"template": [_("There is no template “%(name)s”", name=name[:80])]})
    record = records.get(TEMPLATE, int(number))
    word = next((one for one in attachments.of(records, TEMPLATE, record.id) if _is_word(one)), None)
    if word is None or record.values.get("body"):
        yield _own(record.id, record.values)
        return
    with TemporaryDirectory(prefix="trellis-template-") as folder:
        path = Path(folder) / "template.docx"
        with path.open("wb") as file:
            for piece in attachments.content(records.session, word):
                file.write(piece)
        yield _own(record.id, record.values, path)


def check_fits(edition: Edition, template: DocumentTemplate, entity: str) -> None:
    """A template is for records of an entity. Raises RecordInvalid."""
    if template.entity != entity:
        told = edition.entities.get(template.entity)
        title = told.info.plural if told is not None else template.entity
        raise RecordInvalid({"template": [_("This template is for: %(entity)s", entity=title)]})


def _is_word(one: Attachment) -> bool:
    return one.name.lower().endswith(WORD)


def _brought(edition: Edition, one: Template) -> DocumentTemplate:
    is_word = one.file.suffix.lower() == WORD
    return DocumentTemplate(
        name=one.name,
        title=str(one.title),
        entity=one.entity,
        language=one.language,
        content="" if is_word else text_of(edition, one),
        word=one.file if is_word else None,
        numbering=one.numbering,
    )


def _own(number: int, values: dict[str, object], word: Path | None = None) -> DocumentTemplate:
    return DocumentTemplate(
        name=f"{_OWN}{number}",
        title=str(values["name"]),
        entity=str(values["of_entity"]),
        language=str(values["language"]),
        content=str(values.get("body") or ""),
        word=word,
        numbering=str(values.get("numbering") or ""),
        route=route if isinstance(route := values.get("route"), int) else None,
    )
