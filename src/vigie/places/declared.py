"""What places show live, do for others, and react to."""

from vigie.core.database import Unit
from vigie.core.journal import Entry, Reaction
from vigie.core.live import RowTopic
from vigie.core.objects import ObjectType
from vigie.core.verbs import Verb
from vigie.places.roads import service
from vigie.places.roads.model import CloseRoad, OpenRoad, RoadClosure


async def _place_again(unit: Unit, entry: Entry) -> None:
    await service.place_again(unit)


TOPICS = (
    RowTopic(
        name=service.TOPIC,
        permission="places.roads_read",
        load=service.live_rows,
        most=service.MOST_SHOWN,
    ),
)
VERBS = (
    Verb(
        name="places.close_road",
        params=CloseRoad,
        result=RoadClosure,
        permission="places.roads_close",
        summary="Close streets: by number, along a line, or in an area; now or later.",
        run=service.close_road,
    ),
    Verb(
        name="places.open_road",
        params=OpenRoad,
        result=RoadClosure,
        permission="places.roads_close",
        summary="End a closure, or take a planned one back.",
        run=service.open_road,
    ),
)
OBJECTS = (ObjectType(service.OBJECT, "places.roads_read", service.titles, "/roads/closures/{id}"),)
JOBS = (service.DUE,)
REACTIONS = (
    # The graph of each process follows the territory's revision by itself; what is stored of
    # closures follows here.
    Reaction("places.closures", frozenset({"places.streets_imported"}), _place_again),
)
