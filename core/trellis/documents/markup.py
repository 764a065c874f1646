"""HTML as the nodes that ``page.typ`` sets: paragraphs, headings, lists, tables and what stands in lines.

What it does not know it leaves out, and keeps the text in it. Spaces are as a browser would show them.
"""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from typing import Any

_KNOWN = frozenset(
    "h1 h2 h3 h4 p div br b strong i em u s small ul ol li table thead tbody tfoot tr th td hr a blockquote pre img".split()  # noqa: SIM905
)
_EMPTY = frozenset(["br", "hr", "img"])
_SILENT = frozenset(["script", "style", "title", "template"])
_ALIGNED = re.compile(r"text-align:\s*(left|right|center)")
_SPACES = re.compile(r"[ \t\r\n]+")
_PICTURE = re.compile(r"data:image/(png|jpeg);base64,([A-Za-z0-9+/=]+)")
DEEPEST = 20
_MOST_PICTURES = 50


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root: dict[str, Any] = {"tag": "body", "children": []}
        self.pictures: dict[str, bytes] = {}
        self._open = [self.root]
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if tag not in _KNOWN or len(self._open) > DEEPEST:
            return
        given = {name: value or "" for name, value in attrs}
        node: dict[str, Any] = {"tag": tag, "children": []}
        aligned = _ALIGNED.search(given.get("style", ""))
        if aligned or given.get("align") in ("left", "right", "center"):
            node["align"] = aligned[1] if aligned else given["align"]
        if tag in ("td", "th"):
            node["span"] = int(given["colspan"]) if given.get("colspan", "").isdecimal() else 1
        if given.get("href", "").startswith(("https://", "http://", "mailto:")):
            node["url"] = given["href"]
        if tag == "img" and not self._is_drawn(node, given):
            return
        self._open[-1]["children"].append(node)
        if tag not in _EMPTY:
            self._open.append(node)

    def _is_drawn(self, node: dict[str, Any], given: dict[str, str]) -> bool:
        """Keeps a picture that stands in the text itself; others are reached by nobody."""
        found = _PICTURE.fullmatch(given.get("src", ""))
        if found is None or len(self.pictures) >= _MOST_PICTURES:
            return False
        node["file"] = f"picture-{len(self.pictures)}.{found[1]}"
        node["width"] = int(given["width"]) if given.get("width", "").isdecimal() else 0
        try:
            self.pictures[node["file"]] = base64.b64decode(found[2], validate=True)
        except ValueError:
            return False
        return True

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place]["tag"] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        kept = any(node["tag"] == "pre" for node in self._open)
        text = data if kept else _SPACES.sub(" ", data)
        if text:
            self._open[-1]["children"].append(text)


def nodes_of(html: str) -> tuple[list[Any], dict[str, bytes]]:
    """The content of a page, as texts and nodes with ``tag`` and ``children``, and the pictures in it by file."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    children: list[Any] = reader.root["children"]
    return children, reader.pictures
