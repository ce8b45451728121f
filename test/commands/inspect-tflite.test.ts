/** TFLite files as `inspect` shows them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inspect } from '../../src/commands/inspect.js';
import type { InspectedModel, InspectReport } from '../../src/report/inspect-report.js';
import { renderInspect } from '../../src/report/inspect-terminal.js';
import { renderJson } from '../../src/report/json.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';
import { modelBytes } from '../loader/tflite/flat-model.js';

const files = workspace();

function inspected(path: string): Promise<InspectReport> {
  return inspect({ models: [path], shapes: new Map(), timestamp: false, complete: true });
}

async function fixture(name: string): Promise<{ model: InspectedModel; text: string }> {
  const report = await inspected(projectPath(`fixtures/tflite/${name}.tflite`));
  const text = renderInspect(report, { width: 110, color: false, top: undefined, quiet: false });
  // The document has everything that the text is made from.
  const { models } = JSON.parse(renderJson(report)) as InspectReport;
  return { model: models[0]!, text };
}

describe('a float TFLite file', () => {
  it('has ports, layers and weights in the words and shapes of the file, and no quantization', async () => {
    const { model, text } = await fixture('digits_float');
    expect(model).toMatchObject({ format: 'tflite', ops: 11, producer: 'qdbg fixture', domains: {} });
    expect(model).not.toHaveProperty('opset');
    expect(model).not.toHaveProperty('irVersion');
    expect(model).not.toHaveProperty('quantization');
    expect(model.inputs).toEqual([{ name: 'image', dtype: 'float32', shape: [1, 8, 8, 1] }]);
    expect(model.outputs).toEqual([{ name: 'probabilities', dtype: 'float32', shape: [1, 10] }]);
    expect(model.opCounts).toContainEqual({ op: 'DEPTHWISE_CONV_2D', count: 2 });
    expect(model.layers[5]).toMatchObject({
      node: 'DEPTHWISE_CONV_2D#5',
      shape: [1, 4, 4, 48],
      parameters: 480,
      weight: { tensor: 'block2/depthwise.weight', shape: [1, 3, 3, 48], axis: 3 },
    });
    expect(text).not.toContain('QUANTIZATION');
    expect(text).toMatch(/^ {2}image {2}float32 {2}1x8x8x1$/m);
    expect(text).toMatch(/^ {2}5 {2}DEPTHWISE_CONV_2D#5 +DEPTHWISE_CONV_2D +1x4x4x48 +480 /m);
    expect(text).toMatch(/^INT8 WEIGHTS {2}forecast/m);
  });

  it('has the multiply-accumulates of its ONNX twin', async () => {
    const { model } = await fixture('digits_float');
    const onnx = await inspected(projectPath('fixtures/digits/digits.onnx'));
    expect(model.macs.total).toBe(onnx.models[0]!.macs.total);
  });
});

describe('an int8 TFLite file', () => {
  it('says in its ports what the codes stand for', async () => {
    const { model, text } = await fixture('digits_int8');
    const quant = { dtype: 'int8', zeroPoint: [-128], qmin: -128, qmax: 127, source: 'file' };
    expect(model.inputs[0]!.quant).toEqual({ ...quant, scale: [Math.fround(1 / 255)] });
    expect(model.outputs[0]!.quant).toEqual({ ...quant, scale: [1 / 256] });
    expect(text).toContain(
      '  image  int8  1x8x8x1\n' +
        '    quantize    code = clamp(round(value / 0.003921569) - 128, -128, 127)\n' +
        '    back        value = (code + 128) * 0.003921569\n' +
        '    numpy       q = np.clip(np.round(x / np.float32(0.003921569)) - 128, -128, 127).astype(np.int8)\n' +
        '    range       0 to 1 in steps of 0.003922\n',
    );
    expect(text).toContain(
      '  probabilities  int8  1x10\n' +
        '    dequantize  value = (code + 128) * 0.00390625\n' +
        '    numpy       x = (q.astype(np.float32) + 128) * np.float32(0.00390625)\n' +
        '    range       0 to 0.9961 in steps of 0.003906\n' +
        '    values      probabilities (SOFTMAX), which add up to 1 once dequantized\n',
    );
  });

  it('says which preparation its input implies, and that pixels need no arithmetic', async () => {
    const { model, text } = await fixture('digits_int8');
    expect(model.inputs[0]!.contract).toMatchObject({
      form: 'codes',
      preprocessing: { implied: { family: 'unit', isExact: true }, pixelShift: -128, remarks: [] },
    });
    expect(text).toMatch(/^ {4}implies {5}pixel \/ 255 for 8-bit images/m);
    expect(text).toMatch(/^ {4}pixels {6}feed pixel - 128 as int8: /m);
  });

  it('lists its tensors in graph order with what their codes stand for', async () => {
    const { model, text } = await fixture('digits_int8');
    const { tensors } = model.quantization!;
    expect(tensors.every(({ marks }) => marks.length === 0)).toBe(true);
    expect(tensors[0]).toMatchObject({
      tensor: 'image',
      role: 'input',
      dtype: 'int8',
      granularity: 'per-tensor',
      zeroPoints: { min: -128, max: -128 },
      represents: { min: 0, max: 255 * Math.fround(1 / 255) },
    });
    const weight = tensors.find(({ role }) => role === 'weight')!;
    expect(weight.granularity).toBe('per-axis');
    expect(weight.scales.count).toBe(weight.quant!.scale.length);
    expect(weight.scales.max).toBe(Math.max(...weight.quant!.scale));
    expect(weight.shape[weight.axis!]).toBe(weight.scales.count);
    expect(tensors.some(({ role }) => role === 'bias')).toBe(true);
    const table = text.slice(text.indexOf('QUANTIZED TENSORS'), text.indexOf('\nQUANTIZATION'));
    expect(table).toMatch(/^ {2}image +input +int8 +1 +0\.003922 +-128 +0 +1$/m);
    // Their scales follow from the others.
    expect(table).not.toMatch(/ bias /);
  });

  it('says what is quantized and how', async () => {
    const { model, text } = await fixture('digits_int8');
    expect(model.quantization).toMatchObject({
      scheme: {
        name: 'file',
        activations: { dtype: 'int8', symmetric: false, granularity: 'per-tensor' },
        weights: { dtype: 'int8', symmetric: true, granularity: 'per-axis' },
        bias: 'int32',
      },
      coverage: {
        ops: { quantized: 11, total: 11 },
        macs: { quantized: model.macs.total, total: model.macs.total },
        hybrid: { ops: 0, macs: 0 },
        islands: [],
      },
      dynamic: [],
      unfolded: [],
      findings: [],
    });
    expect(text).toContain(
      "QUANTIZATION\n  the file's own: activations int8 asymmetric per-tensor, weights int8 symmetric per-axis, bias int32\n" +
        '  11 of 11 operators compute with integers, 100 % of the multiply-accumulates\n',
    );
    // What int8 would cost is no forecast any more.
    expect(text).not.toContain('INT8 WEIGHTS');
    expect(text).not.toContain('FINDINGS');
  });

  it('has the weights that its codes stand for', async () => {
    const [{ model: float }, { model: int8 }] = [await fixture('digits_float'), await fixture('digits_int8')];
    float.layers.forEach(({ weight }, i) => {
      if (weight === undefined) return;
      const own = int8.layers[i]!.weight!;
      expect(Math.abs(own.min! / weight.min! - 1)).toBeLessThan(0.01);
      expect(Math.abs(own.max! / weight.max! - 1)).toBeLessThan(0.01);
    });
  });
});

describe('other integer TFLite files', () => {
  it('of 16-bit activations have 64-bit biases and ports without a zero point', async () => {
    const { model, text } = await fixture('ops/conv_int16x8');
    expect(model.quantization!.scheme).toEqual({
      name: 'file',
      activations: { dtype: 'int16', symmetric: true, granularity: 'per-tensor' },
      weights: { dtype: 'int8', symmetric: true, granularity: 'per-axis' },
      bias: 'int64',
    });
    expect(text).toContain(
      '  x  int16  2x7x6x4\n    quantize    code = clamp(round(value / 0.00018311106), -32768, 32767)\n',
    );
    expect(text).toMatch(/^ {4}back {8}value = code \* 0\.00018311106$/m);
  });

  it('of uint8 have weights with a zero point', async () => {
    const { model } = await fixture('ops/conv_uint8');
    expect(model.quantization!.scheme).toMatchObject({
      activations: { dtype: 'uint8', symmetric: false },
      weights: { dtype: 'uint8', symmetric: false, granularity: 'per-tensor' },
      bias: 'int32',
    });
  });

  it('with quantized weights alone have hybrid kernels, which is said', async () => {
    const { model, text } = await fixture('ops/fully_connected_hybrid');
    expect(model.quantization).toMatchObject({
      scheme: { activations: 'float', bias: 'float', weights: { dtype: 'int8', symmetric: true } },
      coverage: {
        ops: { quantized: 0, total: 15 },
        islands: [{ reason: 'hybrid: int8 weights, float activations' }],
      },
    });
    expect(text).toContain(
      "the file's own: activations float, weights int8 symmetric per-tensor, bias float",
    );
    expect(text).toContain('0 of 15 operators compute with integers');
    expect(text).toMatch(
      /^ {2}float {2}FULLY_CONNECTED#0, .* and 11 more[^]*?\n {9}hybrid: int8 weights, float activations$/m,
    );
  });

  it('with weights in half precision are float files', async () => {
    const { model } = await fixture('ops/conv_float16');
    expect(model).not.toHaveProperty('quantization');
    // The DEQUANTIZE of a weight is the weight.
    expect(model.opCounts.map(({ op }) => op)).toEqual(['CONV_2D', 'FULLY_CONNECTED']);
    expect(model.layers[0]!.weight!.dtype).toBe('float32');
  });
});

describe('a TFLite file with faults', () => {
  it('shows them, worst first, and is shown all the same', async () => {
    const bytes = Buffer.from(readFileSync(projectPath('fixtures/tflite/digits_int8.tflite')));
    // The scale of the output, 1/256 as float32, stands in the file once.
    const scale = Buffer.from(new Uint8Array(Float32Array.of(1 / 256).buffer));
    const at = bytes.indexOf(scale);
    expect(bytes.indexOf(scale, at + 1)).toBe(-1);
    bytes.writeFloatLE(NaN, at);
    const report = await inspected(files.file('nan.tflite', bytes));
    expect(report.models[0]!.quantization!.findings[0]).toMatchObject({
      rule: 'q.degenerate',
      severity: 'error',
      subject: { tensor: 'probabilities' },
    });
    const text = renderInspect(report, { width: 110, color: false, top: undefined, quiet: false });
    expect(text).toMatch(
      /^FINDINGS {2}\d+, worst first\n {2}error {4}q\.degenerate {2}SOFTMAX#10 > probabilities$/m,
    );
    expect(text).toContain('the scale is NaN; a positive number is wanted');
    expect(() => renderJson(report)).not.toThrow();
  });

  it('has unknown operators among its layers, each with the reason', async () => {
    const path = files.file(
      'custom.tflite',
      modelBytes({
        codes: [
          { builtin: 32, deprecated: 32, custom: 'Mine' },
          { builtin: 119, deprecated: 119 },
        ],
        tensors: [{ name: 'x' }, { name: 'a' }, { name: 'b' }],
        inputs: [0],
        outputs: [2],
        operators: [
          { code: 0, inputs: [0], outputs: [1] },
          { code: 1, inputs: [1], outputs: [2] },
        ],
      }),
    );
    const [model] = (await inspected(path)).models;
    expect(model!.opCounts.map(({ op }) => op)).toContain('Mine');
    expect(model!.layers).toHaveLength(2);
  });
});
