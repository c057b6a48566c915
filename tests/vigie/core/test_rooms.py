"""The list of rooms refuses what does not fit together, and hands out what rooms declare."""

import pytest

from vigie.app import ROOMS, every_room, rooms_of
from vigie.core.errors import SetupError
from vigie.core.permissions import Catalogue, Permission, Role
from vigie.core.rooms import Room, Rooms
from vigie.core.scope import Grant, Principal
from vigie.core.settings import Settings

LOW = Room(name="low", floor="base", schemas=("low",))
HIGH = Room(name="high", floor="trade", needs=("low",), optional=True)
SEEN = (1, 2)
OTHERS = (3,)


def services(runtime: object):
    async def run() -> None: ...

    return {"one": run}


def test_a_room_comes_after_those_it_needs():
    assert [room.name for room in Rooms([LOW, HIGH])] == ["low", "high"]
    with pytest.raises(ValueError, match="needs 'low' before it"):
        Rooms([HIGH, LOW])


@pytest.mark.parametrize(
    ("rooms", "fault"),
    [
        ([LOW, LOW], "two rooms are named"),
        ([LOW, Room(name="other", floor="base", schemas=("low",))], "declare the schema 'low'"),
    ],
)
def test_names_are_used_once(rooms, fault):
    with pytest.raises(ValueError, match=fault):
        Rooms(rooms)


def test_only_optional_rooms_that_nobody_needs_are_switched_off():
    top = Room(name="top", floor="trade", needs=("high",), optional=True)
    rooms = Rooms([LOW, HIGH, top])
    assert [room.name for room in rooms.without(["high", "top"])] == ["low"]
    for off, fault in (("low", "cannot"), ("high", "needed by 'top'"), ("attic", "no room")):
        with pytest.raises(ValueError, match=fault):
            rooms.without([off])


def test_parts_are_put_together_in_the_order_of_the_list():
    here = __name__
    rooms = Rooms(
        [
            Room(name="a", floor="base", reactions=f"{here}:SEEN"),
            Room(name="b", floor="base"),
            Room(name="c", floor="base", reactions=f"{here}:OTHERS"),
        ]
    )
    assert rooms.collect("reactions") == (1, 2, 3)


def test_two_services_of_one_process_have_two_names():
    one = Room(name="a", floor="base", services={"watch": f"{__name__}:services"})
    two = Room(name="b", floor="base", services={"watch": f"{__name__}:services"})
    assert list(Rooms([one]).services("watch", None)) == ["one"]
    assert Rooms([one]).services("api", None) == {}
    with pytest.raises(ValueError, match="two services of watch"):
        Rooms([one, two]).services("watch", None)


def test_every_built_in_room_loads_whatever_it_names():
    assert len(every_room()) >= len(ROOMS)
    for part in ("routes", "reactions", "jobs", "topics", "verbs", "objects", "search"):
        every_room().collect(part)


def test_the_setting_that_switches_rooms_off_says_what_is_wrong():
    assert "traffic" not in [r.name for r in rooms_of(Settings(rooms_off="traffic"))]
    with pytest.raises(SetupError, match="VIGIE_ROOMS_OFF is wrong"):
        rooms_of(Settings(rooms_off="twin"))


def test_a_role_that_a_room_names_holds_what_it_says():
    read = Permission("twin.read", "", ("viewer",))
    act = Permission("low.act", "", ("dispatcher",))
    dispatcher = Role("dispatcher", "", holds=("twin.read",))
    catalogue = Catalogue([read, act], [dispatcher])
    person = Principal(None, "d", "user", (Grant("dispatcher", "21231"),))
    assert catalogue.held_by(person) == {"twin.read", "low.act"}
    scope = catalogue.scope_for(person, "twin.read")
    assert scope is not None
    assert scope.allows("21231", "lighting")
    assert not scope.allows("21166", "lighting")
    for roles, fault in (
        ([Role("dispatcher", "", holds=("none.such",))], "nobody declares"),
        ([dispatcher, dispatcher], "declared twice"),
        ([Role("viewer", "")], "declared twice"),
    ):
        with pytest.raises(ValueError, match=fault):
            Catalogue([read, act] if roles != [Role("viewer", "")] else [read], roles)
