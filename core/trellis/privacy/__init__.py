"""Personal data: everything kept about a person, given out in one file, and erased."""

from trellis.privacy.erasing import Erasure, Kept, Overwritten, erase, preview
from trellis.privacy.gathering import everything, write_zip
from trellis.privacy.person import Person, is_person, person_of

__all__ = [
    "Erasure",
    "Kept",
    "Overwritten",
    "Person",
    "erase",
    "everything",
    "is_person",
    "person_of",
    "preview",
    "write_zip",
]
