"""Versions of scripts: each content is kept once, when it is published or the first conversation begins with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Script
from trellis.edition import Edition
from trellis.errors import RecordNotFound
from trellis.scripts.content import Content, digest, domain_of, from_json, is_here, to_json
from trellis.scripts.tables import VERSIONS

_version = VERSIONS.c


def current(session: Session, edition: Edition, script: Script, user_id: int | None) -> int:
    """The number of the version with which conversations begin now; it is kept when it is new."""
    content = edition.cached(("script content", script.name), lambda: to_json(script))
    return keep(session, script.name, content, edition.source(script.owner), user_id)


def keep(session: Session, script: str, content: Content, source: str, user_id: int | None) -> int:
    """Keeps a content, unless it is there already; returns its number."""
    mark = digest(content)
    known = _known(session, script, mark)
    if known is not None:
        return known
    try:
        with session.begin_nested():
            last = session.scalar(sa.select(sa.func.max(_version.number)).where(_version.script == script))
            number = int(last or 0) + 1
            values: Mapping[str, Any] = {
                "script": script,
                "number": number,
                "digest": mark,
                "content": content,
                "source": source,
                "created_at": datetime.now(UTC),
                "created_by_id": user_id,
            }
            session.execute(sa.insert(VERSIONS).values(**values))
    except sa.exc.IntegrityError:  # somebody began with it at the same moment
        return keep(session, script, content, source, user_id)
    return number


def _known(session: Session, script: str, mark: str) -> int | None:
    same = _version.script == script, _version.digest == mark
    return session.scalar(sa.select(_version.number).where(*same))


def of_number(session: Session, edition: Edition, script: str, number: int) -> Script:
    """The script as it was in a version. Raises RecordNotFound where there is none, or its plugin is not enabled."""
    query = sa.select(_version.content, _version.source)
    row = session.execute(query.where(_version.script == script, _version.number == number)).first()
    owner = row.source.partition("@")[0] if row is not None else ""
    if row is None or not is_here(edition, owner):
        raise RecordNotFound()
    return from_json(script, row.content, owner, domain_of(edition, owner))
