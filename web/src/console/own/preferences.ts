import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type Preferences, getPreferences, putPreferences } from "./calls";

const key = ["preferences"];
const initial: Preferences = { digits: {}, toured: false };

/** How this person likes their console; `known` once the server has said. */
export function usePreferences(): { preferences: Preferences; known: boolean; change: (part: Partial<Preferences>) => void } {
  const client = useQueryClient();
  const asked = useQuery({ queryKey: key, queryFn: getPreferences, staleTime: Infinity });
  const put = useMutation({ mutationFn: putPreferences });
  const preferences = asked.data ?? initial;
  return {
    preferences,
    known: asked.isSuccess,
    change: (part) => {
      const next = { ...preferences, ...part };
      client.setQueryData(key, next);
      put.mutate(next);
    },
  };
}
