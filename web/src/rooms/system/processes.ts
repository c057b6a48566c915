/** The system's components, gathered by the process that runs them. */
import type { Component, ComponentStatus } from "../../shared/api/types";

export interface Process {
  role: string;
  instance: string;
  status: ComponentStatus;
  since: string;
  components: Component[];
}

const order: ComponentStatus[] = ["down", "degraded", "starting", "ok", "standby"];

function worst(components: Component[]): ComponentStatus {
  return order.find((status) => components.some((component) => component.status === status)) ?? "ok";
}

export function processes(components: Component[]): Process[] {
  const found = new Map<string, Component[]>();
  for (const component of components) {
    const key = `${component.role}/${component.instance}`;
    found.set(key, [...(found.get(key) ?? []), component]);
  }
  return [...found.values()].map((own) => ({
    role: own[0]?.role ?? "",
    instance: own[0]?.instance ?? "",
    status: worst(own),
    since: own.map(({ since }) => since).filter(Boolean).sort().at(-1) ?? "",
    components: own,
  }));
}

export function lagOf({ params }: Component): number | null {
  return typeof params["lag_s"] === "number" ? params["lag_s"] : null;
}
