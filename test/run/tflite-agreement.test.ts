/**
 * TFLite files computed in their own lane beside what the TFLite interpreter (builtin kernels, no delegate) answers on the same
 * samples: the recipes are fixtures/tflite/digits.py and fixtures/tflite/shared_accuracy.py.
 */
import { describe, expect, it } from 'vitest';
import type { PreprocessingFlags } from '../../src/run/data/preprocessing.js';
import { readFeatures } from '../support/kws.js';
import {
  answersOf,
  HAS_SHARED,
  openData,
  openNetwork,
  projectPath,
  referenceOf,
  runLane,
} from '../support/tflite-network.js';

const UNIT: PreprocessingFlags = { preset: 'unit' };

interface DigitsReference {
  readonly correct: number;
  readonly of: number;
  readonly argmax: readonly number[];
  /** The output for the first eight images: codes where the file has codes. */
  readonly first: readonly (readonly number[])[];
}

describe('the digits network as TFLite', () => {
  const expected = referenceOf<Record<string, DigitsReference>>('digits_reference');

  it.each(['digits_float', 'digits_int8', 'digits_rescaled_int8'])(
    '%s answers every one of 400 images as the interpreter does',
    async (name) => {
      const network = await openNetwork(`fixtures/tflite/${name}.tflite`);
      const data = await openData(network, projectPath('fixtures/digits/eval'), UNIT);
      const answers = await answersOf(network.graph, network.lane, data);
      expect(answers).toHaveLength(400);
      expect(answers).toEqual(expected[name]!.argmax);
    },
  );

  it.each(['digits_int8', 'digits_rescaled_int8'])(
    '%s has the codes of the interpreter at its output',
    async (name) => {
      const { codes, wanted } = await firstOutputs(name);
      expect(codes).toEqual(wanted);
    },
  );

  it('digits_float has the values of the interpreter at its output', async () => {
    const { values, wanted } = await firstOutputs('digits_float');
    values.forEach((row, i) =>
      row.forEach((value, k) => expect(Math.abs(value - wanted[i]![k]!)).toBeLessThan(1e-4)),
    );
  });

  async function firstOutputs(
    name: string,
  ): Promise<{ values: number[][]; codes: number[][]; wanted: readonly (readonly number[])[] }> {
    const network = await openNetwork(`fixtures/tflite/${name}.tflite`);
    const { graph, lane } = network;
    const data = await openData(network, projectPath('fixtures/digits/eval'), UNIT);
    const values: number[][] = [];
    await runLane(graph, lane, graph.outputs, data, ([output]) =>
      values.push(Array.from(output as Float32Array)),
    );
    const wanted = expected[name]!.first;
    const { scale, zeroPoint } = lane.tensors.get(graph.outputs[0]!) ?? { scale: [1], zeroPoint: [0] };
    const first = values.slice(0, wanted.length);
    const codes = first.map((row) => row.map((value) => value / scale[0]! + zeroPoint[0]!));
    return { values: first, codes, wanted };
  }
});

interface SharedReference {
  readonly correct: number;
  readonly of: number;
  /** One hexadecimal digit a sample. */
  readonly argmax: string;
}

describe.skipIf(!HAS_SHARED)('models and data of ../shared', () => {
  const expected = referenceOf<Record<string, SharedReference>>('shared_accuracy');
  const chosen = (name: string): number[] =>
    Array.from(expected[name]?.argmax ?? '', (digit) => parseInt(digit, 16));

  it.each(['resnet8_float', 'resnet8_int8'])(
    '%s answers as the interpreter on all pictures',
    async (name) => {
      const network = await openNetwork(`../shared/models/mlperf-ic/${name}.tflite`);
      const data = await openData(network, projectPath('../shared/data/cifar10/eval'), { preset: 'raw' });
      const answers = await answersOf(network.graph, network.lane, data);
      expect(answers).toHaveLength(600);
      expect(answers).toEqual(chosen(name));
    },
  );

  it.each(['dscnn_float', 'dscnn_int8'])('%s answers as the interpreter on all words', async (name) => {
    const network = await openNetwork(`../shared/models/mlperf-kws/${name}.tflite`);
    const answers = await answersOf(network.graph, network.lane, readFeatures().samples(network.graph));
    expect(answers).toHaveLength(400);
    expect(answers).toEqual(chosen(name));
  });

  it('dscnn_int8 answers the same when it is given the files of codes themselves', async () => {
    const network = await openNetwork('../shared/models/mlperf-kws/dscnn_int8.tflite');
    const data = await openData(network, projectPath('../shared/data/kws'));
    expect(await answersOf(network.graph, network.lane, data)).toEqual(chosen('dscnn_int8'));
  });

  it('dscnn_dynamic_range, whose kernels round activations as they run, answers as the interpreter', async () => {
    const network = await openNetwork('../shared/models/mlperf-kws/dscnn_dynamic_range.tflite');
    const answers = await answersOf(network.graph, network.lane, readFeatures().samples(network.graph));
    expect(answers).toEqual(chosen('dscnn_dynamic_range'));
  });
});
