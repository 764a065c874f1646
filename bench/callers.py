"""People and programs that write while the server is killed, and the ledger of what they were told."""

from __future__ import annotations

import io
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from bench.server import LONGEST_CALL, Browser

ADMIN, PASSWORD = "admin@kills.test", "a long password"
PLUGINS = ("retail", "b2b")
PAUSE = 0.02
AGAIN = 0.6
"""How often a program that got no answer sends the same again, with the same key."""


@dataclass
class Sent:
    """A call that makes records of these ``names``; ``answered`` when the server acknowledged it."""

    path: str
    entity: str
    names: tuple[str, ...]
    key: str
    json: Any = None
    file: str = ""
    answered: bool = False
    location: str = ""
    ids: tuple[int, ...] = ()


@dataclass
class Changed:
    """A customer whose city somebody changes: the last value that was acknowledged, and those sent since."""

    acknowledged: str | None = None
    open: list[str] = field(default_factory=list)
    binned: bool | None = False
    """None when it was to be moved to the bin, and nobody said whether it was."""


class Ledger:
    """What was sent and what was acknowledged."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.changed: dict[int, Changed] = {}
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()

    def wait_for(self, answers: int, longest: float) -> None:
        """Returns when so many more answers have come, or after ``longest`` seconds."""
        until, wanted = time.monotonic() + longest, self.answers() + answers
        while self.answers() < wanted and time.monotonic() < until:
            time.sleep(0.005)

    def answers(self) -> int:
        """How many answers have come."""
        return self.counts.total() - self.counts["cut off"]

    def told(self) -> str:
        """Counts, for people."""
        answered = sum(one.answered for one in self.sent)
        names = sum(len(one.names) for one in self.sent if one.answered)
        rest = ", ".join(f"{name} {number}" for name, number in sorted(self.counts.items()))
        return f"{answered} of {len(self.sent)} creating calls answered ({names} records); {rest}"


class Caller(threading.Thread):
    """Somebody who calls while the server is up."""

    def __init__(
        self, url: str, workspace: str, token: str, ledger: Ledger, up: threading.Event, seed: str
    ) -> None:
        super().__init__(daemon=True, name=seed)
        self._site, self._workspace = url, workspace
        self._api = f"{url}/api/v1/{workspace}"
        self._http = requests.Session()
        self._headers = {"Authorization": f"Bearer {token}"}
        self._ledger, self._up = ledger, up
        self._chance = random.Random(seed)
        self._number = 0
        self._finishing = False
        self.stopping, self.idle = threading.Event(), threading.Event()

    @property
    def owes(self) -> bool:
        """Something is still to be sent again."""
        return False

    def finish(self) -> None:
        """Begins nothing new."""
        self._finishing = True

    def run(self) -> None:
        while not self.stopping.is_set():
            self.idle.set()
            self._up.wait()
            if self.stopping.wait(PAUSE):
                break
            self.idle.clear()
            try:
                self.act()
            except requests.RequestException:
                self._ledger.counts["cut off"] += 1
                self._up_again()
            except Exception as error:
                self._ledger.wrong.append(f"{self.name}: {type(error).__name__}: {error}")
        self.idle.set()

    def act(self) -> None:
        """One act."""
        raise NotImplementedError

    def _up_again(self) -> None:
        """Waits until the server is known to be down, so that nothing hammers a dead port."""
        self.idle.set()
        self.stopping.wait(0.2)

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self._headers, **options.pop("headers", {})}
        answer = self._http.request(
            method, f"{self._api}{path}", headers=headers, timeout=LONGEST_CALL, **options
        )
        return self._noted(answer)

    def _noted(self, answer: requests.Response) -> requests.Response:
        self._ledger.counts[str(answer.status_code)] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self._ledger.wrong.append(
                f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}"
            )
        return answer


class Clerk(Caller):
    """A program that makes, changes, bins and imports; mostly it sends again what was not answered."""

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        self._again: list[Sent] = []
        self._mine: list[int] = []

    @property
    def owes(self) -> bool:
        return bool(self._again)

    def act(self) -> None:
        if self._again:
            self._send(self._again[0])
            return
        if self._finishing:
            return
        acts = (self._make, self._make_many, self._change, self._bin, self._import)
        self._chance.choices(acts, (5, 3, 4, 1, 1))[0]()

    def _new_name(self) -> str:
        self._number += 1
        return f"{self.name}/{self._number}"

    def _make(self) -> None:
        name = self._new_name()
        self._begin(Sent("/customer", "customer", (name,), name, json={"name": name}))

    def _make_many(self) -> None:
        if not self._mine:
            return
        name = self._new_name()
        now = datetime.now(UTC)
        items = [
            {
                "number": f"{name}/{row}",
                "customer": self._chance.choice(self._mine),
                "ordered_at": (now - timedelta(days=self._chance.randrange(40))).isoformat(),
                "amount": str(self._chance.randrange(1, 100)),
            }
            for row in range(self._chance.randrange(2, 40))
        ]
        names = tuple(str(item["number"]) for item in items)
        self._begin(Sent("/order:batch", "order", names, name, json={"items": items}))

    def _import(self) -> None:
        name = self._new_name()
        names = tuple(f"{name}/{row}" for row in range(self._chance.choice((30, 30, 400, 2300))))
        text = "\n".join(["name,city", *(f"{one},Imported" for one in names)])
        self._begin(Sent("/imports", "customer", names, name, file=text))

    def _change(self) -> None:
        if not self._mine:
            return
        record_id, city = self._chance.choice(self._mine), self._new_name()
        known = self._ledger.changed[record_id]
        known.open.append(city)
        if self._call("PATCH", f"/customer/{record_id}", json={"city": city}).status_code == 200:
            known.acknowledged, known.open = city, []

    def _bin(self) -> None:
        if len(self._mine) < 5:
            return
        record_id = self._mine.pop(self._chance.randrange(len(self._mine)))
        known = self._ledger.changed[record_id]
        known.binned = None
        if self._call("DELETE", f"/customer/{record_id}").status_code == 204:
            known.binned = True

    def _begin(self, sent: Sent) -> None:
        self._ledger.sent.append(sent)
        try:
            self._send(sent)
        except requests.RequestException:
            if self._chance.random() < AGAIN:
                self._again.append(sent)
            raise

    def _send(self, sent: Sent) -> None:
        options: dict[str, Any] = {"json": sent.json}
        if sent.file:
            file = ("c.csv", io.BytesIO(sent.file.encode()))
            options = {"data": {"entity": sent.entity}, "files": {"file": file}}
        answer = self._call("POST", sent.path, headers={"Idempotency-Key": sent.key}, **options)
        if answer.status_code in (409, 503):  # the first one is still at work; the database is busy
            if sent not in self._again:
                self._again.append(sent)
            self.stopping.wait(0.5)
            return
        if sent in self._again:
            self._again.remove(sent)
        if not answer.ok:
            self._ledger.wrong.append(f"{sent.path}: {answer.status_code} {answer.text[:300]}")
            return
        sent.answered, sent.location = True, answer.headers.get("Location", "")
        if sent.path == "/customer":
            record_id = answer.json()["id"]
            sent.ids = (record_id,)
            self._ledger.changed[record_id] = Changed(acknowledged=None)
            self._mine.append(record_id)


class Switcher(Caller):
    """An administrator in a browser: plugins go on and off, lists are exported, backups made."""

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        self._browser = Browser(self._site, self._workspace, ADMIN, PASSWORD)

    def act(self) -> None:
        if self._finishing:
            return
        self._chance.choices((self._switch, self._export, self._back_up), (4, 1, 1))[0]()
        self.stopping.wait(self._chance.uniform(0, 0.6))

    def _switch(self) -> None:
        name = self._chance.choice(PLUGINS)
        act = self._chance.choice(("enable", "disable", "enable"))
        self._call("POST", f"/plugins/{name}:{act}")

    def _export(self) -> None:
        self._page("customer/export?format=csv")

    def _back_up(self) -> None:
        self._page("settings/backup")

    def _page(self, path: str) -> None:
        answer = self._noted(self._browser.post(path))
        if answer.status_code not in (302, 303, 409, 503):
            self._ledger.wrong.append(f"POST {path}: {answer.status_code}")
