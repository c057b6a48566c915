"""Identifiers: time-ordered ones for acts, random ones for what outsiders may hold."""

import os
import secrets
import time
from uuid import UUID

# Base58 without look-alikes: a token is read aloud in the field now and then.
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def token(prefix: str = "", length: int = 16) -> str:
    """A random topic segment, `[A-Za-z0-9]+` after its prefix: 5.86 bits a character."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def secret() -> str:
    """A credential of 256 random bits, 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def tokens(count: int, length: int = 16) -> list[str]:
    """Many random topic segments at once, each as unguessable as `token`."""
    found: list[str] = []
    while len(found) < count:
        # 232 is the largest multiple of 58 in a byte: what is over it would favour some letters.
        drawn = [b for b in os.urandom((count - len(found)) * length * 5 // 4 + 64) if b < 232]
        letters = "".join([_ALPHABET[b % 58] for b in drawn])
        whole = min(len(letters) // length, count - len(found))
        found += [letters[i * length : (i + 1) * length] for i in range(whole)]
    return found
