"""The records of a CSV file: delimiter, the line with the column names, and quotes that are wrong.

A quote that is opened and never closed would swallow the lines after it, and give one object the
position of another. Such a line is reported as a fault, and reading goes on with the next line.
"""

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import msgspec

from vigie.core.geofiles.source import clean_text, unreadable

_DELIMITERS = ";,\t|"
_QUOTE = '"'
_SEP = re.compile(r'"?sep=([^\w\s"]|\t)"?[;,\t|]*', re.IGNORECASE)
_MAX_COLUMNS = 2000
# Longest line, most lines of one record, most broken lines before the file is given up: reading a
# broken quote looks at the lines that follow, once more for each.
_MAX_LINE = 10_000_000
_MAX_RECORD_LINES = 200
_MAX_STRAY = 1000
_HEADER_WITHIN = 10


class Record(msgspec.Struct, frozen=True):
    """Cells as written. `line` is the last line of the record; `fault` says why it is unusable."""

    line: int
    cells: list[str]
    fault: str = ""


class CsvRecords:
    """The records of a UTF-8 file.

    `is_header` recognises the line of column names, so that title lines above it can be skipped.
    """

    def __init__(self, path: Path, shown: str, is_header: Callable[[list[str]], bool]) -> None:
        self.notes: list[str] = []
        self._path, self._shown = path, shown
        self._width = 0
        self._skip = 0
        self.delimiter = self._find_delimiter()
        self._cell = re.compile(rf' *"(?:[^"]|"")*" *(?={re.escape(self.delimiter)}|$)')
        self.names, self._header_line = self._find_header(is_header)
        self._width = len(self.names)

    def rows(self) -> Iterator[Record]:
        """All records after the column names, blank ones aside."""
        return (r for r in self._records() if r.line > self._header_line)

    def _records(self) -> Iterator[Record]:
        with self._open() as file:
            lines = _Lines(file, self._shown)
            for _ in range(self._skip):
                lines.read()
            stray = 0
            while line := lines.read():
                if _QUOTE in line:
                    cells, used = self._quoted(lines, line)
                    if cells is None:
                        stray += 1
                        if stray > _MAX_STRAY:
                            raise unreadable(
                                self._shown,
                                f"line {lines.number}: a quote is opened and not closed, as on "
                                f"{_MAX_STRAY} lines before",
                            )
                        lines.put_back(used[1:])
                        yield Record(lines.number, [], "stray_quote")
                        continue
                else:
                    cells = line.rstrip("\r\n").split(self.delimiter)
                if any(cells) and not (len(cells) == 1 and not cells[0].strip()):
                    yield Record(lines.number, self._trimmed(cells))

    def _trimmed(self, cells: list[str]) -> list[str]:
        """Without empty cells beyond the columns: many exports end each row with a delimiter."""
        if self._width and len(cells) > self._width:
            extra = cells[self._width :]
            if not any(cell.strip() for cell in extra):
                return cells[: self._width]
        return cells

    def _quoted(self, lines: "_Lines", line: str) -> tuple[list[str] | None, list[str]]:
        """The cells of a record with quotes and the lines it takes; None when a quote is stray."""
        used = [line]
        cells = self._parse(lines, used)
        if cells is None and len(used) == 1 and (tidy := self._tidied(line)) != line:
            used = [tidy]
            cells = self._parse(lines, used)
        if cells is not None and self._is_swallowed(used, cells):
            cells = None
        return cells, used

    def _parse(self, lines: "_Lines", used: list[str]) -> list[str] | None:
        """Parses strictly from the first of `used`, to which it adds the lines it needs."""

        def source() -> Iterator[str]:
            yield used[0]
            while len(used) < _MAX_RECORD_LINES and (line := lines.read()):
                used.append(line)
                yield line

        reader = csv.reader(source(), delimiter=self.delimiter, strict=True, skipinitialspace=True)
        try:
            return next(reader)
        except csv.Error as error:
            if "limit" in str(error):
                raise unreadable(self._shown, f"line {lines.number}: {error}") from error
            return None

    def _tidied(self, line: str) -> str:
        """Without the spaces between a closing quote and the delimiter."""
        return re.sub(rf'"[ \u00a0]+(?={re.escape(self.delimiter)}|\r?\n?$)', _QUOTE, line)

    def _is_swallowed(self, used: Sequence[str], cells: Sequence[str]) -> bool:
        """True when a quote took in cells of its own line, or whole other lines.

        With the columns `ref;name;lon;lat`, the record

            q1;"Pole 3;5.04;47.32
            q2;Pole 4";5.05;47.33

        is well formed and puts q1 at q2's position. Each of its lines by itself, the open quote
        taken as any other character, has as many cells as there are columns: two lights.
        """
        if self._width < 2:
            return False
        if len(used) == 1:
            return len(cells) < self._width <= used[0].count(self.delimiter) + 1
        first, *others = (self._width_alone(line) for line in used)
        return first >= self._width and (len(cells) < self._width or self._width in others)

    def _width_alone(self, line: str) -> int:
        """How many cells a line has by itself: a quote that is not closed on it is no quote."""
        text = line.rstrip("\r\n ")
        width, at = 1, 0
        while True:
            if quoted := self._cell.match(text, at):
                at = quoted.end()
            at = text.find(self.delimiter, at)
            if at < 0:
                break
            width, at = width + 1, at + 1
        return width - 1 if width > self._width and text.endswith(self.delimiter) else width

    def _find_delimiter(self) -> str:
        with self._open() as file:
            lines = _Lines(file, self._shown)
            first = lines.read()
            # What Excel writes for itself to say which delimiter follows.
            if declared := _SEP.fullmatch(first.strip("\ufeff\r\n ")):
                self._skip = 1
                return declared.group(1)
            sample = [line for line in (first, *(lines.read() for _ in range(19))) if line.strip()]
        if not sample:
            raise unreadable(self._shown, "it is empty")
        widths = {d: [_width(line, d) for line in sample] for d in _DELIMITERS}

        def score(delimiter: str) -> tuple[int, int]:
            found = Counter(w for w in widths[delimiter] if w > 1)
            if not found:
                return (0, 0)
            usual = max(found, key=lambda w: (found[w], w))
            # One less: rows that end with a delimiter have a cell more than there are names.
            near = sum(w in (usual, usual - 1) and w > 1 for w in widths[delimiter])
            return (near, usual)

        return max(_DELIMITERS, key=score)

    def _find_header(self, is_header: Callable[[list[str]], bool]) -> tuple[list[str], int]:
        first: list[tuple[int, list[str]]] = []
        for record in self._records():
            if record.fault:
                if not first:
                    raise unreadable(
                        self._shown, f"line {record.line}: a quote is opened and not closed"
                    )
                break
            first.append((record.line, [clean_text(c.lstrip("\ufeff")) for c in record.cells]))
            if len(first) >= _HEADER_WITHIN:
                break
        if not first:
            raise unreadable(self._shown, "it is empty; a first line with column names is needed")
        chosen = next((i for i, (_, names) in enumerate(first) if is_header(names)), None)
        if chosen is None:
            chosen = next((i for i, (_, names) in enumerate(first) if _filled(names) > 1), 0)
        line, names = first[chosen]
        if chosen and (
            any(_filled(title) >= _filled(names) for _, title in first[:chosen])
            or any(name and not _is_name(name) for name in names)
        ):
            line, names = first[0]
            raise unreadable(
                self._shown,
                f"line {line} ({' '.join(n for n in names if n)[:80]!r}) does not look like "
                "column names: remove what stands above the line that holds them",
            )
        if chosen:
            shown = ", ".join(str(number) for number, _ in first[:chosen])
            self.notes.append(
                f"Line {shown} is taken for a title; the names of the columns are on line {line}."
            )
        if len(names) > _MAX_COLUMNS:
            raise unreadable(self._shown, f"it has more than {_MAX_COLUMNS} columns")
        return names, line

    def _open(self) -> TextIO:
        return self._path.open(encoding="utf-8", errors="surrogateescape", newline="")


class _Lines:
    """The lines of a text, of bounded length; some can be put back."""

    def __init__(self, file: TextIO, shown: str) -> None:
        self._file, self._shown = file, shown
        self._back: deque[str] = deque()
        self.number = 0

    def read(self) -> str:
        """The next line with its end; "" when there is none."""
        line = self._back.popleft() if self._back else self._file.readline(_MAX_LINE)
        if line:
            self.number += 1
        if len(line) >= _MAX_LINE:
            raise unreadable(
                self._shown, f"line {self.number} is over {_MAX_LINE:,} characters long"
            )
        return line

    def put_back(self, lines: Sequence[str]) -> None:
        """Read these again."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def _width(line: str, delimiter: str) -> int:
    if _QUOTE in line:
        try:
            return len(next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []))
        except csv.Error:
            pass
    return line.count(delimiter) + 1


def _filled(names: Sequence[str]) -> int:
    return sum(bool(name) for name in names)


def _is_name(text: str) -> bool:
    return any(c.isalpha() for c in text)
