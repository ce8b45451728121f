/**
 * Encodings for AIMET, version 1.0.0 of its format (aimet-onnx 2.42, _encoding.py), read by
 * aimet_onnx.quantsim.load_encodings_to_sim. Quantizers that the file does not have are turned off by it, which is what
 * keeps layers in float.
 */
import { UsageError } from '../../../errors.js';
import type { Decision, Exported } from './decision.js';
import { lostValues } from './decided-layers.js';
import { foldedNodes } from './edge-quantizers.js';
import { encodingsOf, type Encoding } from './encodings.js';

export interface AimetEncoding {
  readonly name: string;
  readonly dtype: 'INT';
  readonly bw: number;
  readonly is_sym: boolean;
  readonly enc_type: 'PER_TENSOR' | 'PER_CHANNEL';
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** The document, plain JSON. */
export interface AimetEncodings {
  readonly version: '1.0.0';
  readonly activation_encodings: readonly AimetEncoding[];
  readonly param_encodings: readonly AimetEncoding[];
}

const TOOL = 'AIMET';

/** @throws UsageError for formats that AIMET does not read */
export function checkAimet({ graph }: Pick<Decision, 'graph'>): void {
  if (graph.format === 'onnx') return;
  throw new UsageError(`--export aimet is for ONNX models; this one is ${graph.format}`, {
    hint: '--export tflite=FILE, --export ai-edge=FILE or --export qnn=FILE',
  });
}

/** @throws UsageError as `checkAimet` */
export function exportAimet(decision: Decision): Exported {
  checkAimet(decision);
  const lost = lostValues(decision, TOOL);
  const encodings = encodingsOf(decision, TOOL, lost);
  lost.push(...foldedNodes(decision.graph));
  const content: AimetEncodings = {
    version: '1.0.0',
    activation_encodings: encodings.filter(({ isConstant }) => !isConstant).map(entry),
    param_encodings: encodings.filter(({ isConstant }) => isConstant).map(entry),
  };
  return {
    content: `${JSON.stringify(content, null, 2)}\n`,
    note: 'encodings: aimet_onnx.quantsim.load_encodings_to_sim(sim, FILE, strict=False)',
    lost,
  };
}

function entry({ name, bits, isSymmetric, isPerAxis, scale, offset }: Encoding): AimetEncoding {
  return {
    name,
    dtype: 'INT',
    bw: bits,
    is_sym: isSymmetric,
    enc_type: isPerAxis ? 'PER_CHANNEL' : 'PER_TENSOR',
    scale,
    offset,
  };
}
