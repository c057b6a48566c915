"""SMS by whatever HTTP gateway: address, headers, body and the sign of success are settings."""

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import httpx

from vigie.core.settings import Settings
from vigie.notify.channels.failures import NotSent, Refused

if TYPE_CHECKING:
    from vigie.notify.channels import Outgoing

TIMEOUT_S = 15.0
MOST_ANSWER = 64_000
_HOLE = re.compile(r"\{(to|text|id|secret)\}")


async def send(settings: Settings, out: "Outgoing") -> str:
    """Hand an SMS to the gateway; the number that it gives it."""
    if not settings.sms_url:
        raise Refused("sms_not_configured", "set VIGIE_SMS_URL")
    request = compose(settings, out)
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer = await client.send(request, stream=True)
            try:
                said = await _read(answer)
            finally:
                await answer.aclose()
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise NotSent("sms_gateway_unreachable", repr(error)) from error
    if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
        raise NotSent("sms_deferred", f"{answer.status_code} {said[:200]}")
    if not answer.is_success:
        raise Refused("sms_refused", f"{answer.status_code} {said[:200]}")
    if not settings.sms_success:
        return ""
    found = re.search(settings.sms_success, said)
    if found is None:
        raise Refused("sms_refused", said[:200])
    return found.groupdict().get("id") or ""


def compose(settings: Settings, out: "Outgoing") -> httpx.Request:
    """The request: each hole is filled in the way of where it stands, so that no text can break
    out of it. The same message has the same Idempotency-Key."""
    text = f"{out.short} {out.link}" if out.link else out.short
    values = {"to": out.to, "text": text, "id": str(out.id), "secret": settings.sms_secret}
    headers: dict[str, str] = {"Idempotency-Key": str(out.id)}
    for line in settings.sms_headers.split("|"):
        name, colon, value = line.partition(":")
        if colon and name.strip():
            headers[name.strip()] = _filled(value.strip(), values, "header")
    kind = next((v for k, v in headers.items() if k.lower() == "content-type"), "")
    way = "json" if "json" in kind else "form" if "form" in kind else "plain"
    body = _filled(settings.sms_body, values, way) if settings.sms_method != "GET" else ""
    return httpx.Request(
        settings.sms_method,
        _filled(settings.sms_url, values, "url"),
        headers=headers,
        content=body.encode(),
    )


def _filled(template: str, values: dict[str, str], way: str) -> str:
    def fill(match: re.Match[str]) -> str:
        value = values[match.group(1)]
        if way == "json":
            return json.dumps(value, ensure_ascii=False)[1:-1]
        if way == "form":
            return quote_plus(value)
        if way == "url":
            return quote(value, safe="")
        if way == "header":
            return " ".join(value.split()).encode("ascii", "ignore").decode()
        return value

    return _HOLE.sub(fill, template)


async def _read(answer: httpx.Response) -> str:
    """The answer's beginning: a gateway that never ends its answer costs a bounded amount."""
    found = b""
    async for part in answer.aiter_bytes():
        found += part
        if len(found) > MOST_ANSWER:
            break
    return found[:MOST_ANSWER].decode("utf-8", "replace")
