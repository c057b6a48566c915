"""Passwords: argon2id, in two threads, as slow for unknown users as for known ones."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import (
    HashingError,
    InvalidHashError,
    VerificationError,
    VerifyMismatchError,
)

from vigie.core.access.rules import canonical, spellings
from vigie.core.access.turns import Turns
from vigie.core.errors import Unavailable

T = TypeVar("T")

# RFC 9106's second recommendation: 3 passes over 64 MiB.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
# Verified when the user does not exist, so that the answer takes as long.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA"
    "$RdescudvJCsgt3ub+b+dWRWJTmaaJObGRWJTmaaJObE"
)
_AT_ONCE = 2
# Some seconds of work wait at most; one address takes less than half of it, one browser little.
TURNS = Turns(at_once=_AT_ONCE, waiting=40, of_one_stranger=16, of_one_recognised=4)
# Threads of their own: 64 MiB each, also when whoever waited for the answer has gone.
_THREADS = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
_WORDS = "bcdfghjkmnpqrstvwxz", "aeiou"


async def hash_password(password: str) -> str:
    """What is stored of a password. Raises Unavailable when too many wait."""
    async with TURNS.turn(f"hash:{secrets.token_hex(8)}", recognised=True):
        return await derive(password)


async def derive(password: str) -> str:
    """What is stored of a password, for who holds a turn."""
    return await _in_thread(lambda: _HASHER.hash(canonical(password)))


async def verify(stored: str | None, password: str) -> bool:
    """True when it is the password, for who holds a turn; None stands for an unknown user.

    Accepts what was stored as it was typed, before passwords were composed (see `outdated`)."""

    def work() -> bool:
        # Each of them is tried, so that it takes as long for a user who does not exist.
        results = [_verify(stored, form) for form in spellings(password)]
        return any(results)

    return await _in_thread(work)


async def outdated(stored: str, password: str) -> bool:
    """True when the right password was stored with weaker settings than today's, or in another
    spelling than the composed one."""
    if _HASHER.check_needs_rehash(stored):
        return True
    if spellings(password) == [password]:
        return False
    return not await _in_thread(lambda: _verify(stored, canonical(password)))


def random_password() -> str:
    """A password to hand over once: 5 groups a person can read aloud, some 65 bits."""
    return "-".join(
        "".join(secrets.choice(_WORDS[i % 2]) for i in range(4)) + secrets.choice("23456789")
        for _ in range(4)
    )


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREADS, work)
    except (HashingError, VerificationError, MemoryError) as error:
        # No memory for it: not a wrong password.
        raise Unavailable(
            "login_busy", "Passwords cannot be checked at this moment: try again.", retry_after_s=5
        ) from error
