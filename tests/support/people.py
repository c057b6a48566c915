"""Accounts for tests, created over HTTP by an administrator."""

import secrets

import httpx

from tests.support.centre import json

Account = tuple[str, str]


def new_account(
    admin: httpx.Client,
    role: str = "operator",
    *,
    language: str = "fr",
    municipality: str = "*",
    trade: str = "*",
) -> Account:
    """A person nobody else uses, and the first password, which the first login must change."""
    username = f"{role}-{secrets.token_hex(3)}"
    made = json(
        admin.post(
            "/api/v1/users",
            json={
                "username": username,
                "display_name": username,
                "language": language,
                "grants": [{"role": role, "municipality": municipality, "trade": trade}],
            },
        )
    )
    return username, made["password"]


def session_headers(client: httpx.Client) -> dict[str, str]:
    """What a logged-in client sends, for programs that speak HTTP or WebSocket another way."""
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
    return {"Cookie": cookie, "X-CSRF-Token": client.headers["X-CSRF-Token"]}
