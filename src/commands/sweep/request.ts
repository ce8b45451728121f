/** What a sweep is asked for. */
import type { Scheme } from '../../quant/scheme.js';
import type { SchemeOverrides } from '../../quant/presets.js';
import type { Selection } from '../../quant/select.js';
import type { AccuracyRequest } from '../accuracy/request.js';
import type { DataRequest } from '../data-request.js';

export const SWEEP_PARTS = ['alone', 'restored', 'experiments', 'fixes', 'search'] as const;
export type SweepPart = (typeof SWEEP_PARTS)[number];

/** What can be written for other tools. */
export const EXPORT_KINDS = ['qdq', 'ort', 'tflite', 'ai-edge', 'aimet', 'qnn'] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

export interface SweepRequest {
  readonly model: string;
  readonly calib: readonly string[];
  /** Measured on instead of the calibration data when not empty. */
  readonly eval: readonly string[];
  readonly data: DataRequest;
  /** Of the toolchain of the model's format when absent. */
  readonly scheme?: Scheme;
  /** Changes to that default. */
  readonly schemeOverrides?: SchemeOverrides;
  readonly selection: Selection;
  readonly accuracy: AccuracyRequest;
  readonly parts: ReadonlySet<SweepPart>;
  /** Name -> patterns, as of `--only`. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Of the configuration file, as it says them. */
  readonly experiments?: { readonly value: unknown; readonly source: string };
  /** Largest drop that the search may leave: 1pt, 1%. */
  readonly target?: { readonly text: string; readonly source: string };
  /** What the search moves layers to. */
  readonly to: 'float' | 'int16';
  /** Results are kept in this file as they come, and those in it are not computed again. */
  readonly resume?: string;
  readonly exports: readonly { readonly kind: ExportKind; readonly file: string }[];
  /** Of the runtime, side by side. */
  readonly processes: number;
  /** Of each process. */
  readonly threads: number;
  readonly timestamp: boolean;
}
