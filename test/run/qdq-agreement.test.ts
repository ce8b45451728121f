/**
 * Simulated integer networks beside what ONNX Runtime's Python quantizer made of the same models and images, and computed from it
 * with all optimizations off (the recipes in fixtures/digits and fixtures/placement).
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inferenceProgram } from '../../src/compile/measurement-program.js';
import { nodeLabel, nodeOf, type Graph } from '../../src/ir/graph.js';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE, useKey, type Lane } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import { buildLane } from '../../src/quant/lane.js';
import type { QuantPlan } from '../../src/quant/placement/plan.js';
import { overrideScheme, SCHEMES } from '../../src/quant/presets.js';
import type { Scheme } from '../../src/quant/scheme.js';
import type { Dataset, Sample } from '../../src/run/data/dataset.js';
import { openDataset } from '../../src/run/data/index.js';
import type { PreprocessingFlags } from '../../src/run/data/preprocessing.js';
import { openSession } from '../../src/run/runtime.js';
import { sqnrDb } from '../quant/samples.js';
import { calibratedLane } from '../support/calibrated-lane.js';
import { streamed } from '../support/measured-networks.js';
import { asReference, rangesByName, type ByName } from '../support/ort-reference.js';

const ORT = SCHEMES['ort']!;
const SCHEME: Readonly<Record<'perTensor' | 'perAxis', Scheme>> = {
  perTensor: ORT,
  perAxis: overrideScheme(ORT, { granularity: 'per-axis' }),
};
const OPTIMIZATIONS = ['none', 'all'] as const;

function pathOf(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}

function open(graph: Graph, source: string, preprocessing: PreprocessingFlags = {}): Promise<Dataset> {
  const inputs = graph.inputs.map((id) => {
    const { name, dtype, shape } = graph.tensors[id]!;
    return { name, dtype: dtype!, shape: shape! };
  });
  return openDataset({ sources: [source], inputs, preprocessing });
}

interface Prepared {
  readonly graph: Graph;
  readonly lane: Lane;
  readonly plan: QuantPlan;
}

async function prepare(
  model: string,
  scheme: Scheme,
  calib: string,
  dims: readonly number[],
  preprocessing?: PreprocessingFlags,
): Promise<Prepared> {
  const { graph: loaded } = await loadModel(pathOf(model));
  const input = loaded.tensors[loaded.inputs[0]!]!.name;
  const graph = inferShapes(bindInputs(loaded, new Map([[input, dims]])));
  const made = await calibratedLane(graph, scheme, await open(graph, pathOf(calib), preprocessing));
  return { graph, ...made };
}

/** The graph's output for every sample, by sample id. */
async function outputs(
  { graph, lane }: Pick<Prepared, 'graph' | 'lane'>,
  samples: Dataset,
  optimization: 'all' | 'none',
): Promise<Map<string, number[]>> {
  const { model, positions } = inferenceProgram(graph, lane, graph.outputs);
  const session = await openSession(model, { threads: 1, optimization });
  const found = new Map<string, number[]>();
  for await (const { id, feeds } of samples.samples()) {
    const results = await session.run(feeds);
    found.set(id, Array.from(results[positions[0]!] as Float32Array));
  }
  await session.close();
  return found;
}

/** All samples, read once. */
async function kept(samples: Dataset): Promise<Dataset> {
  const list: Sample[] = [];
  for await (const sample of samples.samples()) list.push(sample);
  return { ...samples, ...streamed(list) };
}

/** Same tensors, types and zero points; scales up to the rounding of float sums in front of them. */
function expectEqualParameters(found: ByName, wanted: ByName): void {
  const withoutScale = (all: ByName): unknown =>
    Object.fromEntries(
      Object.entries(all).map(([name, entry]) => [name, { ...entry, scale: entry.scale.length }]),
    );
  expect(withoutScale(found)).toEqual(withoutScale(wanted));
  for (const [name, { scale }] of Object.entries(wanted)) {
    scale.forEach((value, i) => {
      expect(found[name]!.scale[i]! / value, `${name} #${i}`).toBeCloseTo(1, 5);
    });
  }
}

