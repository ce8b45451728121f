/**
 * `--quantization_overrides` of the converters of Qualcomm's AI Engine Direct (QNN) and AI Runtime: encodings of version 0.6.1
 * of AIMET's format, one list entry per tensor or per channel. Layers in float have 16-bit float entries, the one
 * floating-point type of its integer processor.
 */
import type { Decision, Exported } from './decision.js';
import { listed, lostValues } from './decided-layers.js';
import { foldedNodes } from './edge-quantizers.js';
import { encodingsOf, floatTensors, type Encoding } from './encodings.js';

export type QnnEncoding =
  | {
      readonly bitwidth: number;
      readonly dtype: 'int';
      readonly is_symmetric: 'True' | 'False';
      readonly max: number;
      readonly min: number;
      readonly offset: number;
      readonly scale: number;
    }
  | { readonly bitwidth: 16; readonly dtype: 'float' };

/** The document, plain JSON. */
export interface QnnEncodings {
  readonly version: '0.6.1';
  readonly activation_encodings: Readonly<Record<string, readonly QnnEncoding[]>>;
  readonly param_encodings: Readonly<Record<string, readonly QnnEncoding[]>>;
}

const TOOL = 'QNN';
const FLOAT: readonly QnnEncoding[] = [{ bitwidth: 16, dtype: 'float' }];

export function exportQnn(decision: Decision): Exported {
  const lost = lostValues(decision, TOOL);
  const encodings = encodingsOf(decision, TOOL, lost);
  const { written, constants } = floatTensors(decision);
  const float = new Set(written.map(({ name }) => name));
  const requantized = encodings.filter(({ name, isConstant }) => !isConstant && float.has(name));
  if (requantized.length > 0) {
    lost.push(
      `quantizers of ${listed(requantized.map(({ name }) => name))}, which layers in float write and quantized ones read: ` +
        `${TOOL} has one encoding for a tensor, and these are float`,
    );
  }
  lost.push(...foldedNodes(decision.graph));
  const named = (
    isConstant: boolean,
    inFloat: readonly { readonly name: string }[],
  ): Record<string, readonly QnnEncoding[]> =>
    Object.fromEntries([
      ...encodings
        .filter((encoding) => encoding.isConstant === isConstant)
        .map((encoding): [string, readonly QnnEncoding[]] => [encoding.name, entries(encoding)]),
      ...inFloat
        .filter(({ name }) => name !== '')
        .map(({ name }): [string, readonly QnnEncoding[]] => [name, FLOAT]),
    ]);
  const content: QnnEncodings = {
    version: '0.6.1',
    activation_encodings: named(false, written),
    param_encodings: named(true, constants),
  };
  return {
    content: `${JSON.stringify(content, null, 2)}\n`,
    note: 'encodings: qnn-onnx-converter or qairt-converter --quantization_overrides FILE, with --float_fallback where it has it and --bias_bitwidth 32',
    lost,
  };
}

function entries({ bits, isSymmetric, scale, offset }: Encoding): QnnEncoding[] {
  return scale.map((step, i) => {
    const first = offset[i] ?? 0;
    return {
      bitwidth: bits,
      dtype: 'int',
      is_symmetric: isSymmetric ? 'True' : 'False',
      max: (first + 2 ** bits - 1) * step,
      min: first * step,
      offset: first,
      scale: step,
    };
  });
}
