"""Rows as CSV and as a workbook, written as they come: any number, little memory.

A cell never runs: a spreadsheet takes a text that begins with `=`, `+`, `-` or `@` for a formula,
so CSV puts an apostrophe before it, and a workbook holds it as the text that it is. Times are the
city's: with their offset in CSV, as dates of the spreadsheet in a workbook, which knows no offsets.
"""

import asyncio
import contextlib
import csv
import io
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from vigie.core.errors import Fault, TooLarge, wrong_fields

MOST_ROWS = 1_048_575
"""What a sheet of a workbook holds below its header."""

_MOST_TEXT = 1_000_000_000
_LONGEST_CELL = 32_767
_PIECE = 65_536
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Column:
    """One column of a download: its name, its header by language, and what it shows of a row."""

    def __init__(
        self, name: str, value: Callable[[Any], Any] | None = None, **headers: str
    ) -> None:
        self.name = name
        self.headers = headers
        self.value: Callable[[Any], Any] = value or attrgetter(name)


class Sheet:
    """Columns in a language, in a time zone; `wanted` names some of them (`at,title`), in their
    order. Raises Invalid for a column there is not."""

    def __init__(
        self, columns: Sequence[Column], lang: str = "en", wanted: str = "", zone: tzinfo = UTC
    ) -> None:
        self._zone = zone
        self._columns = list(columns)
        if wanted:
            named = {column.name: column for column in columns}
            names = list(dict.fromkeys(name.strip() for name in wanted.split(",")))
            for name in names:
                if name not in named:
                    message = f"there is no {name[:40]!r} here: use {', '.join(named)}"
                    raise wrong_fields(Fault("columns", "unknown_column", message))
            self._columns = [named[name] for name in names]
        self._header = [column.headers.get(lang, column.name) for column in self._columns]

    async def csv(self, pages: AsyncIterator[Sequence[Any]]) -> AsyncGenerator[bytes]:
        """CSV with a header, in UTF-8."""
        yield _lines([self._header])
        async for rows in pages:
            yield _lines([[self._written(value) for value in self._values(row)] for row in rows])

    async def xlsx(
        self, pages: AsyncIterator[Sequence[Any]], folder: Path
    ) -> AsyncGenerator[bytes]:
        """A workbook of one sheet. Raises TooLarge for more rows than one holds."""
        # Loaded by who writes one, not by every process.
        from vigie.core.lists.workbook import Workbook

        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            within = stack.enter_context(tempfile.TemporaryDirectory(dir=folder))
            book = Workbook(Path(within), self._header)
            size = written = 0
            try:
                async for rows in pages:
                    cells = [[self._cell(value) for value in self._values(row)] for row in rows]
                    written += len(cells)
                    size += sum(len(c) for row in cells for c in row if isinstance(c, str))
                    if written > MOST_ROWS or size > _MOST_TEXT:
                        raise TooLarge(
                            "sheet_too_large",
                            f"A sheet holds {MOST_ROWS:,} rows at most: filter the list into "
                            "parts, or take it as CSV.",
                            {"limit": MOST_ROWS},
                        )
                    await asyncio.to_thread(book.append, cells)
                file = stack.enter_context(await asyncio.to_thread(book.finish))
            finally:
                await asyncio.to_thread(book.close)
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece

    def _values(self, row: Any) -> list[Any]:
        return [column.value(row) for column in self._columns]

    def _written(self, value: Any) -> Any:
        """A value in CSV."""
        if value is None:
            return ""
        if isinstance(value, datetime):
            return value.astimezone(self._zone).isoformat(timespec="seconds")
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float | Decimal):
            return value
        text = _text(value)
        return "'" + text if text.startswith(_FORMULA) else text

    def _cell(self, value: Any) -> Any:
        """A value in a workbook: a number, a time, a truth, or text."""
        if isinstance(value, datetime):
            return value.astimezone(self._zone).replace(tzinfo=None)
        if value is None or isinstance(value, bool | date):
            return value
        if isinstance(value, int | float | Decimal):
            # Whole numbers beyond 2^53 lose their last digits in a spreadsheet.
            return value if abs(value) < 2**53 else str(value)
        text = _text(value)
        return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return msgspec.json.encode(value).decode()


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
