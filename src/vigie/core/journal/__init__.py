"""The journal: what people, rules and commands did, in order, unchangeable.

Verbs: `record` writes an act in the transaction of what it tells of;
`list_entries`, `list_object`, `read_entry`, `read_changes` tell it; `erase_personal` and `retire`
take away what law or age demands; `verify` proves the rest. `services` are the sequencer, the
sealer and the dispatcher of all reactions, for role watch; a handler reads every change of an act
with `changes_of`.
Never: an entry updated or deleted; a handler of `Reaction` that sends anything outside itself
before its transaction is on disk (use `unit.after_commit`, or defer a job).
"""

from vigie.core.journal.model import (
    Actor,
    Change,
    Entry,
    Finding,
    Parked,
    Personal,
    Reaction,
    Report,
)
from vigie.core.journal.parked import dismiss_parked, list_parked, retry_parked
from vigie.core.journal.permissions import PERMISSIONS
from vigie.core.journal.personal import erase_personal
from vigie.core.journal.read import (
    Filter,
    changes_of,
    list_entries,
    list_object,
    read_changes,
    read_entry,
    who_and_why,
)
from vigie.core.journal.retention import retire
from vigie.core.journal.service import record
from vigie.core.journal.services import services
from vigie.core.journal.verify import verify

__all__ = [
    "PERMISSIONS",
    "Actor",
    "Change",
    "Entry",
    "Filter",
    "Finding",
    "Parked",
    "Personal",
    "Reaction",
    "Report",
    "changes_of",
    "dismiss_parked",
    "erase_personal",
    "list_entries",
    "list_object",
    "list_parked",
    "read_changes",
    "read_entry",
    "record",
    "retire",
    "retry_parked",
    "services",
    "verify",
    "who_and_why",
]
