/** A change as rows of field, before, after: only what differs. */
export interface FieldChange {
  field: string;
  before: string | null;
  after: string | null;
}

function text(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

export function fieldChanges(before: unknown, after: unknown): FieldChange[] {
  const old = record(before);
  const now = record(after);
  if (!old && !now) return [{ field: "", before: text(before), after: text(after) }];
  const fields = new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})]);
  return [...fields]
    .map((field) => ({ field, before: text(old?.[field]), after: text(now?.[field]) }))
    .filter((change) => change.before !== change.after);
}
