"""Geographic files that strangers made: read in batches, in WGS 84, with the reason of each fault.

    with open_geofile(path, ReadOptions(crs="EPSG:2154"), near=territory_box) as source:
        for batch in source.batches(["NAME", "CODE"]):
            batch.columns["NAME"], batch.geometry, batch.problems

Zipped Shapefile, Shapefile, GeoPackage, GeoJSON and CSV; any CRS; odd encodings. A file that
cannot be understood raises Invalid with the option that mends it. Every file is hostile: sizes are
bounded, archives cannot escape, nothing but these formats is opened.
"""

from vigie.core.geofiles.mapping import (
    POSITION,
    Mapping,
    SourceSpec,
    attribute_of,
    check_columns,
    check_targets,
    is_inexact,
    load_mapping,
    text_of,
)
from vigie.core.geofiles.numbers import number
from vigie.core.geofiles.opening import open_geofile
from vigie.core.geofiles.report import ImportReport, Progress, Remark, refuse_fault, refuse_faults
from vigie.core.geofiles.source import Batch, GeoFile, ReadOptions, clean_text

__all__ = [
    "POSITION",
    "Batch",
    "GeoFile",
    "ImportReport",
    "Mapping",
    "Progress",
    "ReadOptions",
    "Remark",
    "SourceSpec",
    "attribute_of",
    "check_columns",
    "check_targets",
    "clean_text",
    "is_inexact",
    "load_mapping",
    "number",
    "open_geofile",
    "refuse_fault",
    "refuse_faults",
    "text_of",
]
