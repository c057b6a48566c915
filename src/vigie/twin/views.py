"""Kinds as the screens and programs of others read them."""

from typing import Literal

from vigie.twin.kinds import Choice, Command, Event, Field, Flag, Kind, Point, Text, value_of
from vigie.twin.model import CommandView, EventView, KindView, MetricView, ParameterView

_NumberLike = Literal["number", "flag", "choice"]


def view(kind: Kind) -> KindView:
    """All that a kind declares."""
    return KindView(
        kind.name,
        kind.trade,
        kind.icon,
        [_metric(point) for point in kind.points],
        [_event(event) for event in kind.events],
        [_command(kind, command) for command in kind.commands],
        kind.moves,
        list(kind.draws),
        list(kind.marks),
        {function: kind.points[slot].name for function, slot in kind.principals.items()},
        list(kind.parents),
        kind.life_years,
        kind.standard,
    )


def _form(point: Point) -> _NumberLike:
    match point:
        case Flag():
            return "flag"
        case Choice():
            return "choice"
        case _:
            return "number"


def _words(point: Point) -> list[str]:
    return list(point.words) if isinstance(point, Choice) else []


def _metric(point: Point) -> MetricView:
    return MetricView(
        point.name,
        point.unit,
        point.low,
        point.high,
        _form(point),
        point.promise_s,
        list(point.abnormal_values),
        _words(point),
        point.counter,
    )


def _parameter(field: Field) -> ParameterView:
    if isinstance(field, Text):
        return ParameterView(field.name, "text", "", 0, field.longest, [])
    return ParameterView(field.name, _form(field), field.unit, field.low, field.high, _words(field))


def _event(event: Event) -> EventView:
    fields = [_parameter(field) for field in event.fields]
    return EventView(event.name, fields, event.personal, event.abnormal)


def _command(kind: Kind, command: Command) -> CommandView:
    return CommandView(
        command.verb,
        [_parameter(param) for param in command.params],
        command.function,
        command.demands,
        dict(command.shows),
        {name: value_of(kind.points[kind.slots[name]], v) for name, v in command.sets.items()},
        command.urgent,
    )
