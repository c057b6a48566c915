"""Passwords: argon2id, in threads, a few at a time, as slow for unknown users as for known ones."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vigie.core.errors import Unavailable

# RFC 9106's second recommendation: 3 passes over 64 MiB.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
# Verified when the user does not exist, so that the answer takes as long.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA"
    "$RdescudvJCsgt3ub+b+dWRWJTmaaJObGRWJTmaaJObE"
)
_AT_ONCE = 2
_WAIT_S = 10.0
_WORDS = "bcdfghjkmnpqrstvwxz", "aeiou"


class _Turns:
    """A semaphore of the running event loop: 64 MiB a turn, so few of them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._semaphore = asyncio.Semaphore(_AT_ONCE)

    def now(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._semaphore = loop, asyncio.Semaphore(_AT_ONCE)
        return self._semaphore


_turns = _Turns()


async def hash_password(password: str) -> str:
    """What is stored of a password."""
    async with _turns.now():
        return await asyncio.to_thread(_HASHER.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """True when it is the password; None stands for an unknown user.

    Raises Unavailable when too many wait for their turn."""
    turns = _turns.now()
    try:
        async with asyncio.timeout(_WAIT_S):
            await turns.acquire()
    except TimeoutError as error:
        raise Unavailable(
            "login_busy", "Too many people log in at this moment: try again.", retry_after_s=5
        ) from error
    try:
        return await asyncio.to_thread(_verify, stored, password)
    finally:
        turns.release()


def outdated(stored: str) -> bool:
    """True when a password was stored with weaker settings than today's."""
    return _HASHER.check_needs_rehash(stored)


def random_password() -> str:
    """A password to hand over once: 5 groups a person can read aloud, some 65 bits."""
    return "-".join(
        "".join(secrets.choice(_WORDS[i % 2]) for i in range(4)) + secrets.choice("23456789")
        for _ in range(4)
    )


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
