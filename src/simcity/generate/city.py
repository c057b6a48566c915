"""The whole way from a territory pack to a city's files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simcity.generate.equipment import equip
from simcity.generate.ground import survey
from simcity.generate.layout import lay_out
from simcity.generate.lights import place_lights, wire
from simcity.generate.sites import Sites
from simcity.generate.streets import name_streets
from simcity.generate.territory import read_territory, share
from simcity.generate.write import write_city


@dataclass(frozen=True)
class Made:
    lights: int
    cabinets: int
    streets: int
    street_km: float
    others: int


def generate(territory_folder: Path, out: Path, lights: int, seed: int) -> Made:
    territory = read_territory(territory_folder)
    rng = np.random.default_rng(seed)
    people, areas = territory.populations, territory.areas
    wanted = share(lights, 0.93 * people / people.sum() + 0.07 * areas / areas.sum())
    net = lay_out(survey(territory, wanted, rng), rng)
    plan = name_streets(net, territory, rng)
    lamps = place_lights(plan, territory, wanted, rng)
    cabinets = wire(lamps, rng)
    insee = [m.insee for m in territory.municipalities]
    batches = equip(Sites(plan, territory, rng), insee, lights)
    write_city(out, territory, plan, lamps, cabinets, batches, seed)
    return Made(
        lights=len(lamps.xy),
        cabinets=len(cabinets.xy),
        streets=len(plan.streets),
        street_km=float(net.lengths.sum()) / 1000,
        others=sum(len(batch.ids) for batch in batches),
    )
