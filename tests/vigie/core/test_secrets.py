"""Secrets are their owner's alone; what others could have read or planted is refused."""

import os
import threading
from pathlib import Path

import pytest

from vigie.core.engines.secrets import append_to, ensure, read, write
from vigie.core.errors import SetupError


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = ensure(folder, "one")
    assert ensure(folder, "one") == first
    assert (folder / "one").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in folder.iterdir()] == ["one"]


def test_makers_at_the_same_time_agree(tmp_path: Path) -> None:
    found: list[str] = []
    start = threading.Barrier(8)

    def make() -> None:
        start.wait()
        found.append(ensure(tmp_path / "secrets", "one"))

    makers = [threading.Thread(target=make) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_what_others_can_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    ensure(folder, "one")
    for mode in (0o640, 0o604, 0o660):
        (folder / "one").chmod(mode)
        with pytest.raises(SetupError, match=r"open to others .*chmod 600"):
            ensure(folder, "one")
    (folder / "one").chmod(0o600)
    ensure(folder, "one")


def test_a_planted_link_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    ensure(folder, "one")
    (tmp_path / "theirs").write_text("known")
    (folder / "two").symlink_to(tmp_path / "theirs")
    with pytest.raises(SetupError, match="is a link"):
        ensure(folder, "two")
    (folder / "three").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SetupError, match="is a link"):
        ensure(folder, "three")
    assert not (tmp_path / "nowhere").exists()


def test_writing_follows_no_link_that_waits_for_it(tmp_path: Path) -> None:
    """A file planted under the name of the partial one is neither followed nor reused."""
    theirs = tmp_path / "theirs"
    theirs.write_text("")
    (tmp_path / "x.partial").symlink_to(theirs)
    write(tmp_path / "x", b"secret")
    assert theirs.read_text() == ""
    assert (tmp_path / "x").read_bytes() == b"secret"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "one"
    ensure(path.parent, "one")
    os.chown(path, 12345, 12345)
    with pytest.raises(SetupError, match="belongs to user 12345"):
        read(path)
    os.chown(path.parent, 12345, 12345)
    assert read(path), "root may look at another user's whole installation"


def test_a_log_is_closed_to_others_also_when_it_was_open(tmp_path: Path) -> None:
    log = tmp_path / "log" / "x.log"
    log.parent.mkdir()
    log.write_text("old\n")
    log.chmod(0o644)
    with os.fdopen(append_to(log), "ab") as file:
        file.write(b"new\n")
    assert log.read_text() == "old\nnew\n"
    assert log.stat().st_mode & 0o777 == 0o600
