/** Live progress of commands: events are merged into what the screens have asked for. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Command } from "../../shared/api/types";
import type { CommandEvent } from "../../shared/live/protocol";
import { connection } from "../../console/state/live";

function merge(client: QueryClient, event: CommandEvent): void {
  client.setQueryData<Command>(["command", event.id], (known) =>
    known && { ...known, counts: event.counts, ended_at: event.ended_at },
  );
  void client.invalidateQueries({ queryKey: ["commands"] });
  void client.invalidateQueries({ queryKey: ["targets", event.id] });
}

export function useCommandEvents(): void {
  const client = useQueryClient();
  useEffect(() => connection.onEvent((event) => event.topic === "command" && merge(client, event)), [client]);
  useEffect(
    () => connection.onEvent((event) => event.topic === "system" && void client.invalidateQueries({ queryKey: ["system"] })),
    [client],
  );
}
