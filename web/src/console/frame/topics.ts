/** What moves on the server is asked again: each room says which of its queries a live topic concerns. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { connection } from "../state/live";
import { rooms } from "./rooms";

const queriesOf = new Map<string, string[]>();
for (const { topics } of rooms.values()) {
  for (const [topic, queries] of Object.entries(topics ?? {})) queriesOf.set(topic, [...(queriesOf.get(topic) ?? []), ...queries]);
}

export function useRoomTopics(): void {
  const client = useQueryClient();
  useEffect(
    () => connection.onEvent(({ topic }) => {
      for (const query of queriesOf.get(topic) ?? []) void client.invalidateQueries({ queryKey: [query] });
    }),
    [client],
  );
}
