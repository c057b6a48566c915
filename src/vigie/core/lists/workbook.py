"""A workbook of one sheet, written row by row to the disk: memory holds one row."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import xlsxwriter  # pyright: ignore[reportMissingTypeStubs]
from xlsxwriter.exceptions import XlsxWriterException  # pyright: ignore[reportMissingTypeStubs]

_EARLIEST = 1900


class Workbook:
    """Made of a header and rows; `finish` gives the file, `close` forgets what is left."""

    def __init__(self, folder: Path, header: Sequence[str]) -> None:
        self._path = folder / "sheet.xlsx"
        self._book: Any = xlsxwriter.Workbook(
            str(self._path),
            {
                "constant_memory": True,
                "tmpdir": str(folder),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": True,
            },
        )
        self._sheet: Any = self._book.add_worksheet()
        self._bold: Any = self._book.add_format({"bold": True})
        self._time: Any = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._day: Any = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._row = 0
        self._open = True
        self._sheet.freeze_panes(1, 0)
        for column, title in enumerate(header):
            self._sheet.write_string(0, column, title, self._bold)

    def append(self, rows: Sequence[Sequence[Any]]) -> None:
        """More rows below."""
        for row in rows:
            self._row += 1
            for column, value in enumerate(row):
                self._write(column, value)

    def finish(self) -> IO[bytes]:
        """The whole file, from its beginning."""
        self._open = False
        self._book.close()
        return self._path.open("rb")

    def close(self) -> None:
        """Let go of what was begun and not finished; its files are the caller's to remove."""
        if self._open:
            self._open = False
            try:
                self._book.close()
            except (OSError, XlsxWriterException):
                return

    def _write(self, column: int, value: Any) -> None:
        sheet, row = self._sheet, self._row
        if value is None:
            return
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, datetime):
            # A spreadsheet's calendar begins in 1900.
            if value.year < _EARLIEST:
                sheet.write_string(row, column, value.isoformat(" "))
            else:
                sheet.write_datetime(row, column, value, self._time)
        elif isinstance(value, date):
            if value.year < _EARLIEST:
                sheet.write_string(row, column, value.isoformat())
            else:
                sheet.write_datetime(row, column, value, self._day)
        elif isinstance(value, str):
            sheet.write_string(row, column, value)
        else:
            sheet.write_number(row, column, value)
