"""Texts that other programs keep as HTML, as the plain text that they show."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_TAGS = (
    "p|br|div|span|b|strong|i|em|u|s|font|a|img|ul|ol|li|h[1-6]|table|tbody|thead|tr|td|th|blockquote|pre|hr"
    "|html|body|head|style|script"
)
_MARKED = re.compile(rf"</?({_TAGS})(\s[^<>]*)?/?>", re.IGNORECASE)
_BLOCKS = frozenset(
    ["p", "br", "div", "ul", "ol", "li", "tr", "table", "blockquote", "pre", "hr"]
    + [f"h{number}" for number in range(1, 7)]
)
_SILENT = frozenset(["script", "style", "head"])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        self.parts.append("\n• " if tag == "li" else "\n" if tag in _BLOCKS else " " if tag == "td" else "")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        self.parts.append("\n" if tag in _BLOCKS - {"br", "li"} else "")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(re.sub(r"\s+", " ", data))


def plain_text(text: str) -> str:
    """The text without its tags; as it is where it has none."""
    if _MARKED.search(text) is None:
        return text
    reader = _Reader()
    reader.feed(text)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
