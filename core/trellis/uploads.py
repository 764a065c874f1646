"""What people send: how large it may be, one number for each kind, and whether a file is what its name says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath

from trellis.errors import RecordInvalid
from trellis.i18n import Text, format_number, translator

_ = translator("trellis")

MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest size of each kind of upload, in MB (``TRELLIS_UPLOAD_LIMITS``, as ``import=64,backup=1024``).

    ``form`` is any form of a page, ``rest`` the body of a REST call; ``import`` a file to import in the browser,
    ``rest_import`` one over REST; ``backup`` a backup to make a workspace of; ``attachment`` a file at a record.
    """

    form: int = 16
    rest: int = 16
    import_: int = 64
    rest_import: int = 2048
    backup: int = 1024
    attachment: int = 25

    @classmethod
    def parse(cls, text: str) -> Limits:
        """The limits that are named, the usual ones for the others. Raises ValueError."""
        known = {one.name.rstrip("_"): one.name for one in fields(cls)}
        given: dict[str, int] = {}
        for part in filter(None, (one.strip() for one in text.split(","))):
            name, _equals, number = part.partition("=")
            if name not in known or not number.isdecimal() or not int(number):
                raise ValueError(f"TRELLIS_UPLOAD_LIMITS: {part!r}; give {'=MB,'.join(known)}=MB")
            given[known[name]] = int(number)
        return cls(**given)


def most(megabytes: int) -> Text:
    """A limit in words."""
    return _("%(number)s MB at most", number=format_number(megabytes))


def too_large(megabytes: int) -> Text:
    """What is said of something larger than a limit."""
    return _("This is too large: %(number)s MB at most", number=format_number(megabytes))


_KINDS: Mapping[bytes, tuple[str, str]] = {
    b"PK\x03\x04": (
        "ZIP, XLSX",
        "zip xls xlsx xlsm xltx docx docm dotx pptx ppsx odt ods odp odg epub vsdx kmz",
    ),
    b"\xd0\xcf\x11\xe0": ("XLS, DOC", "xls xlt doc dot ppt pps msg mpp vsd pub xlsx docx pptx"),
    b"%PDF": ("PDF", "pdf"),
    b"\x89PNG": ("PNG", "png apng"),
    b"\xff\xd8\xff": ("JPEG", "jpg jpeg jpe jfif"),
    b"GIF8": ("GIF", "gif"),
    b"\x1f\x8b": ("GZIP", "gz tgz svgz"),
    b"\x7fELF": ("ELF", ""),
    b"MZ": ("EXE", ""),
}
"""What a file is that begins so, and the ends of names that such files have. Office files with a password are of the older kind."""
_STRICT = frozenset(ending for _kind, endings in _KINDS.values() for ending in endings.split())


def check_content(path: Path, filename: str) -> None:
    """Raises RecordInvalid for a file whose content is of another kind than the end of its name says."""
    ending = PurePosixPath(filename).suffix.lower()
    with path.open("rb") as file:
        start = file.read(8)
    kind, endings = next((found for begin, found in _KINDS.items() if start.startswith(begin)), ("", ""))
    if ending[1:] in endings.split():
        return
    if ending[1:] not in _STRICT and not (kind and b"\x00" in _sample(path)):
        return
    text = _("The name ends in %(ending)s, and the content is something else", ending=ending)
    if kind:
        text = _("The name ends in %(ending)s, and the content is %(kind)s", ending=ending, kind=kind)
    raise RecordInvalid({"file": [text]})


def _sample(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64 * 1024)


def size_text(size: int) -> Text:
    """How large a file of so many bytes is, for people."""
    if size >= MB:
        return _("%(number)s MB", number=format_number(size / MB, 1))
    return _("%(number)s KB", number=format_number(max(1, round(size / 1024))))
