/** What decoders are chosen by, and what one of them is before it is chosen. */
import { formatDims } from '../../ir/elements.js';
import type { DetectionResult } from '../../ir/detections.js';
import type { DType } from '../../ir/graph.js';
import type { DecodeContext, NetworkOutput, Prediction, PredictionKind } from './prediction.js';

/** One output of a network, as one run showed it. */
export interface OutputForm {
  readonly name: string;
  readonly dims: readonly number[];
  /** Of the user's file. */
  readonly dtype: DType;
  /** The integers are codes of real values: they are scores, not classes. */
  readonly isQuantized?: boolean;
  /** Of codes under one scale: how far two neighbours are apart. */
  readonly step?: number;
  /** Which result of the operator that ends the network, where the graph says so. */
  readonly result?: DetectionResult;
}

export interface DecoderRequest {
  /** `--decode`: a name of DECODERS, `NAME:OUTPUT` to decode one output alone, or the path of a module; absent when not given. */
  readonly decode?: string;
  readonly outputs: readonly OutputForm[];
  /** What labels and metric can use, best first; anything when absent. */
  readonly wanted?: readonly PredictionKind[];
  readonly format: 'onnx' | 'tflite';
  /** Key/value pairs of the model file. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Classes that the labels name, where they say. */
  readonly classes?: number;
  readonly context: DecodeContext;
}

/** How one decoder reads these outputs. */
export interface Fit {
  readonly kind: PredictionKind;
  readonly description: string;
  readonly classes?: number;
  /** How much speaks for it; decides when nothing else does. */
  readonly strength: 'certain' | 'plausible' | 'possible';
  /** @throws DataError when the outputs are not what it decodes */
  decode(outputs: readonly NetworkOutput[], context: DecodeContext): Prediction;
}

/** A decoder that comes with qdbg. */
export interface Form {
  readonly name: string;
  /** The outputs that it takes, for messages. */
  readonly wants: string;
  /** @returns undefined when the outputs are not of its form */
  fit(request: DecoderRequest): Fit | undefined;
}

/** Without the leading 1 of the batch. */
export function unbatched(dims: readonly number[]): readonly number[] {
  return dims.length > 1 && dims[0] === 1 ? dims.slice(1) : dims;
}

/** Without extents of 1. */
export function squeezed(dims: readonly number[]): readonly number[] {
  return dims.filter((dim) => dim !== 1);
}

/** `dets [1, 100, 5], labels [1, 100]`. */
export function listed(outputs: readonly { name: string; dims: readonly number[] }[]): string {
  const shown = outputs.slice(0, 12).map(({ name, dims }) => `${name} ${formatDims(dims)}`);
  return outputs.length > 12 ? `${shown.join(', ')} and ${outputs.length - 12} more` : shown.join(', ');
}

/** Integers that stand for themselves. */
export function isWhole({ dtype, isQuantized }: OutputForm): boolean {
  return isQuantized !== true && /^u?int(8|16|32|64)$/.test(dtype);
}

const LONGEST_METADATA = 1_000_000;

/**
 * Number of classes by the metadata that Ultralytics writes, `{0: 'person', 1: 'bicycle'}`, or else by the labels.
 *
 * @returns undefined when neither says
 */
export function knownClasses({ metadata, classes }: DecoderRequest): number | undefined {
  const names = metadata.get('names');
  if (names === undefined || names.length > LONGEST_METADATA) return classes;
  let count = 0;
  for (const match of names.matchAll(/[{,]\s*["']?(\d{1,6})["']?\s*:/g)) {
    count = Math.max(count, Number(match[1]) + 1);
  }
  return count > 0 ? count : classes;
}
