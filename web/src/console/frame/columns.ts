/** The columns of a list and the grid that they make. */
import type { ReactNode } from "react";

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** A CSS grid track, "170px" or "minmax(120px, 2fr)"; what is not said shares what is left. */
  width?: string;
  /** The server's field that the head sorts by; without it the column does not sort. */
  sort?: string;
  align?: "end";
  /** Left out where the list is narrower than this, in px. */
  from?: number;
}

export const fitting = <T>(columns: readonly Column<T>[], width: number): readonly Column<T>[] =>
  columns.filter(({ from }) => from === undefined || width >= from);

export const tracks = <T>(columns: readonly Column<T>[]): string =>
  columns.map(({ width }) => width ?? "minmax(80px, 1fr)").join(" ");
