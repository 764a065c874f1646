"""One request to an address that an administrator named: signed, within bounds of time and size, and never to the inside.

The headers and the signature are those of Standard Webhooks (https://www.standardwebhooks.com).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import urllib3
from urllib3.util import Timeout, Url, parse_url

from trellis.errors import RecordInvalid
from trellis.guard import Stopwatch, TookTooLong, limited
from trellis.i18n import Text, translator

_ = translator("trellis")

SECONDS = 10.0
"""How long an address may take to answer, and as long again to be reached."""
LONGEST_ANSWER = 500
"""Bytes of an answer that are read and shown."""
LONGEST_URL = 2000
PREFIX = "whsec_"


class NotDelivered(Exception):
    """An address did not take what was sent, and why."""

    def __init__(self, reason: str | Text) -> None:
        super().__init__(str(reason))


def make_secret() -> str:
    """A new secret, in the form that libraries of Standard Webhooks take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed(secret: str, number: str, body: bytes, at: int) -> dict[str, str]:
    """The headers of a message: HMAC-SHA256 over its number, its time in Unix seconds and its body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    mac = hmac.new(key, f"{number}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Trellis",
        "webhook-id": number,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def check_url(text: str, *, inside: bool) -> None:
    """Raises RecordInvalid for ``url`` unless it can be sent to: https, or with ``inside`` http as well."""
    problem = None
    try:
        url = parse_url(text)
    except urllib3.exceptions.LocationParseError:
        problem = _("Give a whole address, such as https://example.org/hooks")
    else:
        schemes = ("https", "http") if inside else ("https",)
        if url.scheme not in schemes or not url.host or len(text) > LONGEST_URL:
            problem = _("Give a whole address, such as https://example.org/hooks")
        elif url.auth:
            problem = _("Leave out the user and the password: the signature says who is calling")
    if problem is not None:
        raise RecordInvalid({"url": [problem]})


def send(text: str, secret: str, number: str, body: bytes, *, inside: bool) -> None:
    """Posts ``body``. Raises NotDelivered unless the address answers 2xx; redirections are not followed.

    Unless ``inside``, addresses of this machine and of its own network are refused, whatever name leads to them.
    """
    url = parse_url(text)
    headers = signed(secret, number, body, int(time.time()))
    watch = Stopwatch(2 * SECONDS)
    watch.start("", "")
    try:
        # an address that answers a byte now and then keeps within the time of each read, not within that of all
        status, said = limited(lambda: _posted(url, headers, body, inside), watch)
    except (urllib3.exceptions.HTTPError, TookTooLong, OSError, ValueError) as error:
        raise NotDelivered(_reason(error)) from None
    if not 200 <= status < 300:
        shown = said.decode("utf-8", "replace").strip()
        raise NotDelivered(_("Answered %(status)s %(text)s", status=status, text=shown))


def _posted(url: Url, headers: dict[str, str], body: bytes, inside: bool) -> tuple[int, bytes]:
    """The status of the answer, and its beginning."""
    with closing(_pool(url, inside)) as pool:
        # the name is looked up once, here: the request goes to the address that was checked
        headers["Host"] = url.netloc or ""
        answer = pool.urlopen(
            "POST",
            url.request_uri,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        with closing(answer):
            return answer.status, answer.read(LONGEST_ANSWER, decode_content=False)


def _pool(url: Url, inside: bool) -> urllib3.HTTPConnectionPool:
    address = _address(url, inside)
    common: Mapping[str, Any] = {
        "port": url.port,
        "maxsize": 1,
        "timeout": Timeout(connect=SECONDS, read=SECONDS),
    }
    if url.scheme == "http":
        return urllib3.HTTPConnectionPool(address, **common)
    host = (url.host or "").strip("[]")
    return urllib3.HTTPSConnectionPool(
        address,
        server_hostname=host,
        assert_hostname=host,
        ssl_context=ssl.create_default_context(),
        **common,
    )


def _address(url: Url, inside: bool) -> str:
    host = (url.host or "").strip("[]")
    found = socket.getaddrinfo(host, url.port or 443, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not inside and not all(_outside(one) for one in addresses):
        raise NotDelivered(_("The address is inside the network of this server, which is not allowed"))
    return addresses[0]


def _outside(text: str) -> bool:
    address: Any = ipaddress.ip_address(text.partition("%")[0])
    if address.version == 6:
        address = address.ipv4_mapped or address.sixtofour or _translated(address) or address
    return address.is_global and not address.is_multicast


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address of IPv4 that one of IPv6 stands for behind a gateway, or by the old way of writing it."""
    inside = any(address in network for network in _TRANSLATED)
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if inside else None


_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


def _reason(error: Exception) -> Text:
    late = isinstance(error, urllib3.exceptions.TimeoutError | TookTooLong)
    # a refused connection is a timeout to that library
    if late and not isinstance(error, urllib3.exceptions.NewConnectionError):
        return _("No answer within %(num)s s", num=int(SECONDS))
    cause = getattr(error, "reason", None) or error
    said = str(cause.args[-1] if getattr(cause, "args", ()) else cause)
    return _("Cannot be reached: %(reason)s", reason=said)
