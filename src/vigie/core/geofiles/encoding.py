"""In which encoding a text was written, from its bytes, and which bytes belong to none.

UTF-8 when it is, or is but for a few bytes; else cp1252, unless its letters make more sense in an
older encoding: then a person has to say so. Bytes that cannot be read become lone surrogates
(`surrogateescape`), so that a row that holds one can be refused by line.
"""

import codecs
import re
from pathlib import Path

import msgspec
import numpy as np

from vigie.core.errors import Invalid

_CHUNK = 1 << 20
_BAD = re.compile("[\udc80-\udcff]")
_UNDEFINED_CP1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What Western European text holds beyond ASCII. A one-byte encoding is judged by how much of it
# comes out; anything else counts against it.
_USUAL = frozenset("éèêëàâäçîïôöùûüÿœæñáíóúìòãõåøßÉÈÊËÀÂÄÇÎÏÔÖÙÛÜŒÆÑÁÍÓÚÅØ’‘“”«»°–—…€²³·\u00a0")
_ONE_BYTE = ("cp1252", "iso-8859-15", "cp850", "mac-roman")


class Detected(msgspec.Struct, frozen=True):
    """An encoding, and what a person should know about how it was found."""

    encoding: str
    notes: tuple[str, ...] = ()


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


class _Tally:
    """What the bytes of a text are when read as UTF-8: characters that are whole, bytes that are
    not, and the line of the first of those."""

    def __init__(self) -> None:
        self.good = self.bad = self.first_line = 0
        self.counts = np.zeros(256, dtype=np.int64)
        self._lines = 1
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def add(self, chunk: bytes, *, final: bool = False) -> None:
        text = self._decoder.decode(chunk, final)
        if not chunk.isascii():
            self.counts += np.bincount(np.frombuffer(chunk, dtype=np.uint8), minlength=256)
        elif b"\0" in chunk:
            self.counts[0] += 1
        if not text.isascii():
            bad = len(text) - len(_BAD.sub("", text))
            if bad and not self.bad and (found := _BAD.search(text)):
                self.first_line = self._lines + text.count("\n", 0, found.start())
            self.bad += bad
            self.good += len(text) - len(text.encode("ascii", "ignore")) - bad
        self._lines += text.count("\n")


def detect(path: Path) -> Detected:
    """The encoding of a text file, read whole. Raises Invalid when a person has to name it."""
    tally = _Tally()
    with path.open("rb") as file:
        head = file.read(4096)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return Detected(name)
        if wide := _utf16(head):
            return Detected(wide, (f"The text is read as {wide}, as its zero bytes suggest.",))
        tally.add(head)
        while chunk := file.read(_CHUNK):
            tally.add(chunk)
        tally.add(b"", final=True)
    return _judge(tally, path.name)


def named(path: Path, encoding: str) -> Detected:
    """The encoding that a person names, with a note where the text is plainly UTF-8 instead."""
    name = known(encoding)
    if name in {"utf-8", "utf-8-sig", "ascii"} or name.startswith(("utf-16", "utf-32")):
        return Detected(name)
    tally = _Tally()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            tally.add(chunk)
    tally.add(b"", final=True)
    if tally.good and not tally.bad:
        return Detected(
            name, (f"The text is read as {name} as asked, and is valid UTF-8: are accents right?",)
        )
    return Detected(name)


