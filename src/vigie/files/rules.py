"""Decisions about files as pure functions: names, types, ranges, how a browser may show them."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from vigie.core.errors import Invalid, VigieError


class FileType(NamedTuple):
    """A type of file that is taken. `image`: it is decoded and written again."""

    media_type: str
    extensions: tuple[str, ...]
    image: bool = False
    inline: bool = False


# What the city needs and browsers cannot run. The first extension is the one a wrong name gets.
TYPES = {
    kind.media_type: kind
    for kind in (
        FileType("image/jpeg", ("jpg", "jpeg", "jfif"), image=True, inline=True),
        FileType("image/png", ("png",), image=True, inline=True),
        FileType("image/webp", ("webp",), image=True, inline=True),
        FileType("image/heic", ("heic", "heif"), image=True),
        FileType("image/avif", ("avif",), image=True),
        FileType("image/gif", ("gif",), image=True),
        FileType("application/pdf", ("pdf",)),
        FileType("audio/mpeg", ("mp3",), inline=True),
        FileType("audio/mp4", ("m4a",), inline=True),
        FileType("audio/ogg", ("ogg", "oga", "opus"), inline=True),
        FileType("audio/x-wav", ("wav",), inline=True),
        FileType("video/mp4", ("mp4", "m4v"), inline=True),
        FileType("video/webm", ("webm",), inline=True),
        FileType("video/x-matroska", ("mkv",)),
        FileType("video/quicktime", ("mov",)),
        FileType("text/plain", ("txt", "log", "md")),
        FileType("text/csv", ("csv",)),
        FileType("application/json", ("json", "geojson")),
        FileType("application/zip", ("zip",)),
        FileType(
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ("docx",)
        ),
        FileType("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ("xlsx",)),
        FileType(
            "application/vnd.openxmlformats-officedocument.presentationml.presentation", ("pptx",)
        ),
        FileType("application/vnd.oasis.opendocument.text", ("odt",)),
        FileType("application/vnd.oasis.opendocument.spreadsheet", ("ods",)),
        FileType("application/vnd.oasis.opendocument.presentation", ("odp",)),
    )
}
# What each kind of image is written as.
WRITTEN = {
    "image/jpeg": "image/jpeg",
    "image/heic": "image/jpeg",
    "image/avif": "image/jpeg",
    "image/png": "image/png",
    "image/gif": "image/png",
    "image/webp": "image/webp",
}
# Text that a browser would run, were it ever served as what it is.
_ACTIVE = re.compile(
    rb"<\s*(?:!doctype\s+html|html|head|body|script|iframe|svg|object|embed|meta|link|style|img"
    rb"|a\s|form|xsl:|\?xml-stylesheet)|<\?(?:xml|php)|^\s*#!|<%",
    re.IGNORECASE,
)
_ZIP_PROGRAM = re.compile(
    r"(?:^|/)(?:vbaProject\.bin|META-INF/MANIFEST\.MF|AndroidManifest\.xml)$", re.IGNORECASE
)
_OFFICE = (
    ("word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
MOST_NAME = 120
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class RangeNotSatisfiable(VigieError):
    """The bytes asked for are outside the file."""

    status = 416
    title = "Range not satisfiable"


def refuse_type(found: str) -> Invalid:
    """The refusal of a type, naming what would be taken."""
    return Invalid(
        "file_type_refused",
        f"Files of this type are not taken ({found}): send a photo, a PDF, an office document, "
        "a text, sound or video.",
        {"type": found},
    )


def clean_name(name: str) -> str:
    """A file's name as it is kept: one line, no folders, no invisible characters.

    >>> clean_name("../../etc/passwd")
    'passwd'
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(
        c for c in last if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029"
    )
    # Windows' own characters too: the name goes into people's folders.
    tidy = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", visible)).strip(" .")
    stem, dot, extension = tidy.rpartition(".")
    if dot and len(extension) <= 12:
        return _cut(stem, MOST_NAME - len(extension) - 1) + "." + extension
    return _cut(tidy, MOST_NAME)


def _cut(stem: str, most: int) -> str:
    return stem[:most].rstrip(" .")


def named(name: str, media_type: str) -> tuple[str, bool]:
    """The name with an extension that tells the truth, and whether it had to be changed."""
    kind = TYPES[media_type]
    tidy = clean_name(name)
    stem, dot, extension = tidy.rpartition(".")
    if dot and stem and extension.lower() in kind.extensions:
        return tidy, False
    if dot and stem and extension.lower() in _EXTENSIONS:
        tidy = stem
    extension = kind.extensions[0]
    stem = _cut(tidy, MOST_NAME - len(extension) - 1) or "file"
    return f"{stem}.{extension}", bool(tidy)


_EXTENSIONS = {e for kind in TYPES.values() for e in kind.extensions}


def text_type(head: bytes, name: str) -> str:
    """The type of bytes that no signature names: plain text, or a refusal.

    `head` may end in the middle of a character. Raises Invalid for what is no text, or a program.
    """
    if b"\0" in head or any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        raise refuse_type("application/octet-stream")
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # Cut in the middle of a character is no fault; older texts are Latin-1, which has no fault.
        if error.start < len(head) - 3 and head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise refuse_type("text/plain; charset=utf-16") from error
    if active := _ACTIVE.search(head):
        found = active.group().strip().decode("latin-1").lower()
        raise refuse_type("text/html" if "svg" not in found else "image/svg+xml")
    extension = name.rpartition(".")[2].lower()
    return {"csv": "text/csv", "json": "application/json", "geojson": "application/json"}.get(
        extension, "text/plain"
    )


def zip_type(names: Iterable[str], mimetype: str) -> str:
    """What an archive really is, by the names in it and by its `mimetype` entry.

    Raises Invalid for programs, and for names that would be written outside the folder in which
    somebody unpacks them.
    """
    seen = list(names)
    for name in seen:
        parts = re.split(r"[/\\]", name)
        if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
            raise Invalid(
                "archive_names",
                f"This archive holds a name that leaves its folder ({name[:80]!r}): pack it again "
                "with plain names.",
                {"name": name[:80]},
            )
        if _ZIP_PROGRAM.search(name):
            raise refuse_type("application/java-archive" if "META" in name else "macros")
    if mimetype in TYPES and mimetype.startswith("application/vnd.oasis"):
        return mimetype
    if "[Content_Types].xml" in seen:
        for folder, media_type in _OFFICE:
            if any(name.startswith(folder) for name in seen):
                return media_type
    return "application/zip"


def disposition(name: str, media_type: str, *, download: bool) -> str:
    """The Content-Disposition: only what a browser shows without running anything is inline."""
    kind = TYPES.get(media_type)
    how = "inline" if kind is not None and kind.inline and not download else "attachment"
    ascii_name = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"{how}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a Range header; None for the whole (also when it asks for several).

    Raises RangeNotSatisfiable when it lies outside.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
        if int(last) == 0:
            start = size
    else:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
        if last and int(last) < start:
            return None
    if start >= size:
        raise RangeNotSatisfiable(
            "range_outside", f"The file has {size} bytes: ask for less.", {"bytes": size}
        )
    return start, end
