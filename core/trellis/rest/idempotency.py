"""``Idempotency-Key``: a POST that is sent again is answered as before, and does nothing twice.

The key and the answer are kept in the transaction of the call itself: whatever is committed has its answer kept, and a call
that failed can simply be repeated. A call whose engine has transactions of its own commits the key before it begins to
work, and the answer when it is done; the same call meanwhile is a conflict, or has the answer that was promised.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, g, request
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from trellis.errors import Conflict, TrellisError
from trellis.i18n import translator
from trellis.rest.problems import Malformed
from trellis.system import IdempotentCall

_ = translator("trellis")

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST = 255
KEPT = timedelta(hours=24)
SILENT = timedelta(minutes=2)
"""A call at work in transactions of its own that has told nothing for so long was killed; it may be sent again."""
_KEPT_HEADERS = ("Location", "ETag", "Content-Type")
_calls = IdempotentCall.__table__.c
_CHUNK = 1 << 20


class KeyReused(TrellisError):
    """The key was used for another request."""

    status = 422
    code = "idempotency_key_reused"
    title = _("This Idempotency-Key was used for another request")


def begin() -> Response | None:
    """Claims the key of this call, if it has one; the kept answer when it was answered before."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST or not key.isprintable():
        raise Malformed(_("An Idempotency-Key has 1 to %(most)s printable characters", most=LONGEST), HEADER)
    kept = _claimed(key, _fingerprint())
    if kept is None:
        g.idempotency_key = key
        return None
    return Response(kept.body, kept.status, {**kept.headers, REPLAYED: "true"})


def end(response: Response) -> None:
    """Keeps the answer with the key; forgets a key that was committed before its call failed."""
    key = g.pop("idempotency_key", None)
    if key is None:
        return
    done = response.status_code < 400
    if g.work.writes:
        if done:  # if not, the key is rolled back with the rest
            _keep(g.session, key, response)
        return
    with g.workspace.write() as session:
        _keep(session, key, response) if done else _forget(session, key)


def promise(session: Session, response: Response) -> None:
    """Keeps what is answered if the call is killed from here on, in the transaction after which it must not be repeated."""
    key = g.get("idempotency_key")
    if key is not None:
        _keep(session, key, response)


def _claimed(key: str, fingerprint: str) -> Any:
    if g.work.writes:
        return _claim(g.session, g.actor.user_id, key, fingerprint)
    with g.workspace.write() as session:
        return _claim(session, g.actor.user_id, key, fingerprint)


def _fingerprint() -> str:
    """What makes two calls the same: method, address and body."""
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode("utf-8", "surrogatepass"))
    if request.mimetype == "multipart/form-data":
        for name, value in sorted(request.form.items(multi=True)):
            digest.update(f"{name}={value}\n".encode("utf-8", "surrogatepass"))
        for name, file in sorted(request.files.items(multi=True), key=lambda pair: pair[0]):
            digest.update(f"{name}:{file.filename}\n".encode("utf-8", "surrogatepass"))
            while chunk := file.stream.read(_CHUNK):
                digest.update(chunk)
            file.stream.seek(0)
    else:
        digest.update(request.get_data())
    return digest.hexdigest()


def _claim(session: Session, user_id: int, key: str, fingerprint: str) -> Any:
    """Writes the key down, or answers what is kept for it. Of two at once, the second waits for the first to end."""
    now = datetime.now(UTC)
    killed = sa.and_(_calls.status.is_(None), _calls.at < now - SILENT)
    session.execute(sa.delete(IdempotentCall).where(sa.or_(_calls.at < now - KEPT, killed)))
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {
        "user_id": user_id,
        "key": key,
        "fingerprint": fingerprint,
        "headers": {},
        "body": "",
        "at": now,
    }
    claim = insert(IdempotentCall.__table__).values(values).on_conflict_do_nothing().returning(_calls.key)
    if session.scalar(claim) is not None:
        return None
    kept = session.execute(sa.select(IdempotentCall.__table__).where(*_ours(key))).one()
    if kept.fingerprint != fingerprint:
        raise KeyReused()
    if kept.status is None:
        raise Conflict(_("The first request with this Idempotency-Key is still at work"))
    return kept


def _ours(key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _calls.user_id == g.actor.user_id, _calls.key == key


def _keep(session: Session, key: str, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    values = {"status": response.status_code, "headers": headers, "body": response.get_data(as_text=True)}
    session.execute(sa.update(IdempotentCall).where(*_ours(key)).values(**values))


def _forget(session: Session, key: str) -> None:
    session.execute(sa.delete(IdempotentCall).where(*_ours(key)))
