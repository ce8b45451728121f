/** Two files made comparable. */
import { describe, expect, it } from 'vitest';
import { networkPair, type NetworkPair } from '../../src/commands/network-pair.js';
import { edgesOf } from '../../src/compile/edges.js';
import { UsageError } from '../../src/errors.js';
import { tensorOf, type Graph } from '../../src/ir/graph.js';
import { viewed } from '../../src/ir/view.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import { Ladder } from '../../src/run/ladder.js';
import type { Shape } from '../../src/ir/graph.js';
import { Random } from '../quant/samples.js';
import { graph } from '../support/graph-builder.js';
import { bells, ONE_THREAD, samplesOf } from '../support/measured-networks.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
let written = 0;
const drawn = new Random(12);
const KERNEL = bells(drawn, 4 * 3 * 3 * 3);

/** A convolution, a Softmax over its channels and a mean; `last` has the picture in NHWC. */
function picture(opset: number, shape: Shape, last = false, input = 'image'): Graph {
  const builder = graph({ opset })
    .input(input, 'float32', shape)
    .constant('w', 'float32', [4, 3, 3, 3], KERNEL);
  if (last) builder.node('Transpose', { inputs: [input], outputs: ['nchw'], attrs: { perm: [0, 3, 1, 2] } });
  return builder
    .node('Conv', { name: 'conv', inputs: [last ? 'nchw' : input, 'w'], outputs: ['c'] })
    .node('GlobalAveragePool', { name: 'pool', inputs: ['c'], outputs: ['p'] })
    .node('Flatten', { name: 'flatten', inputs: ['p'], outputs: ['f'] })
    .node('Softmax', { name: 'softmax', inputs: ['f'], outputs: ['y'] })
    .output('y', 'float32', [null, 4])
    .build();
}

const DATA = samplesOf(
  'image',
  [1, 3, 8, 8],
  Array.from({ length: 3 }, () => bells(drawn, 192)),
);
const EXTENTS = new Map([['image', [1, 3, 8, 8]]]);

async function paired(reference: Graph, candidate: Graph): Promise<NetworkPair> {
  const load = (g: Graph) => loadModel(files.model(`${written++}.onnx`, g));
  const loaded = { reference: await load(reference), candidate: await load(candidate) };
  return networkPair(loaded, EXTENTS, DATA, ONE_THREAD);
}

const inputShape = ({ candidate: { graph: g } }: NetworkPair): Shape | undefined =>
  tensorOf(g, g.inputs[0]!).shape;

/** Σe²/Σx² at the output. */
async function distance({ candidate, other }: NetworkPair): Promise<number> {
  const edge = edgesOf(candidate.graph, new Set()).edges.find(({ tensor }) =>
    candidate.graph.outputs.includes(tensor),
  )!;
  const ladder = new Ladder(candidate.graph, [FLOAT_LANE], [edge], other, ONE_THREAD);
  for await (const sample of DATA.samples()) await ladder.add(sample);
  await ladder.close();
  const { sumEE, sumXX } = ladder.sums[0]![0]!;
  expect(sumXX).toBeGreaterThan(0);
  return sumEE / sumXX;
}

const REFERENCE = picture(17, ['N', 3, 'H', 'W']);

describe('open extents of the candidate', () => {
  it.each<[string, Shape, boolean, Shape]>([
    ['of the same input', ['N', 3, null, null], false, [1, 3, 8, 8]],
    ['in another order of axes', ['N', null, null, 3], true, [1, 8, 8, 3]],
    ['of the batch alone', ['N', 8, 8, 3], true, [1, 8, 8, 3]],
    ['that are none', [1, 8, 8, 3], true, [1, 8, 8, 3]],
  ])("%s are those of the reference's data", async (_, shape, last, wanted) => {
    const pair = await paired(REFERENCE, picture(17, shape, last));
    expect(inputShape(pair)).toEqual(wanted);
    expect(pair.alignment.coverage).toEqual({ matched: 1, total: 1 });
    expect(await distance(pair)).toBeLessThan(1e-10);
  });

  it('are found by the place of the input where its name is another', async () => {
    const pair = await paired(REFERENCE, picture(17, ['N', 'h', 'w', 3], true, 'serving_default_x:0'));
    expect(inputShape(pair)).toEqual([1, 8, 8, 3]);
    const { tensor, view } = pair.other.counterparts.get(pair.candidate.graph.inputs[0]!)!;
    expect(tensor).toBe(pair.reference.graph.inputs[0]);
    const nchw = Float32Array.from({ length: 192 }, (_, i) => i);
    // Element (h, w, c) of the candidate is element (c, h, w) of the reference.
    expect([...viewed(nchw, view!)]).toEqual(Array.from(nchw, (_, i) => 64 * (i % 3) + Math.floor(i / 3)));
  });
});

describe('operator sets', () => {
  it.each([
    [9, 17],
    [17, 11],
  ])('%d beside %d become the newer, and compute what they did', async (first, second) => {
    const pair = await paired(picture(first, ['N', 3, 8, 8]), picture(second, ['N', 3, 8, 8]));
    expect([pair.reference, pair.candidate].map(({ graph: { opsets } }) => opsets.get(''))).toEqual([17, 17]);
    expect(await distance(pair)).toBeLessThan(1e-10);
  });
});

describe('models without common inputs', () => {
  it('are refused with the inputs of both and how to see them', async () => {
    const flat = graph()
      .input('tokens', 'float32', [1, 7])
      .node('Softmax', { inputs: ['tokens'], outputs: ['y'] })
      .output('y')
      .build();
    const error = await paired(REFERENCE, flat).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      message: 'the two models have no common inputs',
      exitCode: 2,
      places: ['candidate input tokens [1, 7] fits none of the reference: image [1, 3, 8, 8]'],
    });
    expect((error as UsageError).hint).toMatch(/^qdbg inspect .*\.onnx .*\.onnx puts them side by side$/);
  });
});
