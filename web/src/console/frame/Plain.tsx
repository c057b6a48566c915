import { visible } from "../../shared/visible";

/** What a person wrote: no markup, its own line breaks, and nothing hidden in it. */
export function Plain({ text }: { text: string }) {
  return (
    <p style={{ margin: 0, whiteSpace: "pre-line", overflowWrap: "anywhere" }}>
      {text.split(/\r\n|\r|\n/).map(visible).join("\n")}
    </p>
  );
}
