import { TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { Search, X } from "lucide-react";
import { type RefObject, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ApiError } from "../../shared/api/errors";
import { type Term, holds, joined, split, toggled } from "../../shared/filter";
import { explain, fieldFaults } from "../../shared/i18n/words";
import classes from "./FilterBar.module.css";
import { TimeChips } from "./TimeChips";
import { spanIn } from "./timeTerms";

export interface FilterSpec {
  placeholder: string;
  /** Ready-made filters: "Ouverts", with their number when it is known. */
  chips?: readonly { label: string; filter: string; count?: number }[];
  /** The field of time that the list is looked at by: its periods come as chips. */
  time?: string;
  /** A term as people say it: `municipality:21166` → "Chenôve". Null: shown as it is. */
  words?: (field: string, value: string) => string | null;
}

interface Props {
  spec: FilterSpec;
  value: string;
  onChange: (filter: string) => void;
  /** Enter or Escape in the field: back to the rows. */
  onLeave: () => void;
  fieldRef: RefObject<HTMLInputElement | null>;
  fault: ApiError | null;
}

/** The field takes words and terms; a term that is complete becomes a chip, and no one need read the grammar. */
export function FilterBar({ spec, value, onChange, onLeave, fieldRef, fault }: Props) {
  const { t } = useTranslation();
  const problem = useId();
  const [parts, setParts] = useState(() => ({ from: value, terms: split(value).terms, typed: split(value).words }));
  if (parts.from !== value && joined(parts.terms, parts.typed) !== value) {
    // Changed elsewhere: by a chip, a saved view or the browser's way back.
    const { terms, words } = split(value);
    setParts({ from: value, terms, typed: words });
  }
  const apply = useDebouncedCallback((text: string) => onChange(text), 250);
  const put = (terms: readonly Term[], typed: string, at: "once" | "soon") => {
    const text = joined(terms, typed);
    setParts({ from: text, terms: [...terms], typed });
    if (at === "soon") apply(text);
    else onChange(text);
  };
  /** What was typed as a term leaves the field for the chips. */
  const settle = () => {
    const { terms, words } = split(joined(parts.terms, parts.typed));
    put(terms, words, "once");
  };
  const period = spec.time !== undefined && spanIn(parts.terms, spec.time) !== null ? spec.time : null;
  const shown = parts.terms.filter(({ text, field }) => field !== period && !spec.chips?.some(({ filter }) => filter === text));
  return (
    <div className={classes["bar"]}>
      <TextInput
        ref={fieldRef} className={classes["field"] ?? ""} size="xs" aria-label={t("frame.filter")} placeholder={spec.placeholder} data-testid="filter"
        leftSection={<Search size={14} aria-hidden />} value={parts.typed} spellCheck={false} error={fault !== null}
        aria-describedby={fault ? problem : undefined}
        onChange={(event) => put(parts.terms, event.currentTarget.value, "soon")} onBlur={settle}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== "Escape") return;
          event.preventDefault();
          settle();
          onLeave();
        }}
      />
      {spec.time !== undefined && <TimeChips field={spec.time} value={value} onChange={onChange} />}
      {spec.chips?.map(({ label, filter, count }) => (
        <UnstyledButton key={filter} className={classes["chip"]} aria-pressed={holds(value, filter)} onClick={() => onChange(toggled(value, filter))}>
          {label}{count !== undefined && <strong>{count}</strong>}
        </UnstyledButton>
      ))}
      {shown.map((term) => {
        const words = spec.words?.(term.field, term.value) ?? term.text;
        return (
          <UnstyledButton
            key={term.text} className={classes["term"]} title={term.text} aria-label={t("frame.dropTerm", { term: words })} data-testid="term"
            onClick={() => put(parts.terms.filter(({ text }) => text !== term.text), parts.typed, "once")}
          >
            {words}<X size={12} aria-hidden />
          </UnstyledButton>
        );
      })}
      {fault && (
        <p id={problem} className={classes["fault"]} role="alert" data-testid="filter-fault">
          {explain(fault)}{fieldFaults(fault).map(({ field, words }) => <span key={field}>{words}</span>)}
        </p>
      )}
    </div>
  );
}