def _judge(tally: _Tally, name: str) -> Detected:
    if not tally.bad:
        return Detected("utf-8")
    if tally.good >= tally.bad:
        note = (
            f"The text is UTF-8 but for bytes of another encoding ({tally.bad}, the first on line "
            f"{tally.first_line}): rows whose text holds one are refused."
        )
        return Detected("utf-8", (note,))
    if tally.good * 20 > tally.bad:
        raise Invalid(
            "file_encoding_unclear",
            f"{name} mixes UTF-8 with another encoding, first on line {tally.first_line}: write "
            "it in one encoding, or name the one to read it in with --encoding.",
            {"file": name, "line": tally.first_line},
        )
    likely = likeliest(tally.counts)
    if likely != "cp1252":
        raise Invalid(
            "file_encoding_unclear",
            f"The text of {name} is not UTF-8, and its accents look like {likely}: run again with "
            f"--encoding {likely}, or with another one (cp1252, cp850, iso-8859-15 …).",
            {"file": name, "guess": likely},
        )
    if tally.counts[0] or any(tally.counts[byte] for byte in _UNDEFINED_CP1252):
        raise Invalid(
            "file_encoding_unclear",
            f"The text of {name} is neither UTF-8 nor cp1252: name its encoding with "
            "--encoding (cp850, iso-8859-15, utf-16 …).",
            {"file": name},
        )
    return Detected("cp1252", (assumed("is not UTF-8"),))


def assumed(why: str) -> str:
    """That cp1252 is a guess."""
    return f"The text {why}; it is read as cp1252. If accents are wrong, say --encoding."


def likeliest(counts: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> str:
    """The one-byte encoding in which bytes (how often each occurs) give the most usual letters;
    cp1252 unless another one is clearly better."""
    high = int(counts[128:].sum())

    def usual(encoding: str) -> int:
        letters = bytes(range(128, 256)).decode(encoding, "replace")
        return sum(
            int(n) for letter, n in zip(letters, counts[128:], strict=True) if letter in _USUAL
        )

    scores = {encoding: usual(encoding) for encoding in _ONE_BYTE}
    best = max(_ONE_BYTE, key=scores.__getitem__)
    return best if scores[best] - scores["cp1252"] > high / 10 else "cp1252"


def _utf16(head: bytes) -> str:
    """UTF-16 without a mark: every other byte is nearly always zero."""
    half = len(head) // 2
    if half < 4:
        return ""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * half and odd < 0.1 * half else ""


def detect_bytes(data: bytes, declared: str) -> Detected:
    """The encoding of fixed-width text such as a .dbf, whose fields may cut a character in two.

    UTF-8 when its sequences of several bytes are nearly all whole; otherwise the declared
    one-byte encoding, or the likeliest.
    """
    high = sum(1 for b in data if b >= 0x80) if not data.isascii() else 0
    if not high:
        return Detected("utf-8")
    replaced = data.decode("utf-8", errors="replace").count("\ufffd")
    if replaced * 20 < high:
        return Detected("utf-8")
    if declared and declared not in {"utf-8", "ascii"}:
        return Detected(declared)
    likely = likeliest(np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=256))
    why = "declares UTF-8 and is not" if declared else "is not UTF-8 and declares nothing"
    if likely != "cp1252":
        hint = f"The text {why}; its accents look like {likely}: say --encoding {likely} if so."
        return Detected("cp1252", (hint,))
    return Detected("cp1252", (assumed(why),))


def decode(raw: bytes, encoding: str) -> str:
    """The text of a fixed-width field: without the half of a character that the width cut."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8" and error.reason == "unexpected end of data":
            raw = raw[: error.start]
    return raw.decode(encoding, "surrogateescape")


def bad_byte(text: str) -> str:
    """What is wrong with a text that holds a byte of no character; "" when none does."""
    found = _BAD.search(text)
    if found is None:
        return ""
    around = text[max(0, found.start() - 20) : found.start() + 20]
    shown = around.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return f"byte 0x{ord(found.group()) - 0xDC00:02X} in '{shown}'"


def as_utf8(path: Path, encoding: str, into: Path) -> Path:
    """The file itself when it is UTF-8 already, else a copy that is."""
    if encoding in {"utf-8", "ascii"}:
        return path
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors=errors)
    with (
        path.open("rb") as source,
        into.open("w", encoding="utf-8", errors="surrogateescape", newline="") as target,
    ):
        while chunk := source.read(_CHUNK):
            target.write(decoder.decode(chunk))
        target.write(decoder.decode(b"", final=True))
    return into
