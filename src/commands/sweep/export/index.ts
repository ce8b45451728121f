/** Files in which other tools take the decision of a sweep. */
import type { Decision, Exported } from './decision.js';
import { checkAiEdge, exportAiEdge } from './ai-edge.js';
import { checkAimet, exportAimet } from './aimet.js';
import { checkOnnxRuntime, exportOnnxRuntime } from './onnxruntime.js';
import { exportQnn } from './qnn.js';
import { checkTflite, exportTflite } from './tflite.js';

export type ToolName = 'ort' | 'tflite' | 'ai-edge' | 'aimet' | 'qnn';

export interface Exporter {
  /** With the dot. */
  readonly extension: string;
  /** For --help. */
  readonly description: string;
  /**
   * What can be known before anything is measured.
   *
   * @throws UsageError where the tool does not read the format of the model, or has no such scheme
   */
  check(decision: Pick<Decision, 'graph' | 'scheme'>): void;
  /** Pure. @throws UsageError as `check` */
  make(decision: Decision): Exported;
}

export const EXPORTERS: Readonly<Record<ToolName, Exporter>> = {
  ort: {
    extension: '.json',
    description: "arguments of ONNX Runtime's quantize_static: nodes_to_exclude, TensorQuantOverrides",
    check: checkOnnxRuntime,
    make: exportOnnxRuntime,
  },
  tflite: {
    extension: '.json',
    description: "denylisted_nodes of TensorFlow Lite's QuantizationDebugOptions",
    check: checkTflite,
    make: exportTflite,
  },
  'ai-edge': {
    extension: '.json',
    description: 'recipe of AI Edge Quantizer',
    check: checkAiEdge,
    make: exportAiEdge,
  },
  aimet: {
    extension: '.encodings',
    description: 'encodings of AIMET, version 1.0.0',
    check: checkAimet,
    make: exportAimet,
  },
  qnn: {
    extension: '.json',
    description: 'quantization_overrides of the QNN and QAIRT converters',
    check: () => undefined,
    make: exportQnn,
  },
};
