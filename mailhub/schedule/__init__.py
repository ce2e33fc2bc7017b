"""Work that a clock starts. APScheduler only ticks; a unique (job, slot) row decides who does the work, and once.

Several processes may tick, a clock may repeat an hour: the row is written in the transaction that does the work, so
a slot is done exactly once or not at all. Retention takes many transactions, each harmless to repeat: it writes its row
with the last.
"""

from mailhub.schedule.issues import Issues
from mailhub.schedule.retention import Retention
from mailhub.schedule.ticks import Scheduler, Tick, take_slot

__all__ = ["Issues", "Retention", "Scheduler", "Tick", "take_slot"]
