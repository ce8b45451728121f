/** Quantized ONNX files as `inspect` shows them. Numbers expected here are those of the files' own initializers, read with `onnx`. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inspect } from '../../src/commands/inspect.js';
import { displayWidth } from '../../src/report/text-width.js';
import type { InspectedModel } from '../../src/report/inspect-report.js';
import { renderInspect } from '../../src/report/inspect-terminal.js';
import { renderJson } from '../../src/report/json.js';
import { graph, type GraphBuilder } from '../support/graph-builder.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();

async function inspected(path: string): Promise<{ model: InspectedModel; text: (width?: number) => string }> {
  const report = await inspect({ models: [path], shapes: new Map(), timestamp: false, complete: true });
  expect(() => renderJson(report)).not.toThrow();
  const text = (width = 110): string =>
    renderInspect(report, { width, color: false, top: undefined, quiet: false });
  return { model: report.models[0]!, text };
}

/** Q and DQ around a tensor; the name of what is read back. */
function pair(b: GraphBuilder, name: string, scale: number, zero: number, readScale = scale): string {
  b.constant(`${name}_s`, 'float32', [], [scale])
    .constant(`${name}_r`, 'float32', [], [readScale])
    .constant(`${name}_z`, 'uint8', [], [zero])
    .node('QuantizeLinear', { inputs: [name, `${name}_s`, `${name}_z`], outputs: [`${name}_q`] })
    .node('DequantizeLinear', { inputs: [`${name}_q`, `${name}_r`, `${name}_z`], outputs: [`${name}_dq`] });
  return `${name}_dq`;
}

/** image -> Q DQ -> Conv -> Q DQ -> Softplus -> Q DQ -> Conv -> Q DQ */
function network(readScale?: number): GraphBuilder {
  const b = graph().input('image', 'float32', [1, 3, 4, 4]);
  b.constant('w_codes', 'int8', [3, 3, 1, 1], [127, -3, 5, 9, -127, 0, 1, 2, 127])
    .constant('w_s', 'float32', [3], [0.01, 0.02, 0.03])
    .constant('w_z', 'int8', [3], [0, 0, 0])
    .node('DequantizeLinear', { inputs: ['w_codes', 'w_s', 'w_z'], outputs: ['w'], attrs: { axis: 0 } });
  const image = pair(b, 'image', 1 / 255, 0);
  b.node('Conv', { inputs: [image, 'w'], outputs: ['a'], name: 'first' });
  b.node('Softplus', { inputs: [pair(b, 'a', 0.05, 20, readScale)], outputs: ['s'], name: 'softplus' });
  b.node('Conv', { inputs: [pair(b, 's', 0.04, 0), 'w'], outputs: ['y_float'], name: 'second' });
  pair(b, 'y_float', 0.25, 128);
  return b.output('y_float_dq', 'float32', [1, 3, 4, 4]);
}

