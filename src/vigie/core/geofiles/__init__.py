"""Geographic files that strangers made: read in batches, in WGS 84, with the reason of each fault.

    with open_geofile(path, ReadOptions(crs="EPSG:2154"), near=territory_box) as source:
        for batch in source.batches(["NAME", "CODE"]):
            batch.columns["NAME"], batch.geometry, batch.problems

Zipped Shapefile, Shapefile, GeoPackage, GeoJSON and CSV; any CRS; odd encodings. A file that
cannot be understood raises Invalid with the option that mends it. Every file is hostile: sizes are
bounded, archives cannot escape, nothing but these formats is opened.
"""

from vigie.core.geofiles.crs import guess_crs
from vigie.core.geofiles.source import Batch, GeoFile, ReadOptions
from vigie.core.geofiles.opening import open_geofile

__all__ = ["Batch", "GeoFile", "ReadOptions", "guess_crs", "open_geofile"]
