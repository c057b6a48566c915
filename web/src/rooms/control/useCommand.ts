import { useQuery } from "@tanstack/react-query";
import { getCommand } from "./calls";

export function useCommand(id: string) {
  return useQuery({
    queryKey: ["command", id],
    queryFn: () => getCommand(id),
    // Events bring progress; asking now and then covers what a broken connection missed.
    refetchInterval: (query) => (query.state.data?.ended_at ? false : 2_000),
  });
}
