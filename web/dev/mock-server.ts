/** A stand-in for the server while the screens are built; it speaks the contract and keeps nothing. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { mockCommands } from "./mock-commands.ts";
import { type MockLight, makeCity } from "./mock-city.ts";

type Json = Record<string, unknown>;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const seconds = () => Date.now() / 1000;

export function startMock(port: number, count: number, rate: number): void {
  const city = makeCity(count);
  const byId = new Map(city.lights.map((light) => [light.id, light]));
  const channels = new Map(city.municipalities.map(({ insee }) => [insee, { seq: 1, dirty: new Set<MockLight>() }]));
  const clients = new Set<WebSocket>();
  const touch = (light: MockLight) => channels.get(light.insee)?.dirty.add(light);
  const send = (frame: Json) => {
    const text = JSON.stringify(frame);
    for (const client of clients) client.send(text);
  };
  const commands = mockCommands(byId, touch, (event) => send({ op: "batch", now: Date.now(), age: 0.2, items: [event] }));
  let mustChange = true;
  let logged = false;

  const columns = (lights: MockLight[]) => ({
    id: lights.map((l) => l.id), at: lights.map((l) => l.at), dimmingLevel: lights.map((l) => (l.at === null ? null : l.level)),
    activePower: lights.map((l) => (l.at === null ? null : Math.round(l.power * 10) / 10)), flags: lights.map((l) => l.flags),
  });
  const snapshot = (insee: string) => {
    const lights = city.lights.filter((light) => light.insee === insee);
    return {
      op: "snapshot", channel: `${insee}/lighting`, seq: channels.get(insee)?.seq, kind: "Streetlight",
      lon: lights.map((l) => l.lon), lat: lights.map((l) => l.lat), ...columns(lights),
    };
  };

  setInterval(() => {
    for (let i = 0; i < rate / 10; i++) {
      const light = city.lights[Math.floor(Math.random() * city.lights.length)];
      if (!light || (light.flags & 32)) continue;
      light.at = seconds();
      light.power = (light.level / 100) * light.rated * (0.98 + Math.random() * 0.04);
      touch(light);
    }
    const items: Json[] = [];
    for (const [insee, channel] of channels) {
      if (channel.dirty.size === 0) continue;
      const prev = channel.seq++;
      items.push({ op: "delta", channel: `${insee}/lighting`, seq: channel.seq, prev, ...columns([...channel.dirty]) });
      channel.dirty.clear();
    }
    if (items.length) send({ op: "batch", now: Date.now(), age: 0.2 + Math.random() * 0.2, items });
  }, 100);
  setInterval(() => send({ op: "heartbeat", now: Date.now(), live: true, lag_s: 0.3 }), 1000);

  const asset = (light: MockLight): Json => {
    const at = light.at === null ? null : iso(light.at);
    const state = (value: number, unit: string) => ({ value, at, unit, stale: false });
    const cabinet = { id: 900_000 + (light.id % 90), name: `ARM-${String(light.id % 90).padStart(3, "0")}`, kind: "StreetlightControlCabinet" };
    return {
      id: light.id, token: `g7K2${light.id.toString(36)}`, kind: "Streetlight", trade: "lighting", name: `EP-${String(light.id).padStart(6, "0")}`,
      source_id: `xy:${light.lon.toFixed(5)}:${light.lat.toFixed(5)}`, municipality: light.insee, street: light.street, point: [light.lon, light.lat],
      lifecycle: { installed: "2014-05-12", commissioned: null, retired: null, manufacturer: "Comatelec", model: "Ampera Midi" }, attributes: { poleHeight: 8 },
      topology: { parent: cabinet, ancestors: [cabinet], children_count: 0, feeder: `Départ ${(light.id % 6) + 1}` }, gateway: { token: `gw${light.id % 120}`, online: true, last_seen: iso(seconds() - 1) },
      state: {
        dimmingLevel: state(light.level, "%"), activePower: state(light.power, "W"), activeEnergy: state(812.4, "kWh"), operatingHours: state(9421, "h"),
        supplyVoltage: state(231.2, "V"), temperature: state(18.4, "°C"), lampFailure: state(light.flags & 1, ""), supplyLoss: state(light.flags & 2 ? 1 : 0, ""),
      },
      desired: { dimmingLevel: light.desired }, version: 3,
    };
  };
  const find = (filter: string) => {
    const words = filter.match(/\w+:"[^"]*"|\S+/g) ?? [];
    return city.lights.filter((light) => words.every((word) => {
      const [field, value]: [string, string] = word.includes(":") ? [word.slice(0, word.indexOf(":")), word.slice(word.indexOf(":") + 1).replaceAll('"', "")] : ["text", word];
      if (field === "municipality") return light.insee === value;
      if (field === "street") return light.street === value;
      if (field === "status") return value === "fault" ? (light.flags & 15) > 0 : value === "active" ? (light.flags & 32) === 0 : value === "retired" ? (light.flags & 32) > 0 : light.at === null || seconds() - light.at > 180;
      return `EP-${String(light.id).padStart(6, "0")} ${light.street}`.toLowerCase().includes(value.toLowerCase());
    }));
  };
  const page = <T>(items: T[], query: URLSearchParams, shape: (item: T) => unknown) => {
    const from = Number(query.get("cursor") ?? 0);
    const limit = Number(query.get("limit") ?? 50);
    return { items: items.slice(from, from + limit).map(shape), next: from + limit < items.length ? String(from + limit) : null, total: items.length };
  };
  const me = () => ({
    user: { id: "u1", username: "admin", display_name: "Claire Morel", language: "fr", must_change_password: mustChange },
    grants: [{ role: "administrator", municipality: "*", trade: "*" }], csrf: "csrf",
    permissions: ["control.read", "control.command", "control.cancel", "journal.read", "gateways.read", "quarantine.read", "core.system", "access.read", "access.manage", "access.tokens"],
  });
  const bounds = city.lights.reduce<number[]>((box, { lon, lat }) => [Math.min(box[0] ?? 9, lon), Math.min(box[1] ?? 99, lat), Math.max(box[2] ?? 0, lon), Math.max(box[3] ?? 0, lat)], [9, 99, 0, 0]);

  const answer = (method: string, path: string, query: URLSearchParams, body: Json, key: string): [number, unknown] => {
    const [, room = "", id = "", more = ""] = path.split("/");
    const light = byId.get(Number(id));
    if (room === "session") {
      if (id === "password") { mustChange = false; return [204, null]; }
      if (method === "POST") {
        if (body["password"] !== "vigie") return [401, { code: "wrong_login", status: 401, title: "Unauthorized" }];
        logged = true;
        return [200, me()];
      }
      if (method === "DELETE") { logged = false; return [204, null]; }
      return logged ? [200, me()] : [401, { code: "not_logged_in", status: 401 }];
    }
    if (!logged) return [401, { code: "not_logged_in", status: 401 }];
    if (room === "territory" && !id) return [200, { code: "dijon", name: "Dijon métropole", languages: ["fr", "en"], time_zone: "Europe/Paris", center: [5.0375, 47.3229], bbox: bounds, synthetic: true, attribution: "INSEE, IGN Admin Express", municipalities: city.municipalities }];
    if (path === "/territory/municipalities.geojson") return [200, { type: "FeatureCollection", features: [] }];
    if (path === "/territory/streets.geojson") return [200, { type: "FeatureCollection", features: city.streets.map(({ line, ...properties }) => ({ type: "Feature", properties, geometry: { type: "LineString", coordinates: line } })) }];
    if (room === "kinds") return [200, { items: [{ name: "Streetlight", trade: "lighting", commands: [{ verb: "set_dimming_level", params: [{ name: "level", unit: "%", min: 0, max: 100 }] }], metrics: [["dimmingLevel", "%"], ["activePower", "W"], ["activeEnergy", "kWh"], ["operatingHours", "h"], ["supplyVoltage", "V"], ["temperature", "°C"], ["lampFailure", ""], ["supplyLoss", ""]].map(([name, unit]) => ({ name, unit, min: 0, max: 100, kind: unit ? "number" : "flag", promise_s: 180 })) }] }];
    if (room === "search") {
      const q = (query.get("q") ?? "").toLowerCase();
      const streets = city.streets.filter(({ name }) => name.toLowerCase().includes(q)).slice(0, 6);
      return [200, { items: [
        ...city.municipalities.filter(({ name }) => name.toLowerCase().startsWith(q)).map((m) => ({ type: "municipality", id: m.insee, label: m.name, detail: "commune", point: m.centroid, bbox: null })),
        ...streets.map((s) => ({ type: "street", id: String(s.id), label: s.name, detail: city.municipalities.find((m) => m.insee === s.insee)?.name, point: s.line[2], bbox: [Math.min(...s.line.map((p) => p[0])), Math.min(...s.line.map((p) => p[1])), Math.max(...s.line.map((p) => p[0])), Math.max(...s.line.map((p) => p[1]))] })),
        ...find(q).slice(0, 4).map((l) => ({ type: "asset", id: String(l.id), label: `EP-${String(l.id).padStart(6, "0")}`, detail: l.street, point: [l.lon, l.lat], bbox: null })),
      ] }];
    }
    if (path === "/assets.geojson") return [200, { type: "FeatureCollection", features: find(query.get("filter") ?? "").map((l) => ({ type: "Feature", id: l.id, geometry: { type: "Point", coordinates: [l.lon, l.lat] }, properties: {} })) }];
    if (room === "assets" && !id) return [200, page(find(query.get("filter") ?? ""), query, asset)];
    if (room === "assets" && !light) return [404, { code: "not_found", status: 404, title: "Not found" }];
    if (room === "assets" && light && !more) return [200, asset(light)];
    if (room === "assets" && light && more === "history") {
      const from = Date.parse(query.get("from") ?? "");
      const t = Array.from({ length: 300 }, (_, i) => from + i * 288_000);
      const night = (ms: number) => { const h = (new Date(ms).getUTCHours() + 1) % 24; return h >= 17 || h < 8; };
      return [200, { metric: query.get("metric"), unit: query.get("metric") === "activePower" ? "W" : "%", resolution: "raw", t, v: t.map((ms) => (night(ms) ? light.level * (query.get("metric") === "activePower" ? 0.6 + Math.random() * 0.05 : 1) : 0)) }];
    }
    if (room === "journal" || more === "journal") return [200, page(commands.journal().filter((e) => more !== "journal" || e.assets.has(Number(id))), query, (entry) => ({ ...entry, assets: undefined }))];
    if (room === "commands") return commands.answer(method, id, more, query, body, key);
    if (room === "quarantine") return [200, page(Array.from({ length: 130 }, (_, i) => i), query, (i) => ({ id: i, received: iso(seconds() - i * 97), source: `gw${i % 7}`, topic: `up/0/gw${i % 7}/reading`, code: ["not_json", "unknown_device", "at_future", "metric_out_of_range"][i % 4], params: { metric: "dimmingLevel", value: 140, min: 0, max: 100 }, payload: Buffer.from(i % 5 === 4 ? "\u0001\u0002\xff\xfe\xfd\xfc\xfb" : '{"device":"<script>alert(1)</script>","n":12}', "latin1").toString("base64"), size: 51, asset: i % 3 ? null : 12 }))];
    if (room === "gateways") return [200, page(Array.from({ length: 118 }, (_, i) => i), query, (i) => ({ token: `gw${i}`, name: `Passerelle ${i}`, kind: "site", devices: 290, online: i !== 3, last_seen: iso(seconds() - (i === 3 ? 900 : 1)), messages: 40_000 + i * 31, quarantined: i < 7 ? i * 3 : 0, refused: 0, revoked: null }))];
    if (room === "system") return [200, { status: "degraded", components: [["postgresql", "database", "ok"], ["nats", "bus", "ok"], ["api", "api", "ok"], ["ingest", "ingest", "degraded"], ["watch", "watch", "ok"], ["gateways", "gateways", "ok"]].map(([name, role, status]) => ({ name, role, instance: "a", status, code: status === "ok" ? "" : "ingest_lags", params: role === "ingest" ? { lag_s: 4.2 } : {}, since: iso(seconds() - 8000) })), admission: { open: true, code: "", stream_bytes: 312e6, stream_limit: 2 ** 31 }, versions: { vigie: "0.1.0", postgresql: "18.1", nats: "2.15.0" }, disk_free_bytes: 81e9 }];
    if (room === "users") return [200, page([me().user], query, (u) => ({ ...u, active: true, grants: me().grants, last_login: iso(seconds() - 60) }))];
    if (room === "tokens") return [200, method === "POST" ? { id: "t1", name: body["name"], token: "vgt_example" } : { items: [], next: null }];
    return [404, { code: "not_found", status: 404, title: "Not found" }];
  };

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://mock");
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const [status, body] = answer(request.method ?? "GET", url.pathname.replace("/api/v1", ""), url.searchParams, (text ? JSON.parse(text) : {}) as Json, String(request.headers["idempotency-key"] ?? ""));
      response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json" });
      response.end(status === 204 ? undefined : JSON.stringify(body));
    });
  });
  const sockets = new WebSocketServer({ server, path: "/api/v1/live" });
  sockets.on("connection", (socket) => {
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { op: string; channel?: string };
      const wanted = frame.op === "subscribe" ? [...channels.keys()] : [(frame.channel ?? "").split("/")[0] ?? ""];
      if (frame.op === "subscribe") socket.send(JSON.stringify({ op: "hello", server: "mock", now: Date.now(), kinds: { Streetlight: ["dimmingLevel", "activePower"] } }));
      for (const insee of wanted) socket.send(JSON.stringify({ op: "batch", now: Date.now(), age: 0.2, items: [snapshot(insee)] }));
      clients.add(socket);
    });
    socket.on("close", () => clients.delete(socket));
  });
  server.listen(port, "127.0.0.1");
}
