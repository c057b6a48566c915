"""The open rows of one topic in memory, what changed since the last frame, and what of it a socket
may see. No I/O."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from vigie.core.live.rules import sees
from vigie.core.live.topics import MemoryTopic, Row, RowTopic
from vigie.core.live.touch import Touched, scope_keys
from vigie.core.scope import Scope

MOST_HINTS = 200
_Body = Callable[[Row, Scope], bytes]


class Changed(msgspec.Struct):
    """One row between two frames: as it was, as it is (None: not open), and its touches."""

    id: str
    before: Row | None
    after: Row | None
    touches: tuple[Touched, ...]


class Changes(msgspec.Struct):
    """What the next frame says. `anew`: everything, as a snapshot. `blind`: rows that are not
    mirrored may have changed too, nobody knows which."""

    anew: bool
    blind: bool
    rows: list[Changed]


class View(msgspec.Struct):
    """The same for those of one scope; a hint of None is of any row."""

    put: list[tuple[str, msgspec.Raw]]
    drop: list[str]
    hint: list[str] | None

    @property
    def empty(self) -> bool:
        """True when there is nothing to say."""
        return not (self.put or self.drop or self.hint or self.hint is None)


class Mirror:
    """One topic's open rows; `collect` takes what changed since it was last called."""

    def __init__(self, topic: RowTopic | MemoryTopic) -> None:
        self.topic = topic
        self.rows: dict[str, Row] = {}
        # False until the rows were first read: nothing is shown before.
        self.loaded = False
        # False when there are too many open rows to mirror them.
        self.complete = True
        self._before: dict[str, Row | None] = {}
        self._touches: dict[str, list[Touched]] = {}
        self._anew = False
        self._blind = False
        self._encoded: dict[str, dict[frozenset[str], msgspec.Raw]] = {}

    def replace(self, rows: Iterable[Row], *, blind: bool = False) -> None:
        """All open rows as they are now. `blind`: touches may have been missed."""
        found = {row.id: row for row in rows}
        complete = len(found) <= self.topic.most
        if not complete:
            found = {}
        if not self.loaded or complete != self.complete:
            self._anew = True
        self.loaded, self.complete = True, complete
        for id_ in self.rows.keys() - found.keys():
            self._set(id_, None)
        for id_, row in found.items():
            self._set(id_, row)
        self._blind = self._blind or blind

    def update(self, touches: Sequence[Touched], rows: Iterable[Row]) -> bool:
        """Those that were touched, and those of them that are open. False when there are too many
        rows now: they are all to be read again."""
        found = {row.id: row for row in rows}
        for touch in touches:
            self._touches.setdefault(touch.id, []).append(touch)
            if self.complete:
                self._set(touch.id, found.get(touch.id))
        return len(self.rows) <= self.topic.most

    def collect(self) -> Changes | None:
        """What changed since last time; None when nothing did."""
        if not (self._anew or self._blind or self._before or self._touches):
            return None
        ids = self._before.keys() | self._touches.keys()
        changes = Changes(
            self._anew,
            self._blind,
            [
                Changed(
                    id_,
                    self._before.get(id_, self.rows.get(id_)),
                    self.rows.get(id_),
                    tuple(self._touches.get(id_, ())),
                )
                for id_ in sorted(ids)
            ],
        )
        self._anew = self._blind = False
        self._before, self._touches = {}, {}
        return changes

    def view(self, changes: Changes, scope: Scope) -> View:
        """What someone of this scope is told of changes."""
        view = View([], [], None if changes.blind else [])
        for changed in changes.rows:
            before, after = changed.before, changed.after
            was = before is not None and _sees(scope, before)
            if after is not None and _sees(scope, after):
                if not was or after != before:
                    view.put.append((changed.id, self._body(after, scope)))
                elif view.hint is not None:
                    view.hint.append(changed.id)
            elif was:
                view.drop.append(changed.id)
            elif view.hint is not None and any(
                sees(scope, touch.scopes, touch.compartment) for touch in changed.touches
            ):
                view.hint.append(changed.id)
        if view.hint is not None and len(view.hint) > MOST_HINTS:
            view.hint = None
        return view

    def seen_by(self, scope: Scope) -> list[tuple[str, msgspec.Raw]]:
        """Every open row that someone of this scope sees."""
        return [(row.id, self._body(row, scope)) for row in self.rows.values() if _sees(scope, row)]

    def _set(self, id_: str, row: Row | None) -> None:
        old = self.rows.get(id_)
        if row == old:
            return
        self._before.setdefault(id_, old)
        self._encoded.pop(id_, None)
        if row is None:
            del self.rows[id_]
        else:
            self.rows[id_] = row

    def _body(self, row: Row, scope: Scope) -> msgspec.Raw:
        """Encoded once for all who see the same parts of it."""
        shown = self.topic.shown
        parts = frozenset(filter(scope.holds, scope_keys(row.scope))) if shown else frozenset[str]()
        bodies = self._encoded.setdefault(row.id, {})
        if parts not in bodies:
            body: Any = shown(row.body, scope) if shown else row.body
            bodies[parts] = msgspec.Raw(msgspec.json.encode(body))
        return bodies[parts]


def _sees(scope: Scope, row: Row) -> bool:
    return sees(scope, scope_keys(row.scope), row.compartment)
