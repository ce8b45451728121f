/** What a calibrated lane of the scheme tflite says of an export before it is made, beside the finished export. */
import { beforeAll, describe, expect, it } from 'vitest';
import { toFloat64, toFloat32 } from '../../src/ir/elements.js';
import { tensorOf, type ConstantData, type Graph, type TensorId } from '../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import { operatorsOf, sourceOf } from '../../src/ir/operators.js';
import { quantize } from '../../src/quant/affine.js';
import { SCHEMES } from '../../src/quant/presets.js';
import type { Samples } from '../../src/run/samples.js';
import { calibratedLane } from '../support/calibrated-lane.js';
import { readFeatures } from '../support/kws.js';
import {
  answersOf,
  HAS_SHARED,
  openData,
  openNetwork,
  projectPath,
  referenceOf,
  type TfliteNetwork,
} from '../support/tflite-network.js';

const TFLITE = SCHEMES['tflite']!;

interface Place {
  /** Operator, its position, and which of its inputs or its output. */
  readonly place: string;
  readonly graph: Graph;
  readonly tensor: TensorId;
  readonly params: QuantParams | undefined;
}

/** Every float tensor that an operator of the file reads or writes, in order. */
function placesOf(graph: Graph, lane: Lane): Place[] {
  return operatorsOf(graph).flatMap(({ main, nodes }, i) => {
    const place = (name: string, tensor: TensorId): Place => ({
      place: `${i} ${main.origin.op} ${name}`,
      graph,
      tensor,
      params: lane.tensors.get(tensor),
    });
    const inputs = main.inputs.flatMap((id, slot) =>
      id === null || tensorOf(graph, id).dtype !== 'float32' ? [] : [place(`${slot}`, sourceOf(graph, id))],
    );
    const output = nodes.at(-1)?.outputs[0];
    return output === null || output === undefined ? inputs : [...inputs, place('output', output)];
  });
}

/** Lowest and highest value that the codes of an activation stand for. */
function limitsOf({ scale: [scale = 0], zeroPoint: [point = 0], qmin, qmax }: QuantParams): [number, number] {
  return [scale * (qmin - point), scale * (qmax - point)];
}

/** How much wider the predicted range is than that of the export, 0 when both are the same, for each activation. */
function deviations(predicted: readonly Place[], made: readonly Place[]): number[] {
  return predicted.flatMap(({ graph, tensor, params, place }, i) => {
    if (!place.endsWith('output') || tensorOf(graph, tensor).data !== undefined) return [];
    const [low, high] = limitsOf(params!);
    const [wantedLow, wantedHigh] = limitsOf(made[i]!.params!);
    return [(high - low) / (wantedHigh - wantedLow) - 1];
  });
}

