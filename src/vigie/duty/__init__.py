"""Duty: teams, what they are on call for, who is when, and hand-overs.

Verbs say who is on call at any instant, past ones included, and change the rota from now on; of
the past it never says anything else. Never: reach people (notify does), know why someone is away.
"""

from vigie.duty.days import provide_days
from vigie.duty.model import HandedOver, HandOver, OnCall, OnCallAt
from vigie.duty.permissions import PERMISSIONS
from vigie.duty.rota import hand_over, on_call

__all__ = [
    "PERMISSIONS",
    "HandOver",
    "HandedOver",
    "OnCall",
    "OnCallAt",
    "hand_over",
    "on_call",
    "provide_days",
]
