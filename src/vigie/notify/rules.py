"""Decisions on messages, as pure functions: their life, by which channel, and when."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from vigie.core.states import Machine
from vigie.notify.model import Channel

# `take` before the provider is called, `accept` with its word; a message that is taken while it is
# being sent has been tried before, and nobody knows with what result. `refuse` is for good.
MESSAGE = Machine(
    "notify.message",
    """
                take     accept   release  refuse   deliver    cancel
    queued      sending  sent     .        failed   delivered  cancelled
    sending     .        sent     queued   failed   -          -
    sent        -        .        -        failed   delivered  -
    delivered   -        .        -        -        .          -
    failed      sending  sent     -        .        -          cancelled
    cancelled   -        -        -        -        -          .
    """,
)
CASCADE = Machine(
    "notify.cascade",
    """
                  acknowledge   exhaust    cancel
    running       acknowledged  exhausted  cancelled
    exhausted     acknowledged  .          -
    acknowledged  .             -          -
    cancelled     -             -          .
    """,
)
OTHERS = "*"
_BY_DEFAULT: tuple[Channel, ...] = ("push", "mail", "sms", "app")


def choose(
    wanted: Channel | None,
    preferred: Mapping[str, Channel],
    kind: str,
    possible: Collection[Channel],
) -> Channel:
    """The channel of a message: the sender's word, else the person's for this kind or for all
    others, else the first that can reach them.

    A preference that cannot reach them is passed over; what the sender demands is not: that it
    cannot be sent is then said.
    """
    if wanted is not None:
        return wanted
    for channel in (preferred.get(kind), preferred.get(OTHERS), *_BY_DEFAULT):
        if channel is not None and channel in possible:
            return channel
    return "hand"


def after_quiet(
    instant: datetime, quiet_from: time | None, quiet_to: time | None, zone: ZoneInfo
) -> datetime:
    """The instant itself, or the end of the quiet hours (local time) that it lies in."""
    if quiet_from is None or quiet_to is None or quiet_from == quiet_to:
        return instant
    local = instant.astimezone(zone)
    now = local.time()
    if quiet_from < quiet_to:
        quiet, later = quiet_from <= now < quiet_to, False
    else:
        quiet, later = now >= quiet_from or now < quiet_to, now >= quiet_from
    if not quiet:
        return instant
    day = local.date() + timedelta(days=1 if later else 0)
    # Where clocks were set back or forward in between, never before the instant itself.
    return max(datetime.combine(day, quiet_to, zone).astimezone(UTC), instant)


def masked(address: str) -> str:
    """An address as a list may show it: `p…@dijon.fr`, `+33…89`."""
    name, at, domain = address.partition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return f"{address[:3]}…{address[-2:]}" if len(address) > 6 else "…"


def international(number: str, country: str = "33") -> str:
    """A phone number as people write it, as +33612345678; empty for what is none.

    A number that begins with a single 0 is one of the country's own.
    """
    digits = re.sub(r"[ ().\-/]", "", number.strip())
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif digits.startswith("0"):
        digits = f"+{country}{digits[1:]}"
    return digits if re.fullmatch(r"\+[1-9][0-9]{6,14}", digits) else ""
