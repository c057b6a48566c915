/** The topics of rows, and what a row of each holds. A room adds its own by declaration merging. */
import type { Command, Component, System } from "../api/types";

export type OpenCommand = Pick<Command, "verb" | "params" | "requested_at" | "expires_at" | "total" | "counts">;
/** The system page without its components; the row `centre` of its topic. */
export type Centre = Omit<System, "components">;

export interface RowTopics {
  "control.commands": OpenCommand;
  "core.system": Component | Centre;
}
export type TopicName = keyof RowTopics;
