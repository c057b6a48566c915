/** Words for what the server names by a code: errors, reasons, acts. An unknown code is shown, never hidden. */
import i18next from "i18next";
import { ApiError } from "../api/errors";

/** `group` is one of the catalogue's: act, problem, permission, desk … Rooms add to them. */
export function word(group: string, code: string, params: Record<string, unknown> = {}): string {
  return i18next.t(`${group}.${code.replace(/[^a-zA-Z0-9]+/g, "_")}`, { ...params, defaultValue: code });
}

/** The faulty fields of a form or filter, each in the reader's words as far as its code has any. */
export function fieldFaults(error: unknown): { field: string; words: string }[] {
  if (!(error instanceof ApiError)) return [];
  return error.fields.map(({ field, code, message }) => ({
    field, words: i18next.exists(`problem.${code}`) ? word("problem", code, error.problem.params) : message,
  }));
}

export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return word("problem", "unexpected");
  const key = `problem.${error.code}`;
  if (i18next.exists(key)) return word("problem", error.code, { ...error.problem.params, retry: error.retryAfter ?? 60 });
  const byStatus = `http_${error.status}`;
  if (i18next.exists(`problem.${byStatus}`)) {
    const detail = error.problem.detail ?? "";
    return detail ? `${word("problem", byStatus)} ${detail}` : word("problem", byStatus);
  }
  return error.message;
}
