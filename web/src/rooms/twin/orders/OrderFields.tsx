import { NumberInput, SegmentedControl, Select, Slider, Switch, Textarea } from "@mantine/core";
import { useFormat } from "../../../console/state/server";
import type { CommandSpec, ParameterSpec } from "../../../shared/api/types";
import { choiceWord, paramWord, unitWord } from "../kindWords";
import classes from "./orders.module.css";
import { type Value, type Values, isSlid } from "./params";

const mostSegments = 3;
const quarters = [0, 0.25, 0.5, 0.75, 1];

interface FieldProps {
  kind: string;
  param: ParameterSpec;
  /** Whose words a choice has: those of the point that shows it. */
  shown: string;
  value: Value | undefined;
  onChange: (value: Value) => void;
}

function Field({ kind, param, shown, value, onChange }: FieldProps) {
  const format = useFormat();
  const label = paramWord(kind, param.name);
  const testId = `${param.name}-input`;
  if (param.kind === "flag") {
    return <Switch label={label} data-testid={testId} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
  }
  if (param.kind === "text") {
    return (
      <Textarea
        label={label} data-testid={testId} autosize minRows={1} maxRows={4} maxLength={param.max} value={String(value ?? "")}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  if (param.kind === "choice") {
    const data = param.words.map((name) => ({ value: name, label: choiceWord(kind, shown, name) }));
    return param.words.length > mostSegments
      ? <Select label={label} data-testid={testId} data={data} value={String(value ?? "")} onChange={(chosen) => chosen !== null && onChange(chosen)} />
      : (
        <div>
          <span className={classes["label"]}>{label}</span>
          <SegmentedControl fullWidth aria-label={label} data-testid={testId} data={data} value={String(value ?? "")} onChange={(chosen) => onChange(chosen)} />
        </div>
      );
  }
  const number = typeof value === "number" ? value : param.min;
  const suffix = param.unit === "%" ? format.percentSign : unitWord(param.unit) && `\u00a0${unitWord(param.unit)}`;
  const whole = param.unit === "%" || param.unit === "1";
  return (
    <div>
      <span className={classes["label"]}>{label}</span>
      <div className={classes["number"]}>
        {isSlid(param) && (
          <Slider
            className={classes["slider"] ?? ""} min={param.min} max={param.max} step={1} value={number} onChange={onChange} label={null} thumbLabel={label} color="gray.5" size={6}
            marks={param.unit === "%" ? quarters.map((part) => ({ value: param.min + part * (param.max - param.min) })) : []}
          />
        )}
        <NumberInput
          className={classes["typed"] ?? ""} aria-label={label} data-testid={testId} min={param.min} max={param.max} step={param.unit === "%" ? 5 : 1}
          allowDecimal={!whole} clampBehavior="strict" suffix={suffix} value={number} onChange={(typed) => typeof typed === "number" && onChange(typed)}
        />
      </div>
    </div>
  );
}

/** One field for each parameter that an order declares. */
export function OrderFields({ kind, command, values, onChange }: { kind: string; command: CommandSpec; values: Values; onChange: (values: Values) => void }) {
  return command.params.map((param) => (
    <Field
      key={param.name} kind={kind} param={param} shown={command.shows[param.name] ?? param.name} value={values[param.name]}
      onChange={(value) => onChange({ ...values, [param.name]: value })}
    />
  ));
}
