import classes from "./StateBadge.module.css";

/** How much a state asks for a person: the shape says it as well as the colour. */
export type Tone = "quiet" | "active" | "done" | "attention" | "critical";

const drawn: Record<Tone, React.ReactNode> = {
  quiet: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.4" />,
  active: <><circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.4" /><path d="M6 2a4 4 0 0 1 0 8Z" fill="currentColor" /></>,
  done: <path d="m2.5 6.500 2.300 2.300 4.700-5.300" fill="none" stroke="currentColor" strokeWidth="1.6" />,
  attention: <path d="M6 1.2 11.2 10.400H.8Z" fill="currentColor" />,
  critical: <path d="M6 .6 11.4 6 6 11.4.6 6Z" fill="currentColor" />,
};

/** A state in words, with its shape; dashed when it is not live. */
export function StateBadge({ tone, word, stale = false }: { tone: Tone; word: string; stale?: boolean }) {
  return (
    <span className={classes["badge"]} data-tone={tone} data-stale={stale || undefined}>
      <svg width={11} height={11} viewBox="0 0 12 12" aria-hidden>{drawn[tone]}</svg>
      {word}
    </span>
  );
}
