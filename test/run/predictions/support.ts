/** Outputs and requests as the tests of decoders need them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DecoderRequest, OutputForm } from '../../../src/run/predictions/index.js';
import type {
  BoxesPrediction,
  DecodeContext,
  NetworkOutput,
  Prediction,
} from '../../../src/run/predictions/prediction.js';

export function output(
  name: string,
  dims: readonly number[],
  data: ArrayLike<number> = new Float32Array(dims.reduce((a, b) => a * b, 1)),
): NetworkOutput {
  return { name, dims, data: Float32Array.from(data) };
}

export function contextOf(
  input: DecodeContext['input'] = { width: 96, height: 64 },
  constants: Readonly<Record<string, readonly Float32Array[]>> = {},
): DecodeContext {
  return { input, constants: (dims) => constants[dims.join('x')] ?? [] };
}

export function requestOf(
  outputs: readonly (NetworkOutput | OutputForm)[],
  more: Partial<DecoderRequest> = {},
): DecoderRequest {
  const forms = outputs.map(({ dims, name, ...rest }): OutputForm => {
    return { name, dims, dtype: 'float32', ...('dtype' in rest ? rest : {}) };
  });
  return { outputs: forms, format: 'onnx', metadata: new Map(), context: contextOf(), ...more };
}

export function boxesOf(prediction: Prediction): BoxesPrediction {
  if (prediction.kind !== 'boxes') throw new Error(`boxes are wanted, not ${prediction.kind}`);
  return prediction;
}

/** A head of fixtures/decoders/heads.json, with its detections as x0 y0 x1 y1 score class. */
export interface HeadCase {
  readonly name: string;
  readonly outputs: readonly NetworkOutput[];
  readonly context: DecodeContext;
  readonly detections: readonly (readonly number[])[];
}

interface Stored {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: string;
}

function read({ name, dims, data }: Stored): NetworkOutput {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  return { name, dims, data: new Float32Array(bytes.buffer) };
}

const HEADS = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/decoders/heads.json'), 'utf8'),
) as {
  readonly width: number;
  readonly height: number;
  readonly cases: readonly {
    name: string;
    outputs: Stored[];
    anchors: Stored | null;
    detections: number[][];
  }[];
};

export const HEAD_CASES: readonly HeadCase[] = HEADS.cases.map((entry) => {
  const anchors = entry.anchors === null ? undefined : read(entry.anchors);
  return {
    name: entry.name,
    outputs: entry.outputs.map(read),
    context: contextOf(
      { width: HEADS.width, height: HEADS.height },
      anchors === undefined ? {} : { [anchors.dims.join('x')]: [anchors.data as Float32Array] },
    ),
    detections: entry.detections,
  };
});
