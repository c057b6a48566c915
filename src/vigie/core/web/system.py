"""How the whole centre is: what every process says of itself once a second, in one answer."""

import shutil
import time
from importlib.metadata import version
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from msgspec import UNSET, UnsetType
from nats.aio.msg import Msg

from vigie.core.access.model import Caller
from vigie.core.live import MemoryTopic, Row
from vigie.core.logs import logger
from vigie.core.permissions import Catalogue
from vigie.core.runtime import Component, Runtime
from vigie.core.scope import NOTHING, Scope
from vigie.core.web.routes import get

log = logger(__name__)
SILENT_AFTER_S = 3.5
FORGOTTEN_AFTER_S = 60.0


class Said(msgspec.Struct):
    """What one process published on `health.<role>.<instance>`."""

    role: str
    instance: str
    pid: int
    at: str
    components: list[Component]


class SystemComponent(msgspec.Struct):
    """One service of one process."""

    name: str
    role: str
    instance: str
    status: str
    code: str
    params: dict[str, Any]
    since: str


class AdmissionState(msgspec.Struct):
    """Whether devices may deliver; the broker's stream and its limit in bytes, for who sees the
    whole city."""

    open: bool
    code: str = ""
    stream_bytes: int | UnsetType = UNSET
    stream_limit: int | UnsetType = UNSET


class SystemState(msgspec.Struct):
    """The system page. Who sees a part of the city is told what works, not the whole's figures."""

    status: str
    components: list[SystemComponent]
    admission: AdmissionState
    versions: dict[str, str]
    disk_free_bytes: int | UnsetType = UNSET


class Watch:
    """Keeps the newest word of every process."""

    def __init__(self, runtime: Runtime, roles: tuple[str, ...]) -> None:
        self.runtime = runtime
        self.roles = roles
        self.heard: dict[str, tuple[float, Said]] = {}
        self.since: dict[str, str] = {}
        _WATCHES[runtime] = self

    @classmethod
    def of(cls, runtime: Runtime) -> "Watch":
        """The watch of this process; one that heard nothing when none was started."""
        return _WATCHES.get(runtime) or Watch(runtime, ())

    async def listen(self) -> None:
        """Service: hear every process."""

        async def hear(message: Msg) -> None:
            try:
                said = msgspec.json.decode(message.data, type=Said)
            except msgspec.MsgspecError as error:
                log.warning("health_not_understood", subject=message.subject, error=str(error))
                return
            self.heard[said.instance] = (time.monotonic(), said)

        subscription = await self.runtime.bus.subscribe("health.>", hear)
        try:
            await self.runtime.stopping.wait()
        finally:
            await subscription.unsubscribe()

    def state(self) -> SystemState:
        """Everything at once; a role that says nothing is down."""
        now = time.monotonic()
        self.heard = {k: v for k, v in self.heard.items() if now - v[0] < FORGOTTEN_AFTER_S}
        components: list[SystemComponent] = []
        alive: set[str] = set()
        for heard, said in self.heard.values():
            if now - heard > SILENT_AFTER_S:
                continue
            alive.add(said.role)
            components += [
                SystemComponent(
                    c.name, said.role, said.instance, c.status, c.code, c.params, c.since
                )
                for c in said.components
            ]
        for role in self.roles:
            if role not in alive:
                components.append(SystemComponent(role, role, "", "down", "role_silent", {}, ""))
        components.sort(key=lambda c: (c.role, c.name))
        statuses = {c.status for c in components}
        status = "ok"
        if "down" in statuses or not self.runtime.bus.connected:
            status = "down"
        elif statuses - {"ok", "standby"}:
            status = "degraded"
        return SystemState(
            status,
            components,
            _admission(components),
            {
                "vigie": version("vigie"),
                "nats": str(self.runtime.bus.client.connected_server_version),
            },
            shutil.disk_usage(self.runtime.settings.root).free,
        )


_WATCHES: WeakKeyDictionary[Runtime, Watch] = WeakKeyDictionary()


def _admission(components: list[SystemComponent]) -> AdmissionState:
    for component in components:
        if component.name == "admission":
            return AdmissionState(
                component.status == "ok",
                component.code,
                int(component.params.get("bytes", 0)),
                int(component.params.get("limit", 0)),
            )
    return AdmissionState(False, "gateways_silent", 0, 0)


def without_figures(state: SystemState) -> SystemState:
    """What works and what does not, and nothing that counts the equipment of the whole city."""
    return SystemState(
        state.status,
        [msgspec.structs.replace(component, params={}) for component in state.components],
        AdmissionState(state.admission.open, state.admission.code),
        state.versions,
    )


@get("/system", permission="core.system")
async def read_system(runtime: Runtime, caller: Caller, catalogue: Catalogue) -> SystemState:
    """Every process and service: status, since when, and why; with figures for who holds the
    permission over the whole city."""
    state = Watch.of(runtime).state()
    whole = (catalogue.scope_for(caller.principal, "core.system") or NOTHING).everything
    return state if whole else without_figures(state)


class Centre(msgspec.Struct):
    """The system page without its components."""

    status: str
    admission: AdmissionState
    versions: dict[str, str]
    disk_free_bytes: int | UnsetType = UNSET


def _shown(body: Any, scope: Scope) -> Any:
    """A row as someone with this scope sees it: figures are of the whole city."""
    if scope.everything:
        return body
    if isinstance(body, Centre):
        admission = AdmissionState(body.admission.open, body.admission.code)
        return Centre(body.status, admission, body.versions)
    return msgspec.structs.replace(body, params={})


def _rows(runtime: Runtime) -> list[Row]:
    """The system page, live: a row a service of each process, and `centre` for the rest."""
    state = Watch.of(runtime).state()
    centre = Centre(state.status, state.admission, state.versions, state.disk_free_bytes)
    return [
        Row("centre", "", centre),
        *(Row(f"{c.role}/{c.instance}/{c.name}", "", c) for c in state.components),
    ]


ROUTES = [read_system]
TOPICS = [MemoryTopic(name="core.system", permission="core.system", rows=_rows, shown=_shown)]
