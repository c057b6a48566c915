"""City folders for tests: a territory pack, published files and how to read them."""

import shutil
from pathlib import Path

from simcity.generate.city import Made, generate
from tests.support.centre import ROOT, SHARED

PACKS = ROOT / "tests" / "data" / "packs"

_MAPPING = """\
kind = "Streetlight"

[source]
name = "montpellier-eclairage-public"
crs = "EPSG:2154"

[columns]
model = "type_lante"
"""


def montpellier(folder: Path) -> Path:
    """Montpellier's published lights and streets; the folder is its territory pack too."""
    shutil.copytree(PACKS / "montpellier", folder, dirs_exist_ok=True)
    data = SHARED / "montpellier"
    (folder / "city.toml").write_text(
        'name = "Montpellier"\n'
        "synthetic = false\n"
        "[[streets]]\n"
        f'file = "{data / "FilaireVoies" / "VilleMTP_MTP_FilaireVoies.zip"}"\n\n'
        "[[equipment]]\n"
        'kind = "Streetlight"\n'
        f'file = "{data / "EclairagePublic" / "VilleMTP_MTP_EclairagePublic.zip"}"\n'
        'mapping = "streetlights.toml"\n',
        encoding="utf-8",
    )
    (folder / "streetlights.toml").write_text(_MAPPING, encoding="utf-8")
    return folder


def synthetic(folder: Path, lights: int) -> Made:
    """The synthetic city that ships, drawn on Dijon's territory."""
    return generate(ROOT / "src" / "vigie" / "places" / "packs" / "dijon", folder, lights, 1)
