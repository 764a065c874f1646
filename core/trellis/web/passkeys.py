"""Passkeys in a browser: the challenge that a page asks, kept in its session until the answer comes."""

from __future__ import annotations

import time
from typing import Any

from flask import g, request, session

from trellis.control import Identity
from trellis.errors import Message
from trellis.security import passkeys
from trellis.security.passkeys import PasskeyRefused, Site

_KEPT = "challenge"


def site() -> Site | None:
    """What passkeys belong to here; None where browsers offer none."""
    return passkeys.site_of(g.installation.config, request.host_url)


def asking(action: str, verb: Message, **more: Any) -> dict[str, Any] | None:
    """A form that asks for a passkey: ``components/passkey.html``. None where browsers offer none."""
    if site() is None:
        return None
    return {"action": action, "options_url": f"{action}/options", "verb": str(verb), **more}


def ask(identity_id: int | None) -> dict[str, Any]:
    """The options with which a script asks for a passkey of somebody, or of anybody."""
    challenge = _begin()
    return passkeys.request(g.installation, _site(), challenge, identity_id)


def answered() -> Identity:
    """Whose passkey answered in the request's form. Raises PasskeyRefused."""
    challenge, _handle = _take()
    return passkeys.prove(g.installation, _site(), challenge, request.form.get("answer", ""))


def ask_new(identity_id: int, email: str) -> dict[str, Any]:
    """The options with which a script has a new passkey made."""
    challenge = _begin()
    options = passkeys.registration(g.installation, identity_id, email, _site(), challenge)
    session[_KEPT][2] = options["user"]["id"]
    return options


def add(identity: Identity) -> list[str]:
    """Keeps the passkey of the request's form; recovery codes if these are the first. RecordInvalid, PasskeyRefused."""
    challenge, handle = _take()
    if not handle:
        raise PasskeyRefused()
    name, answer = request.form.get("name", ""), request.form.get("answer", "")
    return passkeys.register(g.installation, identity, _site(), challenge, handle, name, answer)


def _site() -> Site:
    found = site()
    if found is None:
        raise PasskeyRefused()
    return found


def _begin() -> str:
    challenge = passkeys.new_challenge()
    session[_KEPT] = [challenge, int(time.time()), ""]
    return challenge


def _take() -> tuple[str, str]:
    """The challenge asked last, and the handle of a new passkey. Raises PasskeyRefused when there is none."""
    kept = session.pop(_KEPT, None)
    if not isinstance(kept, list) or time.time() - kept[1] > passkeys.LASTS.total_seconds():
        raise PasskeyRefused()
    return kept[0], kept[2]
