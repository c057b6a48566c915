/** Live progress of commands, merged into what the screens have asked for. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import type { Command } from "../../shared/api/types";
import { rows, useTouched } from "../../shared/live/live";
import type { Rows } from "../../shared/live/rows";
import type { OpenCommand } from "../../shared/live/topics";

const topic = "control.commands";

/** A command under way brings its counts; one that ended is asked for anew. */
export function merge(client: QueryClient, open: Rows<OpenCommand>, ids: readonly string[] | null): void {
  for (const id of ids ?? open.byId.keys()) {
    const row = open.byId.get(id);
    if (row) {
      client.setQueryData<Command>(["command", id], (known) =>
        known && { ...known, total: row.total, counts: row.counts, ended_at: null },
      );
    } else void client.invalidateQueries({ queryKey: ["command", id] });
    if (ids) void client.invalidateQueries({ queryKey: ["targets", id] });
  }
  if (!ids) {
    void client.invalidateQueries({ queryKey: ["command"] });
    void client.invalidateQueries({ queryKey: ["targets"] });
  }
  void client.invalidateQueries({ queryKey: ["commands"] });
}

export function useCommandEvents(): void {
  const client = useQueryClient();
  useTouched(topic, (ids) => merge(client, rows.get(topic) as Rows<OpenCommand>, ids));
}
