/** What the journal keeps by name and code, as people say it. */
import i18next from "i18next";
import { kindsQuery, queryClient } from "../../console/state/server";
import type { Grant, JournalEntry, KindSpec } from "../../shared/api/types";
import { type Format, makeFormat } from "../../shared/i18n/format";
import { word } from "../../shared/i18n/words";
import { visible } from "../../shared/visible";
import { commandTitle } from "../twin/kindWords";

export interface Teller {
  format: Format;
  municipality: (insee: string) => string;
}

export function fieldWord(field: string): string {
  return i18next.exists(`metric.${field}`) ? word("metric", field) : word("field", field);
}

export function grantWord(grant: Grant, municipality: (insee: string) => string): string {
  const everywhere = grant.municipality === "*";
  return `${word("role", grant.role)} · ${everywhere ? i18next.t("user.everywhere") : municipality(grant.municipality)}`;
}

function listed(value: string): unknown[] | null {
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** A value of a field; what no word is known for is shown as it is. */
export function valueWord(field: string, value: string, { format, municipality }: Teller): string {
  if (value === "true" || value === "false") return i18next.t(value === "true" ? "asset.yes" : "asset.no");
  switch (field) {
    case "command": return word("commandState", value);
    case "error": return word("targetError", value);
    case "kind": return word("kind", value);
    case "municipality": return municipality(value);
    case "dimmingLevel": return Number.isFinite(Number(value)) ? format.percent(Number(value)) : value;
    case "grants": return (listed(value) as Grant[] | null)?.map((grant) => grantWord(grant, municipality)).join(", ") ?? value;
    case "permissions": return (listed(value) as string[] | null)?.map((name) => word("permission", name)).join(", ") ?? value;
    default: return value;
  }
}

/** An act as a sentence: it may name its parameters, and those of the command it carries. */
export function actOf({ act, params, personal }: JournalEntry): string {
  const inner = params["params"];
  // A name that the act keeps may have been erased since; what somebody typed at the door may be anything.
  const named = personal["username"] === undefined ? i18next.t("journal.erased") : visible(personal["username"]);
  const verb = params["verb"];
  const given = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : {};
  if (act === "control.commanded" && typeof verb === "string" && verb !== "set_dimming_level") {
    const kinds = queryClient.getQueryData<KindSpec[]>(kindsQuery.queryKey) ?? [];
    return commandTitle(kinds, { verb, params: given }, makeFormat(i18next.language, "UTC"));
  }
  return word("act", act, { username: named, ...params, ...given });
}

export function actorOf({ actor }: JournalEntry): string {
  if (actor.kind === "system") return i18next.t("journal.platform");
  if (actor.kind === "rule") return i18next.t("journal.rule", { name: actor.name ?? "" });
  return actor.name === null ? i18next.t("journal.erased") : visible(actor.name);
}
