/** The decision as a QDQ ONNX model. */
import { qdqModel } from '../../../compile/export/qdq-model.js';
import type { Decision, Exported } from './decision.js';

/**
 * @param file bytes of the model that was swept
 * @throws UnsupportedError where no ONNX model can say it
 */
export function exportQdq({ graph, lane }: Pick<Decision, 'graph' | 'lane'>, file: Uint8Array): Exported {
  const { bytes, how, notes, lost } = qdqModel(file, graph, lane);
  const what = how === 'changed' ? 'the model with quantizers added' : 'a model with quantizers';
  return {
    content: bytes,
    note: [`${what}: onnxruntime.InferenceSession(FILE)`, ...notes].join('; '),
    lost,
  };
}
