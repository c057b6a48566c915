"""Answering a call by the link in its message: open to anyone who holds the link, and to nobody
else. Reading the page answers nothing, since mail scanners and previews read it too."""

import ipaddress
import time
from collections import OrderedDict
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response
from litestar.params import Parameter
from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.errors import Conflict
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING
from vigie.core.verbs import within
from vigie.core.web import PUBLIC, get, post
from vigie.notify import acknowledging, cascades
from vigie.notify.page import page

# In the query: the path is logged.
Token = Annotated[str, Parameter(max_length=64, description="From the link in the message.")]
A_MINUTE = 20


class Limiter:
    """At most so many tries a minute from one network, in this process; it forgets the oldest."""

    def __init__(self, a_minute: int = A_MINUTE, networks: int = 10_000) -> None:
        self._a_minute = a_minute
        self._networks = networks
        self._tries: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Count a try; False when there were too many."""
        now, key = time.monotonic(), _network(address)
        since, tries = self._tries.pop(key, (now, 0))
        if now - since > 60:
            since, tries = now, 0
        self._tries[key] = (since, tries + 1)
        if len(self._tries) > self._networks:
            self._tries.popitem(last=False)
        return tries < self._a_minute


_LIMITER = Limiter()


@get("/notify/acknowledge", permission=PUBLIC, media_type="text/html", include_in_schema=False)
async def ask_acknowledge(
    unit: Unit, runtime: Runtime, request: Request[Any, Any, Any], token: Token
) -> Response[str]:
    """The page behind the link in a call: it asks, and changes nothing."""
    if not _LIMITER.allows(request.client.host if request.client else ""):
        return page("busy", status=429)
    async with within(unit, EVERYTHING):
        call = await _call(unit, runtime, token)
        if call is None:
            return page("unknown", status=404)
        if call.state == "acknowledged":
            return page("taken", call.language, call.subject, name=call.acknowledged_by or "?")
        if call.state == "cancelled":
            return page("ended", call.language, call.subject)
        return page("ask", call.language, call.subject, token=token)


@post("/notify/acknowledge", permission=PUBLIC, media_type="text/html", include_in_schema=False)
async def do_acknowledge(
    unit: Unit, runtime: Runtime, request: Request[Any, Any, Any], token: Token
) -> Response[str]:
    """Answer the call: nobody else is called. The first answer counts."""
    if not _LIMITER.allows(request.client.host if request.client else ""):
        return page("busy", status=429)
    async with within(unit, EVERYTHING):
        call = await _call(unit, runtime, token)
        if call is None:
            return page("unknown", status=404)
        try:
            answered = await cascades.acknowledge(unit, call.cascade, call.contact, by_link=True)
        except Conflict:
            return page("ended", call.language, call.subject)
        if call.state == "acknowledged":
            return page("taken", call.language, call.subject, name=answered.acknowledged_by or "?")
        return page("done", call.language, call.subject)


async def _call(unit: Unit, runtime: Runtime, token: str) -> Any:
    """What a link is about; None when it is not ours."""
    message: UUID | None = acknowledging.read(runtime.settings, token)
    found = await unit.execute(
        text(
            """
            select m.cascade, m.contact, m.language, m.subject, d.state, c.name as acknowledged_by
            from notify.message m
            join notify.cascade d on d.id = m.cascade
            left join notify.contact c on c.id = d.acknowledged_by
            where m.id = :id
            """
        ),
        {"id": message},
    )
    return found.one_or_none()


def _network(address: str) -> str:
    """An IPv6 customer holds a /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
    return address


ROUTES = [ask_acknowledge, do_acknowledge]
