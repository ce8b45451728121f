import { describe, expect, it } from 'vitest';
import { exportQdq } from '../../../../src/commands/sweep/export/qdq.js';
import { wireModel } from '../../../../src/onnx/wire-model.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import { quantizedModel } from '../../../compile/export/carried.js';

describe('the decision as a QDQ model', () => {
  it('is the model of the user, and says what became of it', async () => {
    const { graph, lane, file } = await quantizedModel('fixtures/sweep/qdq/legacy.onnx', SCHEMES['ort']!);
    const { content, note, lost } = exportQdq({ graph, lane }, file);
    expect(note).toMatch(
      /^the model with quantizers added: onnxruntime\.InferenceSession\(FILE\); norm1 is folded/,
    );
    expect(lost).toEqual([]);
    expect(wireModel(content as Uint8Array).outputs).toEqual(['y']);
  });

  it('is a model of its own where the file cannot be changed', async () => {
    const { graph, lane, file } = await quantizedModel(
      'fixtures/triage/triage_float.tflite',
      SCHEMES['tflite']!,
    );
    expect(exportQdq({ graph, lane }, file).note).toMatch(/^a model with quantizers: .*; written anew/);
  });
});