const argmax = (row: readonly number[]): number => row.indexOf(Math.max(...row));

/** Rows agree but for the rounding of float sums, and say the same. */
function expectEqualLogits(
  found: readonly (readonly number[])[],
  wanted: readonly (readonly number[])[],
): void {
  expect(found.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  const db = sqnrDb(wanted.flat(), found.flat());
  expect(db, `${db.toFixed(1)} dB`).toBeGreaterThan(60);
  expect(found.map(argmax)).toEqual(wanted.map(argmax));
}

interface DigitsEntry {
  readonly accuracy: number;
  readonly logits: readonly (readonly number[])[];
}
interface Digits {
  readonly samples: readonly string[];
  readonly models: Readonly<
    Record<
      string,
      Readonly<Record<'perTensor' | 'perAxis', DigitsEntry & { readonly tensors: ByName }>> & {
        readonly float: DigitsEntry;
      }
    >
  >;
}

const DIGITS = 'fixtures/digits';
const digits = JSON.parse(readFileSync(pathOf(`${DIGITS}/digits_ort_reference.json`), 'utf8')) as Digits;

/** Percent of samples `<class>/<row>.png` whose largest logit is that of their class. */
function accuracy(logits: ReadonlyMap<string, readonly number[]>): number {
  const hits = [...logits].filter(([id, row]) => argmax(row) === Number(id.split('/')[0]));
  return (100 * hits.length) / logits.size;
}

const CASES = Object.keys(digits.models).flatMap((model) =>
  (['perTensor', 'perAxis'] as const).map((scheme) => [model, scheme] as const),
);

/** The evaluation images; the two models take the same. */
let images: Promise<Dataset> | undefined;

function evaluation(graph: Graph): Promise<Dataset> {
  return (images ??= open(graph, pathOf(`${DIGITS}/eval`)).then(kept));
}

describe.each(CASES)('%s.onnx, int8 %s', (model, variant) => {
  const reference = digits.models[model]![variant];
  const prepared = prepare(`${DIGITS}/${model}.onnx`, SCHEME[variant], `${DIGITS}/calib`, [1, 1, 8, 8]);

  it('has the scale and zero point of the quantizer for every tensor, and quantizes no other', async () => {
    const { graph, lane, plan } = await prepared;
    const found = Object.fromEntries(
      plan.quantizers.map(({ tensor, use, range }) => {
        const params = (
          use === undefined ? lane.tensors.get(tensor) : lane.uses.get(useKey(use.node, use.slot))
        )!;
        const { dtype, granularity } = params;
        const axis = granularity.kind === 'per-axis' ? { axis: granularity.axis } : {};
        return [
          // The bias that a folded normalization leaves has no name in the file.
          range.kind === 'bias'
            ? `${nodeLabel(nodeOf(graph, range.node))}.bias`
            : graph.tensors[tensor]!.name,
          { dtype, ...axis, scale: [...params.scale], zeroPoint: [...params.zeroPoint] },
        ];
      }),
    );
    expectEqualParameters(found, reference.tensors);
    expect(Object.keys(found).length).toBeGreaterThan(20);
  });

  it.each(OPTIMIZATIONS)(
    'computes its logits and its accuracy: runtime optimizations %s',
    async (optimization) => {
      const { graph, lane } = await prepared;
      const found = await outputs({ graph, lane }, await evaluation(graph), optimization);
      expect(found.size).toBe(400);
      const rows = digits.samples.map((path) => found.get(path.replace('eval/', '')) ?? []);
      expectEqualLogits(rows, reference.logits);
      expect(accuracy(found)).toBe(reference.accuracy);
    },
  );
});

describe.each(Object.keys(digits.models))('%s.onnx, float', (model) => {
  it('has the logits and the accuracy of the file in the empty lane', async () => {
    const { graph } = await prepare(`${DIGITS}/${model}.onnx`, ORT, `${DIGITS}/calib`, [1, 1, 8, 8]);
    const found = await outputs({ graph, lane: FLOAT_LANE }, await evaluation(graph), 'all');
    const { float } = digits.models[model]!;
    expectEqualLogits(
      digits.samples.map((path) => found.get(path.replace('eval/', '')) ?? []),
      float.logits,
    );
    expect(accuracy(found)).toBe(float.accuracy);
  });
});

interface ResNet {
  readonly ranges: Readonly<Record<string, readonly number[]>>;
  readonly images: readonly string[];
  readonly logits: readonly (readonly number[])[];
  readonly variants: Readonly<
    Record<
      'uint8PerTensor' | 'uint8PerAxis',
      {
        readonly tensors: ByName;
        readonly biases: ByName;
        readonly logits: readonly (readonly number[])[];
        readonly argmax: readonly number[];
      }
    >
  >;
}

const RESNET = '../shared/models/resnet20/resnet20_float.onnx';
const CIFAR10 = '../shared/data/cifar10';

describe.skipIf(!existsSync(pathOf(RESNET)) || !existsSync(pathOf(CIFAR10)))('ResNet-20 on CIFAR-10', () => {
  const reference = JSON.parse(
    readFileSync(pathOf('fixtures/placement/resnet20_ort.json'), 'utf8'),
  ) as ResNet;

  it.each([
    ['uint8PerTensor', 'perTensor'],
    ['uint8PerAxis', 'perAxis'],
  ] as const)(
    'has the parameters and computes the logits of the quantized file: %s',
    async (name, variant) => {
      const { graph: loaded } = await loadModel(pathOf(RESNET));
      const input = loaded.tensors[loaded.inputs[0]!]!.name;
      const graph = inferShapes(bindInputs(loaded, new Map([[input, [1, 3, 32, 32]]])));
      const all = await open(graph, pathOf(`${CIFAR10}/calib`), { preset: 'imagenet', resize: 'stretch' });
      const chosen = new Set(reference.images.map((path) => path.replace('calib/', '')));
      const samples: Dataset = {
        ...all,
        count: chosen.size,
        async *samples() {
          for await (const sample of all.samples()) if (chosen.has(sample.id)) yield sample;
        },
      };
      const wanted = reference.variants[name];
      const { lane, plan } = await calibratedLane(graph, SCHEME[variant], samples);
      const found = asReference(graph, plan, lane);
      expectEqualParameters(found.tensors, wanted.tensors);
      expectEqualParameters(found.biases, wanted.biases);

      // The lane of the file, whose ranges come from sums in another order: they differ from ours in the last bit.
      const ofFile = buildLane(graph, plan, rangesByName(graph, reference.ranges), name);
      const rowsOf = async (run: Lane, optimization: 'all' | 'none'): Promise<number[][]> => [
        ...(await outputs({ graph, lane: run }, samples, optimization)).values(),
      ];
      const exact = await rowsOf(ofFile, 'none');
      expect(exact).toHaveLength(reference.images.length);
      expectEqualLogits(exact, wanted.logits);
      expect(exact.map(argmax)).toEqual(wanted.argmax);

      // Otherwise a value on the border of two codes may take the other one, and what follows with it.
      const step = lane.tensors.get(graph.outputs[0]!)!.scale[0]!;
      for (const rows of [
        await rowsOf(ofFile, 'all'),
        await rowsOf(lane, 'none'),
        await rowsOf(lane, 'all'),
      ]) {
        expect(rows.map(argmax)).toEqual(wanted.argmax);
        const apart = rows.flat().map((value, i) => Math.abs(value - wanted.logits.flat()[i]!) / step);
        expect(Math.max(...apart)).toBeLessThan(2.5);
        expect(sqnrDb(wanted.logits.flat(), rows.flat())).toBeGreaterThan(30);
      }
      expectEqualLogits(
        [...(await outputs({ graph, lane: FLOAT_LANE }, samples, 'all')).values()],
        reference.logits,
      );
    },
  );
});
