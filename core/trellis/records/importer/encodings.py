"""The encoding of a text file: told by its first bytes, UTF-8 where it fits, else the most likely one of its language."""

from __future__ import annotations

import codecs
from pathlib import Path

from trellis.errors import TrellisError
from trellis.i18n import translator

_ = translator("trellis")

CHUNK = 1024 * 1024
WINDOW = 64 * 1024
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LEGACY = ("cp1251", "cp1252", "cp1250")


class ImportFailed(TrellisError):
    """The file cannot be read as what it says it is; nothing of it was imported."""

    status = 422
    code = "import_failed"


def is_text_encoding(name: str) -> bool:
    """Whether Python knows an encoding of texts by this name."""
    try:
        return isinstance("".encode(name), bytes)
    except (LookupError, ValueError):
        return False


def encoding_of(path: Path) -> str:
    """The encoding of a text file, read to its end. Raises ImportFailed where it is no text, or broken UTF-8."""
    with path.open("rb") as file:
        start = file.read(4)
        for mark, encoding in MARKS:
            if start.startswith(mark):
                return encoding
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        line, place = 1, 0
        while True:
            chunk = file.read(CHUNK)
            if b"\x00" in chunk:
                line += chunk[: chunk.index(b"\x00")].count(b"\n")
                raise ImportFailed(_("%(file)s is not a text file: line %(line)s", file=path.name, line=line))
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder may have kept the start of a letter from the chunk before.
                at = max(0, place + error.start - (len(error.object) - len(chunk)))
                return _not_utf8(path, at, line + chunk[: max(0, at - place)].count(b"\n"))
            if not chunk:
                return "utf-8-sig"
            line += chunk.count(b"\n")
            place += len(chunk)


def _not_utf8(path: Path, at: int, line: int) -> str:
    """The encoding of a file whose byte ``at`` is no UTF-8; if all around it is, the file is broken instead."""
    with path.open("rb") as file:
        file.seek(max(0, at - WINDOW))
        sample = file.read(2 * WINDOW)
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if broken * 10 <= sum(letter > "\x7f" for letter in text):
        raise ImportFailed(_("%(file)s, line %(line)s: not valid UTF-8", file=path.name, line=line))
    return _legacy(sample)


def _legacy(sample: bytes) -> str:
    """Which 8-bit encoding it is: Cyrillic, Western or Central European; Western where nothing tells."""
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(LEGACY)).best()
    if best is None or (best.encoding == "cp1250" and not best.coherence):
        try:
            sample.decode("cp1252")
        except UnicodeDecodeError:
            return "latin_1"
        return "cp1252"
    return best.encoding
