import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inferShapes } from '../../src/ir/infer/index.js';
import { loadModel } from '../../src/loader/index.js';
import { buildLane } from '../../src/quant/lane.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { SCHEMES, overrideScheme } from '../../src/quant/presets.js';
import type { Scheme } from '../../src/quant/scheme.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { asFloat32, asReference, rangesByName } from '../support/ort-reference.js';
import type { ByName } from '../support/ort-reference.js';

interface Reference {
  readonly ranges: Readonly<Record<string, readonly number[]>>;
  readonly variants: Readonly<Record<string, { readonly tensors: ByName; readonly biases: ByName }>>;
}

const ORT: Scheme = SCHEMES['ort']!;

const VARIANTS: Readonly<Record<string, Scheme>> = {
  uint8PerTensor: ORT,
  uint8PerAxis: overrideScheme(ORT, { granularity: 'per-axis' }),
  int8Symmetric: overrideScheme(ORT, { activations: 'int8', symmetric: true }),
};

function pathOf(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}

function read(relative: string): Reference {
  return JSON.parse(readFileSync(pathOf(relative), 'utf8')) as Reference;
}

async function quantizersOf(model: string, scheme: Scheme, { ranges }: Reference) {
  const { graph: loaded } = await loadModel(pathOf(model));
  const graph = inferShapes(loaded);
  const plan = planQuantization(graph, scheme, NO_SELECTION);
  return asReference(graph, plan, buildLane(graph, plan, rangesByName(graph, ranges), 'test'));
}

describe('the ort placement on a graph with every operator', () => {
  const reference = read('fixtures/placement/operators_ort.json');

  it.each(Object.keys(reference.variants))(
    'quantizes the tensors that quantize_static does, with its parameters and sharing: %s',
    async (variant) => {
      const { tensors, biases } = reference.variants[variant]!;
      const found = await quantizersOf('fixtures/placement/operators.onnx', VARIANTS[variant]!, reference);
      expect(found.tensors).toEqual(asFloat32(tensors));
      expect(found.biases).toEqual(asFloat32(biases));
    },
  );
});

const RESNET20 = '../shared/models/resnet20/resnet20_float.onnx';

describe.skipIf(!existsSync(pathOf(RESNET20)))('the ort placement on ResNet-20', () => {
  const reference = read('fixtures/placement/resnet20_ort.json');

  it.each(Object.keys(reference.variants))(
    'has the scales and zero points of quantize_static for every tensor: %s',
    async (variant) => {
      const { tensors, biases } = reference.variants[variant]!;
      const found = await quantizersOf(RESNET20, VARIANTS[variant]!, reference);
      expect(found.tensors).toEqual(asFloat32(tensors));
      expect(found.biases).toEqual(asFloat32(biases));
    },
  );
});
