"""The playground: a fictional centre on this machine, with its post office, that anybody can try and watch.

`mailhub play` opens a page in the browser; `mailhub play --once` tells a checked story in the terminal. Everything in
between is the product itself: `mailhub serve` on an ordinary home, real SMTP in and out, no special case.
"""

from mailhub.play.performance import run

__all__ = ["run"]