describe('a QDQ file', () => {
  it('takes and gives floats, with the formulas of what happens inside', async () => {
    const { model, text } = await inspected(files.model('qdq.onnx', network().build()));
    expect(model.inputs[0]).toMatchObject({
      name: 'image',
      dtype: 'float32',
      contract: {
        form: 'inside',
        codes: 'uint8',
        quantize: 'code = clamp(round(value / 0.003921569), 0, 255)',
        dequantize: 'value = code * 0.003921569',
        preprocessing: { implied: { family: 'unit', isExact: true } },
      },
    });
    expect(model.inputs[0]).not.toHaveProperty('quant');
    expect(model.outputs[0]).toMatchObject({
      name: 'y_float_dq',
      contract: { form: 'inside', codes: 'uint8', min: -32, max: 31.75, step: 0.25 },
    });
    expect(text()).toMatch(/^ {4}takes {7}floats, quantized inside \(uint8 codes\)$/m);
    expect(text()).toMatch(/^ {4}gives {7}floats, already dequantized \(uint8 codes\)$/m);
  });

  it('has its parameters by tensor, and an island where the runtime has no integer form', async () => {
    const { model } = await inspected(files.model('qdq.onnx', network().build()));
    const { tensors, coverage, findings } = model.quantization!;
    const weight = tensors.find(({ role }) => role === 'weight')!;
    expect(weight).toMatchObject({ dtype: 'int8', granularity: 'per-axis', axis: 0, shape: [3, 3, 1, 1] });
    expect(weight.quant!.scale).toEqual([0.01, 0.02, 0.03].map(Math.fround));
    expect(weight.stored!.codes).toEqual(['w_codes']);
    const a = tensors.find(({ tensor }) => tensor === 'a')!;
    expect(a).toMatchObject({
      role: 'activation',
      node: 'first',
      stored: { codes: ['a_q'], values: ['a_dq'] },
    });
    expect([a.represents!.min, a.represents!.max].map((value) => value.toFixed(4))).toEqual([
      '-1.0000',
      '11.7500',
    ]);
    expect(coverage).toMatchObject({
      ops: { quantized: 2, total: 3 },
      islands: [{ nodes: ['softplus'], cause: 'no-integer-form', entries: ['a'], exits: ['s'] }],
    });
    expect(findings).toEqual([]);
  });

  it('that reads codes with another scale is told so, and the tensor stands first', async () => {
    const { model, text } = await inspected(files.model('read.onnx', network(0.1).build()));
    const [first] = model.quantization!.tensors;
    expect(first).toMatchObject({ tensor: 'a', marks: [{ kind: 'read-back' }] });
    expect(model.quantization!.findings).toMatchObject([
      { rule: 'act.requantize-clip', subject: { node: 'first', tensor: 'a' } },
    ]);
    expect(text()).toMatch(/^ {2}a +activation.*\n {4}\^ read with scale 2 times as large$/m);
  });

  it('with a scale that is computed is not understood there, and says why', async () => {
    const b = graph().input('x', 'float32', [1, 3, 4, 4]);
    b.node('ReduceMax', { inputs: ['x'], outputs: ['m'], attrs: { keepdims: 0 } })
      .node('QuantizeLinear', { inputs: ['x', 'm'], outputs: ['q'], name: 'quantize' })
      .node('DequantizeLinear', { inputs: ['q', 'm'], outputs: ['d'], name: 'dequantize' })
      .node('Relu', { inputs: ['d'], outputs: ['y'], name: 'relu' });
    const { model, text } = await inspected(files.model('computed.onnx', b.output('y').build()));
    expect(model.quantization!.unfolded.map(({ node }) => node)).toEqual(['quantize', 'dequantize']);
    expect(text()).toMatch(/^ {2}not understood: quantize: .*'m'/m);
  });

  it.each([60, 80, 120])('is shown in %i columns', async (width) => {
    const { text } = await inspected(files.model('qdq.onnx', network(0.1).build()));
    const lines = text(width)
      .split('\n')
      .filter((line) => !line.startsWith('MODEL'));
    expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
  });
});

const SHARED = projectPath('../shared/models');

describe.skipIf(!existsSync(SHARED))('real quantized files', () => {
  it('of a QDQ classifier: gray (x / 255 - 0.5) / 0.5', async () => {
    const { model } = await inspected(`${SHARED}/pcb/simple_cnn_qdq.onnx`);
    expect(model.inputs[0]!.contract!.preprocessing!.implied).toMatchObject({ family: 'tf', isExact: true });
    expect(model.outputs[0]!.contract).toMatchObject({
      codes: 'int8',
      quantize: expect.stringContaining('+ 12, -128, 127') as string,
    });
    expect(model.quantization!.coverage).toMatchObject({ ops: { quantized: 9, total: 9 }, islands: [] });
  });

  it("of QOperator: CIFAR-10's mean and deviation, and a ReduceMean in float", async () => {
    const { model } = await inspected(`${SHARED}/tinymobilenet/model_qoperator.onnx`);
    expect(model.inputs[0]!.contract!.preprocessing!.implied).toMatchObject({
      family: 'cifar10',
      isExact: true,
    });
    expect(model.quantization!.coverage.islands).toMatchObject([
      { nodes: ['node_mean', 'node_view'], cause: 'no-integer-form', exits: ['view'] },
    ]);
  });

  it.each([
    ['ssd/ssd_mobilenet_v1_uint8', 'tf', 0],
    ['deeplab/deeplab_uint8', 'tf', 0],
    ['mobilenet-qat/mobilenet_v1_0.25_qat_uint8', 'tf', 0],
    ['mlperf-ic/resnet8_int8', 'raw', -128],
  ])('%s takes pixels as they are', async (name, family, pixelShift) => {
    const { model } = await inspected(`${SHARED}/${name}.tflite`);
    expect(model.inputs[0]!.contract!.preprocessing).toMatchObject({
      implied: { family, isExact: true },
      pixelShift,
      remarks: [],
    });
  });

  it('of features of speech imply no preparation of images', async () => {
    const { model } = await inspected(`${SHARED}/mlperf-kws/dscnn_int8.tflite`);
    expect(model.inputs[0]!.contract!.preprocessing).toEqual({ isUnknown: true, remarks: [] });
  });
});
