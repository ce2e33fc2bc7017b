"""Publications and circles, one file of `lists/` each: read, checked, frozen.

Everything wrong in every file is said at once, with a suggestion where a word is nearly right. This room knows what a
file may say; what a cadence means is known above, so whoever loads lists hands in the function that reads one.
"""

from mailhub.lists.folder import Lists, examine, load
from mailhub.lists.problem import Problem
from mailhub.lists.publication import (
    CadenceReader,
    Channel,
    Circle,
    Consent,
    Content,
    Publication,
    Schedule,
    Section,
    Shift,
)

__all__ = [
    "CadenceReader",
    "Channel",
    "Circle",
    "Consent",
    "Content",
    "Lists",
    "Problem",
    "Publication",
    "Schedule",
    "Section",
    "Shift",
    "examine",
    "load",
]
