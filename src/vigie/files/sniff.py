"""What a file is, by its bytes; its name and the sender's claim only choose among texts."""

import zipfile
from pathlib import Path

import filetype

from vigie.core.errors import Invalid
from vigie.files import rules

_HEAD = 65_536
# The directory of an archive is read whole: this much of it, and no more.
_MOST_DIRECTORY = 4_000_000
_MOST_ENTRIES = 20_000
_SAME = {
    "image/heif": "image/heic",
    "image/heic-sequence": "image/heic",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/wav": "audio/x-wav",
    "video/x-m4v": "video/mp4",
    "video/x-matroska": "video/x-matroska",
}


def sniff(path: Path, name: str) -> str:
    """The media type of a file, by reading it. Blocks. Raises Invalid for what is not taken."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise Invalid("file_empty", "The file is empty.")
    guessed = filetype.guess(head)
    if guessed is None:
        return rules.text_type(head, name)
    media_type = _SAME.get(str(guessed.mime), str(guessed.mime))
    if head.startswith(b"PK"):
        return _archive(path)
    if media_type not in rules.TYPES:
        raise rules.refuse_type(media_type)
    return media_type


def _archive(path: Path) -> str:
    damaged = Invalid("file_unreadable", "This archive cannot be read: it is damaged.")
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 66_000))
            tail = file.read()
            at = tail.rfind(b"PK\x05\x06")
            if at < 0 or len(tail) < at + 16:
                raise damaged
            if int.from_bytes(tail[at + 12 : at + 16], "little") > _MOST_DIRECTORY:
                raise Invalid("archive_too_large", "This archive holds too many files.")
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > _MOST_ENTRIES:
                raise Invalid("archive_too_large", "This archive holds too many files.")
            names = archive.namelist()
            mimetype = ""
            if names[:1] == ["mimetype"] and archive.getinfo("mimetype").file_size < 200:
                mimetype = archive.read("mimetype").decode("ascii", "replace")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise damaged from error
    return rules.zip_type(names, mimetype)
