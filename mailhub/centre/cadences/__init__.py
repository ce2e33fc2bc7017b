"""When publications appear: French words a person can check, and the dates and instants they mean.

`parse` reads the words, a `Cadence` finds the days, `slots` and `preview` apply a publication's own hour, zone and
shift. A date is never skipped: what falls on a day nobody works is moved, or stays, but is always there.
"""

from mailhub.centre.cadences.cadence import Cadence
from mailhub.centre.cadences.days import Occasion
from mailhub.centre.cadences.timetable import Row, preview, slots, why_closed
from mailhub.centre.cadences.words import parse

__all__ = ["Cadence", "Occasion", "Row", "parse", "preview", "slots", "why_closed"]
