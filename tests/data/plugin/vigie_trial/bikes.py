"""Its list, its states, its verb, its live rows and its job."""

from uuid import UUID

import msgspec
from sqlalchemy import Column, Integer, MetaData, Table, Text, Uuid, select, text

from vigie.core import jobs, journal, live, search, verbs
from vigie.core.database import Unit
from vigie.core.filters import Choice, Fields
from vigie.core.ids import uuid7
from vigie.core.jobs import Job
from vigie.core.lists import Listing
from vigie.core.live import Row, RowTopic
from vigie.core.objects import ObjectType, Title
from vigie.core.states import Machine, step
from vigie.core.verbs import Verb
from vigie.core.web import post

STATES = Machine("trial.bike", "give_back\nfound given\ngiven .")
BIKE = Table(
    "bike", MetaData(schema="trial"), Column("id", Uuid), Column("colour", Text),
    Column("state", Text), Column("version", Integer), Column("municipality", Text),
    Column("trade", Text),
)  # fmt: skip


class Bike(msgspec.Struct, frozen=True):
    id: UUID
    colour: str
    state: str
    version: int
    municipality: str


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    colour: str
    municipality: str


async def enter(unit: Unit, found: Found) -> Bike:
    made = uuid7()
    await unit.execute(
        BIKE.insert().values(
            id=made, colour=found.colour, state=STATES.initial, version=1,
            municipality=found.municipality, trade="bikes",
        )
    )  # fmt: skip
    await journal.record(unit, "trial.entered", params={"colour": found.colour})
    await live.touched(unit, "trial.bikes", str(made), f"{found.municipality}/bikes")
    await search.put(unit, "trial.bike", str(made), title=f"Vélo {found.colour}",
                     words=f"velo {found.colour}", municipality=found.municipality,
                     trade="bikes")  # fmt: skip
    # A sibling room is called by name, in the same transaction and with the caller's rights.
    await verbs.call(unit, "logbook.write", {"text": f"A {found.colour} bicycle was found"})
    await jobs.defer(unit, "trial.remind", {"bike": str(made)})
    return Bike(made, found.colour, "found", 1, found.municipality)


async def _rows(unit: Unit, ids):
    open_ = select(BIKE).where(BIKE.c.state == "found")
    if ids is not None:
        open_ = open_.where(BIKE.c.id.in_([UUID(i) for i in ids]))
    return [
        Row(str(r.id), f"{r.municipality}/bikes", {"colour": r.colour})
        for r in await unit.execute(open_)
    ]


async def _titles(unit: Unit, ids):
    rows = await unit.execute(select(BIKE).where(BIKE.c.id.in_([UUID(i) for i in ids])))
    return {
        str(r.id): Title(f"Vélo {r.colour}", municipality=r.municipality, trade="bikes")
        for r in rows
    }


async def _remind(unit: Unit, payload) -> None:
    await unit.execute(
        text("update trial.bike set colour = colour || '!' where id = :id"),
        {"id": payload["bike"]},
    )


@post("/trial/bikes", permission="trial.write", status=201)
async def enter_bike(unit: Unit, data: Found) -> Bike:
    """Enter a bicycle that was found."""
    return await enter(unit, data)


@post("/trial/bikes/{bike_id:uuid}/give-back", permission="trial.write", status=204)
async def give_back(unit: Unit, bike_id: UUID) -> None:
    """Give it back."""
    await step(unit, STATES, BIKE, bike_id, "give_back")


BIKES = Listing(
    "trial.bikes", BIKE, row=Bike, fields=Fields(Choice("state", BIKE.c.state, STATES.states)),
    sorts={"colour": BIKE.c.colour}, default="colour", key=BIKE.c.id,
)  # fmt: skip
ROUTES = [*BIKES.routes("/trial/bikes", permission="trial.read"), enter_bike, give_back]
TOPICS = (RowTopic(name="trial.bikes", permission="trial.read", load=_rows),)
VERBS = (Verb("trial.enter", Found, Bike, "trial.write", "Enter a bicycle.", enter),)
OBJECTS = (ObjectType("trial.bike", "trial.read", _titles, "/trial/{id}"),)
JOBS = (Job("trial.remind", _remind, inside=True),)
