"""The room's log (*main courante*): what happened in a shift, in order, and its hand-over.

Verbs: `write` adds an entry (by hand, by an act, by a unit), `correct` one that stands beside the
first, `hand_over` and `take` change the shift. Other rooms call `logbook.write`.
Never: change or delete an entry; decide what an entry asks for.
"""

from vigie.logbook.model import LogEntry, LogShift, ShiftHandOver, WriteEntry
from vigie.logbook.service import hand_over, take, write

__all__ = ["LogEntry", "LogShift", "ShiftHandOver", "WriteEntry", "hand_over", "take", "write"]
