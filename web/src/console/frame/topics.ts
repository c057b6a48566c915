/** What moves on the server is asked again: each room says which of its queries a live topic concerns. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { connection, rows } from "../../shared/live/live";
import { useSession } from "../session/session";
import { rooms } from "./rooms";

export function useRoomTopics(): void {
  const client = useQueryClient();
  const { rooms: on } = useSession();
  useEffect(() => {
    const concerned = on.flatMap((name) => Object.entries(rooms.get(name)?.topics ?? {}));
    const stops = concerned.flatMap(([topic, queries]) => [
      connection.follow(topic),
      rows.onTouched(topic, () => {
        for (const query of queries) void client.invalidateQueries({ queryKey: [query] });
      }),
    ]);
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, on]);
}
