"""In which encoding a text was written, from its bytes: UTF-8 when it is, else cp1252."""

import codecs
from pathlib import Path

from vigie.core.errors import Invalid

_CHUNK = 1 << 20
_UNDEFINED_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def known(encoding: str) -> str:
    """The Python name of an encoding. Raises Invalid when there is none of that name."""
    try:
        info = codecs.lookup(encoding)
        "é".encode(info.name, errors="replace")
    except (LookupError, TypeError, ValueError) as error:
        raise Invalid(
            "file_encoding_unknown",
            f"There is no text encoding named {encoding!r}; usual ones are utf-8, cp1252, "
            "iso-8859-15, cp850.",
            {"encoding": encoding},
        ) from error
    return info.name


def detect(path: Path) -> str:
    """The encoding of a text file, read whole: utf-8, utf-8-sig, utf-16 or cp1252."""
    with path.open("rb") as file:
        head = file.read(4)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        seen: set[int] = set()
        valid = True
        while chunk := file.read(_CHUNK):
            if valid:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    valid = False
            if not valid:
                seen.update(chunk)
        if valid:
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return "cp1252"
            return "utf-8"
    if seen & _UNDEFINED_CP1252 or 0 in seen:
        raise Invalid(
            "file_encoding_unclear",
            f"The text of {path.name} is neither UTF-8 nor cp1252: name its encoding with "
            "--encoding (cp850, iso-8859-15, utf-16 …).",
            {"file": path.name},
        )
    return "cp1252"


def detect_bytes(data: bytes, declared: str) -> str:
    """The encoding of fixed-width text such as a .dbf, whose fields may cut a character in two.

    UTF-8 when its sequences of several bytes are nearly all whole; otherwise the declared
    one-byte encoding, or cp1252.
    """
    high = sum(1 for b in data if b >= 0x80) if not data.isascii() else 0
    if not high:
        return "utf-8"
    replaced = data.decode("utf-8", errors="replace").count("�")
    if replaced * 20 < high:
        return "utf-8"
    if declared and declared not in {"utf-8", "ascii"}:
        return declared
    return "cp1252"


def as_utf8(path: Path, encoding: str, into: Path) -> Path:
    """The file itself when it is UTF-8 already, else a copy that is."""
    if encoding in {"utf-8", "ascii"}:
        return path
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    with path.open("rb") as source, into.open("w", encoding="utf-8", newline="") as target:
        while chunk := source.read(_CHUNK):
            target.write(decoder.decode(chunk))
        target.write(decoder.decode(b"", final=True))
    return into
