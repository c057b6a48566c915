/** Commands of the mock: most confirm, some refuse, some stay silent. */
import type { MockLight } from "./mock-city.ts";

type Json = Record<string, unknown>;
interface Target {
  light: MockLight;
  state: string;
  at: string;
}
interface Act {
  id: string;
  level: number;
  reason: string;
  asked: string;
  ended: string | null;
  targets: Target[];
}

export function mockCommands(byId: Map<number, MockLight>, touch: (light: MockLight) => void, tell: (event: Json) => void) {
  const acts: Act[] = [];
  const keys = new Map<string, Act>();
  const counts = (act: Act) => {
    const sums: Record<string, number> = {};
    for (const { state } of act.targets) sums[state] = (sums[state] ?? 0) + 1;
    return sums;
  };
  const shape = (act: Act) => ({
    id: act.id, verb: "set_dimming_level", params: { level: act.level }, requested_by: { id: "u1", name: "Claire Morel" }, requested_at: act.asked,
    expires_at: act.asked, reason: act.reason, total: act.targets.length, counts: counts(act), ended_at: act.ended,
  });
  const end = (act: Act) => {
    act.ended = act.targets.every(({ state }) => !["requested", "sent", "delivered"].includes(state)) ? new Date().toISOString() : null;
    tell({ op: "event", topic: "command", id: act.id, counts: counts(act), ended_at: act.ended });
  };
  const step = (act: Act, state: string, from: string, share: number) => {
    for (const target of act.targets) {
      if (target.state !== from || Math.random() > share) continue;
      const odd = target.light.id % 97;
      target.state = state === "confirmed" && odd === 0 ? "refused" : state === "confirmed" && odd === 1 ? "delivered" : state;
      target.at = new Date().toISOString();
      if (target.state === "confirmed") {
        Object.assign(target.light, { level: act.level, desired: act.level, power: (act.level / 100) * target.light.rated, at: Date.now() / 1000 });
      }
      if (target.state === "confirmed" || target.state === "refused") target.light.flags &= ~16;
      touch(target.light);
    }
    end(act);
  };
  const run = (act: Act) => {
    setTimeout(() => step(act, "sent", "requested", 1), 150);
    for (let i = 0; i < 6; i++) setTimeout(() => step(act, "delivered", "sent", i === 5 ? 1 : 0.4), 400 + i * 150);
    for (let i = 0; i < 6; i++) setTimeout(() => step(act, "confirmed", "delivered", i === 5 ? 1 : 0.4), 900 + i * 250);
    setTimeout(() => {
      for (const target of act.targets) {
        if (target.state !== "delivered") continue;
        target.state = "timed_out";
        target.light.flags &= ~16;
        touch(target.light);
      }
      end(act);
    }, 6_000);
  };

  const answer = (method: string, id: string, more: string, query: URLSearchParams, body: Json, key: string): [number, unknown] => {
    if (method === "POST" && !id) {
      const known = keys.get(key);
      if (known) return [202, shape(known)];
      const asked = new Date().toISOString();
      const lights = (body["assets"] as number[]).map((asset) => byId.get(asset)).filter((light) => light !== undefined);
      const act: Act = {
        id: crypto.randomUUID(), level: (body["params"] as { level: number }).level, reason: String(body["reason"]), asked, ended: null,
        targets: lights.map((light) => ({ light, state: "requested", at: asked })),
      };
      for (const light of lights) {
        light.flags |= 16;
        touch(light);
      }
      acts.unshift(act);
      keys.set(key, act);
      run(act);
      return [202, shape(act)];
    }
    if (!id) return [200, { items: acts.map(shape), next: null }];
    const act = acts.find((candidate) => candidate.id === id);
    if (!act) return [404, { code: "not_found", status: 404 }];
    if (more === "targets") {
      const items = act.targets.filter(({ state }) => state === query.get("state"));
      return [200, { items: items.slice(0, 200).map(({ light, state, at }) => ({ asset: { id: light.id, name: `EP-${String(light.id).padStart(6, "0")}`, token: "x" }, state, sent_at: at, delivered_at: at, ended_at: at, error: state === "refused" ? { code: "interlock", params: {} } : null, late: false })), next: null }];
    }
    return [200, shape(act)];
  };
  const journal = () =>
    acts.map((act, i) => ({
      id: `e${act.id}`, position: acts.length - i, act: "control.commanded", personal: {}, actor: { id: "u1", name: "Claire Morel", kind: "user", role: "administrator" },
      occurred: act.asked, recorded: act.asked, reason: act.reason, request_id: "r", params: { verb: "set_dimming_level", level: act.level, command: act.id },
      changes_count: act.targets.length, assets: new Set(act.targets.map(({ light }) => light.id)),
      changes: act.targets.slice(0, 20).map(({ light }) => ({ object_type: "twin.asset", object_id: String(light.id), before: { dimmingLevel: 70 }, after: { dimmingLevel: act.level } })),
    }));
  return { answer, journal };
}
