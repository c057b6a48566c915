"""The journal: what people, rules and commands did, in order, unchangeable.

Verbs: `record` (or `unit.record`) writes an act in the transaction of what it tells of.
Never: update or delete an entry; erase with the personal verbs, retire whole sealed months.
"""

from vigie.core.journal.model import Change, Entry, Personal, Reaction
from vigie.core.journal.service import record

__all__ = ["Change", "Entry", "Personal", "Reaction", "record"]
