"""Messages to people, and calls until someone answers.

Verbs: `send` writes messages in the sender's transaction (other rooms call `notify.send` by name),
`start` begins a call cascade (`notify.cascade`); `acknowledge` ends one. `check` looks at the
providers for `vigie doctor`.
Never: an address in a list, a log or the journal; a provider called inside a transaction.
"""

from vigie.notify.cascades import acknowledge, start
from vigie.notify.check import check
from vigie.notify.model import CallStep, NewCascade, OnCall, Send, Sent, Started, To, WhoIsOnCall
from vigie.notify.service import send

__all__ = [
    "CallStep",
    "NewCascade",
    "OnCall",
    "Send",
    "Sent",
    "Started",
    "To",
    "WhoIsOnCall",
    "acknowledge",
    "check",
    "send",
    "start",
]
