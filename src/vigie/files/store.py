"""Content on disk, named by its SHA-256: var/files/ab/cd/abcd….

Written to a temporary file, synced, renamed, its folders synced; the row comes after. A process
that dies leaves a temporary file, or content that no row names: the sweep takes both.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from vigie.core.ids import token


class Store:
    """The folder of one installation's content. Its methods block: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._temporary = folder / "tmp"

    def path(self, sha256: str) -> Path:
        """Where content is, or would be."""
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def workspace(self) -> Path:
        """A new folder for one upload; the sweep removes those that are left behind."""
        made = self._temporary / token(length=20)
        made.mkdir(parents=True, mode=0o700)
        return made

    def place(self, path: Path, sha256: str) -> None:
        """Move a synced file to its place; content that is there already stays and looks new."""
        target = self.path(sha256)
        size = path.stat().st_size
        with contextlib.suppress(FileNotFoundError):
            if target.stat().st_size == size:
                os.utime(target)
                path.unlink()
                return
        missing = [
            folder for folder in (target.parent, target.parent.parent) if not folder.exists()
        ]
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o400)
        os.utime(path)
        path.replace(target)
        for folder in {target.parent, *(folder.parent for folder in missing)}:
            sync_folder(folder)

    def remove(self, sha256: str) -> None:
        """Remove content; nothing to do is fine."""
        self.path(sha256).unlink(missing_ok=True)

    def free(self) -> int:
        """Bytes left on the disk."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(self.folder).free

    def sweep_workspaces(self, older_than_s: float) -> int:
        """Remove workspaces that nobody wrote to for a while; how many."""
        removed = 0
        for folder in _entries(self._temporary):
            try:
                newest = max(_age_of(path) for path in (folder, *folder.rglob("*")))
            except FileNotFoundError:
                # Its upload ended, or another sweep was here, while we looked.
                continue
            if time.time() - newest > older_than_s:
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        return removed

    def groups(self) -> Iterator[str]:
        """The first two characters of what is stored."""
        return (p.name for p in _entries(self.folder) if len(p.name) == 2)

    def stored(self, group: str, older_than_s: float) -> list[str]:
        """Content of a group that was not touched for a while."""
        edge = time.time() - older_than_s
        return [
            path.name
            for folder in _entries(self.folder / group)
            for path in _entries(folder)
            if _age_of(path) < edge
        ]

    def touched_since(self, sha256: str, seconds: float) -> bool:
        """True when content was placed, or placed again, less than this long ago."""
        return time.time() - _age_of(self.path(sha256)) < seconds


def sync_folder(folder: Path) -> None:
    """A rename is on disk once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _age_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
