import { useTranslation } from "react-i18next";
import { useNow } from "../state/live";
import { useFormat } from "../state/server";

interface Props {
  at: string | number;
  /** "age": how long ago; "exact": the moment itself, with the age on hover. */
  as?: "age" | "exact";
}

/** A moment, as an age that one clock moves for the whole window, exact on hover. */
export function Time({ at, as = "age" }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  const ms = typeof at === "number" ? at : Date.parse(at);
  if (Number.isNaN(ms)) return <>–</>;
  const exact = format.dateTime(ms);
  const age = ms > now ? t("frame.in", { age: format.age((ms - now) / 1000) }) : t("age.ago", { age: format.age((now - ms) / 1000) });
  return <time dateTime={new Date(ms).toISOString()} title={as === "age" ? exact : age}>{as === "age" ? age : exact}</time>;
}
