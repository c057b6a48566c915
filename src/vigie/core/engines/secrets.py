"""Secrets of an installation: made once, kept in `var/secrets`, readable by their owner only.

A secret that others could have read or planted is refused, never used: the remedy is a person's.
"""

import os
import stat
from pathlib import Path

from vigie.core.errors import SetupError
from vigie.core.ids import secret, token

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def ensure(folder: Path, name: str) -> str:
    """The secret of that name, made when it does not exist yet.

    Raises SetupError when the folder cannot be read or written, or the secret is not private."""
    return ensure_bytes(folder / name, secret().encode()).decode("ascii").strip()


def ensure_bytes(path: Path, new: bytes) -> bytes:
    """What the secret file holds; `new` when it does not exist yet. Of two makers one wins."""
    try:
        private_folder(path.parent)
        if not os.path.lexists(path):
            partial = _write_partial(path, new)
            try:
                os.link(partial, path)
            except FileExistsError:
                pass
            finally:
                partial.unlink()
        return read(path)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read or made ({error.strerror}): run this as the user whose "
            "installation it is, or set VIGIE_VAR."
        ) from error


def read(path: Path) -> bytes:
    """The content of a secret file.

    Raises SetupError when it is a link, another user's, or open to others; OSError otherwise."""
    if path.is_symlink():
        raise SetupError(f"{path} is a link: put the file itself there.")
    with os.fdopen(os.open(path, _READ), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise SetupError(f"{path} is not a file: restore it from your backup of var/secrets.")
        if found.st_uid not in _owners(path.parent):
            raise SetupError(
                f"{path} belongs to user {found.st_uid}, who may know it: restore it from your "
                "backup of var/secrets as the user whose installation it is."
            )
        if found.st_mode & 0o077:
            raise SetupError(
                f"{path} is open to others (mode {stat.S_IMODE(found.st_mode):o}): run "
                f"`chmod 600 {path}`, and replace the secret when others work on this machine."
            )
        return file.read()


def write(path: Path, content: bytes) -> None:
    """Write a file only its owner may read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = _write_partial(path, content)
    try:
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def append_to(path: Path) -> int:
    """A descriptor that appends to a log only its owner may read, an older open one included."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, _APPEND, 0o600)
    if os.fstat(descriptor).st_mode & 0o077:
        os.fchmod(descriptor, 0o600)
    return descriptor


def private_folder(folder: Path) -> None:
    """Make a folder, or close an existing one, so that only its owner sees what is in it.

    Raises SetupError when it is another user's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        raise SetupError(
            f"{folder} belongs to user {found.st_uid}: run this as the user whose installation "
            "it is, or set VIGIE_VAR."
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _owners(folder: Path) -> set[int]:
    """Who may own a secret: we; and for root, who looks at another's installation, its owner."""
    me = os.geteuid()
    return {me} if me else {me, folder.stat().st_uid}


def _write_partial(path: Path, content: bytes) -> Path:
    partial = path.with_name(f".{path.name}.{token(length=10)}.partial")
    with os.fdopen(os.open(partial, _CREATE, 0o600), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            partial.unlink(missing_ok=True)
            raise
    return partial
