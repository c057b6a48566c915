"""What an import did, row by row where it matters."""

from collections.abc import Callable

import msgspec

from vigie.core.geofiles.source import Batch

LISTED = 5_000
Progress = Callable[[int, int | None], None]


class Remark(msgspec.Struct, frozen=True):
    """Something about one row: where, what (a message key), and in words."""

    line: int
    code: str
    detail: str


class ImportReport(msgspec.Struct):
    """Counts, and the first 5,000 refusals and warnings with line and reason.

    `missing` are objects of the same source that the file does not hold: they are left as they are.
    """

    file: str
    what: str
    source: str = ""
    crs: str = ""
    encoding: str = ""
    dry_run: bool = False
    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    missing: int = 0
    seconds: float = 0.0
    notes: list[str] = []
    refusals: list[Remark] = []
    warnings: list[Remark] = []
    refused_by: dict[str, int] = {}
    warned_by: dict[str, int] = {}

    def refuse(self, line: int, code: str, detail: str) -> None:
        """A row that is not imported."""
        self.refused += 1
        self.refused_by[code] = self.refused_by.get(code, 0) + 1
        if len(self.refusals) < LISTED:
            self.refusals.append(Remark(line, code, detail))

    def warn(self, line: int, code: str, detail: str) -> None:
        """A row that is imported, with something to know."""
        self.warned_by[code] = self.warned_by.get(code, 0) + 1
        if len(self.warnings) < LISTED:
            self.warnings.append(Remark(line, code, detail))

    def lines(self) -> list[str]:
        """The report for a terminal."""
        verb = "would be " if self.dry_run else ""
        out = [
            f"{self.file}: {self.read} {self.what} read in {self.seconds:.1f} s "
            f"({self.crs}, {self.encoding})",
            f"  {self.created} {verb}created, {self.changed} {verb}changed, "
            f"{self.unchanged} unchanged, {self.refused} refused",
        ]
        if self.missing:
            out.append(f"  {self.missing} known from this source are not in the file (kept)")
        out += [f"  note: {note}" for note in self.notes]
        for title, counts, remarks in (
            ("refused", self.refused_by, self.refusals),
            ("warning", self.warned_by, self.warnings),
        ):
            for code, count in sorted(counts.items()):
                shown = [r for r in remarks if r.code == code][:5]
                out += [f"  {title}: line {r.line}: {r.detail}" for r in shown]
                if count > len(shown):
                    out.append(f"  {title}: {count - len(shown)} more with the same reason")
        return out


FAULTS = {
    "no_geometry": "it has no position",
    "position_unusable": "its position is no number or lies outside the Earth",
    "axes_swapped": "it lies outside the territory, and inside with its coordinates exchanged",
    "too_many_columns": "it has more cells than the first line has names",
    "stray_quote": 'a quote (") is opened and not closed, or closed before the end of its cell',
    "bad_bytes": "its text holds a byte of another encoding",
}


def refuse_fault(report: ImportReport, batch: Batch, row: int) -> None:
    """Refuses a row that its reader found unusable."""
    code = batch.problems.get(row, "no_geometry")
    report.refuse(batch.lines[row], code, batch.details.get(row) or FAULTS[code])


def refuse_faults(report: ImportReport, batch: Batch) -> None:
    """Refuses all such rows of a batch."""
    for row in sorted(batch.problems):
        refuse_fault(report, batch, row)
