"""The composition root: settings in, a working house out; and `serve`, which runs it until it is told to stop.

Every part is built here and handed exactly what it needs; no hub object travels.
"""

from mailhub.app.house import House, build
from mailhub.app.parts import calendar, signer
from mailhub.app.serving import SWITCH_SECONDS, serve, tick

__all__ = ["SWITCH_SECONDS", "House", "build", "calendar", "serve", "signer", "tick"]
