import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import classes from "./Refusal.module.css";

/** Why something was refused, beside the form that asked for it. */
export function Refusal({ children }: { children: ReactNode }) {
  return (
    <div role="alert" className={classes["refusal"]}>
      <TriangleAlert size={16} aria-hidden />
      <span>{children}</span>
    </div>
  );
}
