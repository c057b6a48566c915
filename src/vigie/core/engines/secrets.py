"""Secrets of an installation: made once, kept in `var/secrets`, readable by their owner only."""

import os
from pathlib import Path

from vigie.core.errors import SetupError
from vigie.core.ids import secret


def ensure(folder: Path, name: str) -> str:
    """The secret of that name, made when it does not exist yet.

    Raises SetupError when the folder cannot be read or written."""
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        if not path.exists():
            write(path, secret().encode())
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read or made ({error.strerror}): run this as the user whose "
            "installation it is, or set VIGIE_VAR."
        ) from error


def write(path: Path, content: bytes) -> None:
    """Write a file only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
