"""The key that signs the journal's heads, kept outside the database, and the exported heads.

`var/secrets/journal.key` signs; `var/journal-key.pem` checks; `var/journal-heads.jsonl` has one
line a block. Copy the last two to another machine: they prove the journal without trusting this
one.
"""

import base64
import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from vigie.core.engines.secrets import read, write
from vigie.core.errors import SetupError

PUBLIC = "journal-key.pem"
HEADS = "journal-heads.jsonl"


class Head(msgspec.Struct, frozen=True):
    """The last word on one block, as exported."""

    block: int
    last: int
    digest: str
    sealed: datetime
    key: str
    signature: str


class Key:
    """What signs."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key()
        self.id = fingerprint(self.public)

    def sign(self, digest: bytes) -> bytes:
        """64 bytes of Ed25519."""
        return self._private.sign(digest)


def signing_key(root: Path) -> Key:
    """The key of this installation, made once; its public half is exported beside the heads."""
    path = root / "secrets" / "journal.key"
    if not path.exists():
        if (root / HEADS).exists():
            raise SetupError(
                f"{path} is missing though the journal was sealed with it: restore it from your "
                "backup of var/secrets."
            )
        made = Ed25519PrivateKey.generate()
        write(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private = load_pem_private_key(read(path), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise SetupError(f"{path} is not an Ed25519 key: restore it from your backup.")
    key = Key(private)
    exported = root / PUBLIC
    if not exported.exists():
        write(exported, key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return key


def public_key(root: Path) -> Ed25519PublicKey | None:
    """The exported public key; None when nothing was ever sealed here."""
    path = root / PUBLIC
    if not path.exists():
        return None
    key = load_pem_public_key(path.read_bytes())
    return key if isinstance(key, Ed25519PublicKey) else None


def fingerprint(key: Ed25519PublicKey) -> str:
    """A short name of a key."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def signed_by(key: Ed25519PublicKey, signature: bytes, digest: bytes) -> bool:
    """True when this key signed this digest."""
    try:
        key.verify(signature, digest)
    except InvalidSignature:
        return False
    return True


def export(root: Path, heads: list[Head]) -> None:
    """Append heads to the exported file, on disk when this returns; mends a torn last line."""
    path = root / HEADS
    new = not path.exists()
    with path.open("ab+") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        for head in heads:
            file.write(msgspec.json.encode(head) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def exported(root: Path) -> Iterator[Head]:
    """The exported heads in order, as of the first one asked for: a sealer may go on writing.

    A torn line (a power cut while writing) is passed over."""
    path = root / HEADS
    if not path.exists():
        return
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        for line in file:
            left -= len(line)
            if left < 0:
                return
            try:
                yield msgspec.json.decode(line, type=Head)
            except msgspec.MsgspecError:
                continue


def last_exported(root: Path) -> Head | None:
    """The newest exported head."""
    last: Head | None = None
    for head in exported(root):
        last = head
    return last


def head_of(number: int, last: int, digest: bytes, sealed: datetime, key: str, by: bytes) -> Head:
    """The line of a block."""
    return Head(number, last, digest.hex(), sealed, key, base64.b64encode(by).decode())
