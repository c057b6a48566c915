"""Equipment from files of any publisher. See docs/import.md."""

from vigie.twin.importing.equipment import TARGETS, import_equipment

__all__ = ["TARGETS", "import_equipment"]