function median(values: readonly number[]): number {
  return values.map(Math.abs).sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function kindOf(params: QuantParams | undefined): string {
  return params === undefined ? 'float' : params.dtype;
}

describe('the digits network, whose export was calibrated on the same images by the interpreter', () => {
  let predicted: readonly Place[];
  let made: readonly Place[];
  let codes: ReadonlyMap<TensorId, ConstantData>;
  beforeAll(async () => {
    const float = await openNetwork('fixtures/tflite/digits_float.tflite');
    const int8 = await openNetwork('fixtures/tflite/digits_int8.tflite');
    const data = await openData(float, projectPath('fixtures/digits/calib'), { preset: 'unit' });
    const { lane } = await calibratedLane(float.graph, TFLITE, data);
    predicted = placesOf(float.graph, lane);
    made = placesOf(int8.graph, int8.lane);
    codes = int8.lane.codes ?? new Map();
  });

  it('has quantizers in the same places', () => {
    expect(predicted.map(({ place, params }) => [place, kindOf(params), params?.granularity])).toEqual(
      made.map(({ place, params }) => [place, kindOf(params), params?.granularity]),
    );
  });

  it('has the scales and zero points of the export', () => {
    predicted.forEach(({ params }, i) => {
      const wanted = made[i]!.params!;
      expect(Array.from(params!.zeroPoint)).toEqual(Array.from(wanted.zeroPoint));
      params!.scale.forEach((scale, at) => expect(scale / wanted.scale[at]!).toBeCloseTo(1, 5));
    });
  });

  it('makes the codes of weights and biases that the export holds', () => {
    let compared = 0;
    predicted.forEach(({ graph, tensor }, i) => {
      const { data } = tensorOf(graph, tensor);
      const stored = codes.get(made[i]!.tensor);
      if (data === undefined || stored === undefined) return;
      const own = quantize(toFloat32(data), data.dims, made[i]!.params!);
      const wanted = toFloat64(stored);
      // Half-way cases fall either way between numpy's float32 and float64.
      wanted.forEach((code, at) => expect(Math.abs(own[at]! - code)).toBeLessThanOrEqual(1));
      compared += wanted.length;
    });
    expect(compared).toBeGreaterThan(3000);
  });
});

interface Prediction {
  readonly predicted: readonly Place[];
  readonly made: readonly Place[];
  /** Samples that the simulated lane gets right. */
  readonly correct: number;
}

describe.skipIf(!HAS_SHARED)(
  'exports of ../shared, which were calibrated on other samples of the same kind',
  () => {
    async function predict(
      float: TfliteNetwork,
      int8: TfliteNetwork,
      calibration: Samples,
      evaluation: Samples,
      labels: readonly number[],
    ): Promise<Prediction> {
      const { lane } = await calibratedLane(float.graph, TFLITE, calibration);
      const answers = await answersOf(float.graph, lane, evaluation);
      return {
        predicted: placesOf(float.graph, lane),
        made: placesOf(int8.graph, int8.lane),
        correct: answers.filter((answer, i) => answer === labels[i]).length,
      };
    }

    async function resnet8(): Promise<Prediction> {
      const folder = '../shared/models/mlperf-ic';
      const float = await openNetwork(`${folder}/resnet8_float.tflite`);
      const pictures = await openData(float, projectPath('../shared/data/cifar10/calib'), { preset: 'raw' });
      const evaluation = await openData(float, projectPath('../shared/data/cifar10/eval'), { preset: 'raw' });
      const folders = evaluation.ids.map((id) => id.split('/').at(-2)!);
      const classes = [...new Set(folders)].sort();
      const labels = folders.map((name) => classes.indexOf(name));
      return predict(float, await openNetwork(`${folder}/resnet8_int8.tflite`), pictures, evaluation, labels);
    }

    /** dscnn_float has other weights than the network that was exported, which is there as the export itself, computed in float. */
    async function dscnn(): Promise<Prediction> {
      const network = await openNetwork('../shared/models/mlperf-kws/dscnn_int8.tflite');
      const words = readFeatures();
      const data = words.samples(network.graph);
      return predict(network, network, data, data, words.labels);
    }

    // Extremes differ from one set of samples to the next: two halves of one set are as far apart as these.
    it.each([
      ['resnet8_int8', resnet8, 0.15],
      ['dscnn_int8', dscnn, 0.25],
    ] as const)(
      '%s has quantizers where predicted, similar ranges, and within 1 point the predicted accuracy',
      async (name, prediction, typical) => {
        const { predicted, made, correct } = await prediction();
        expect(predicted.map(({ place, params }) => [place, kindOf(params)])).toEqual(
          made.map(({ place, params }) => [place, kindOf(params)]),
        );
        expect(median(deviations(predicted, made))).toBeLessThan(typical);
        const reference =
          referenceOf<Record<string, { correct: number; of: number }>>('shared_accuracy')[name]!;
        expect(Math.abs(correct - reference.correct) / reference.of).toBeLessThanOrEqual(0.01);
      },
    );
  },
);
