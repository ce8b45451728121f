/** What a chart of values by name shows: layers, experiments, steps of a ladder, each with one or several values. */

/** Told apart by form as well as colour. */
export type Form = 'circle' | 'triangle' | 'square' | 'cross' | 'bar';

export interface DotSeries {
  readonly key: string;
  readonly title: string;
  readonly form: Form;
  /** CSS colour, such as var(--self). */
  readonly color: string;
}

export interface DotValue {
  /** Of a series. */
  readonly series: string;
  readonly value?: number;
  readonly interval?: readonly [low: number, high: number];
  /** Where the line to it starts; no line when absent. */
  readonly from?: number;
  /** Said at the edge where there is no number: "exact", "failed". */
  readonly instead?: string;
  /** For the reader, as "31.2 dB". */
  readonly text: string;
}

export interface DotRow {
  /** Unique. */
  readonly key: string;
  readonly label: string;
  /** A title for the rows below it. */
  readonly isHeading?: true;
  readonly isStrong?: boolean;
  readonly values: readonly DotValue[];
}

/** A value that all others are held against. */
export interface Level {
  readonly value: number;
  readonly title: string;
  readonly form: 'solid' | 'dashed' | 'dotted';
}

export interface DotSpec {
  readonly rows: readonly DotRow[];
  readonly series: readonly DotSeries[];
  readonly levels: readonly Level[];
  /** Of the axis of values, with its unit. */
  readonly axis: string;
  /** Of the rows in columns: "layers in graph order". */
  readonly order: string;
  /** Series are kinds of rows, of which each row has one: their values lie on the line of the row. */
  readonly isTogether?: boolean;
  /** Values are whole numbers. */
  readonly isCount?: boolean;
  /** The axis holds 0. */
  readonly hasZero?: boolean;
}

/** More rows than these become columns without names. */
const MOST_ROWS = 48;

export function isInRows({ rows }: Pick<DotSpec, 'rows'>): boolean {
  return rows.length <= MOST_ROWS;
}
