/** What the three errors of a layer are about, shown by breaking a quantizer in front of it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { ERROR_KINDS, type ErrorKind } from '../../src/compile/measurement-program.js';
import type { TensorId } from '../../src/ir/graph.js';
import type { Lane } from '../../src/ir/lane.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { measure, type EdgeSums } from '../../src/run/measure.js';
import { calibratedLane } from '../support/calibrated-lane.js';
import { tensorNamed } from '../support/graph-builder.js';
import { bells, images, ONE_THREAD, smallNetwork, UNWATCHED } from '../support/measured-networks.js';

const g = smallNetwork(17, bells);
const samples = images(3, bells);

async function sumsOf(lane: Lane, fusedAway: ReadonlySet<TensorId>): Promise<Map<string, EdgeSums>> {
  const { edges } = edgesOf(g, fusedAway);
  const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set(edges.map(({ tensor }) => tensor)) };
  const sums = await measure(g, lane, edges, fusedAway, samples, options, UNWATCHED);
  return new Map(sums.map((one) => [g.tensors[one.edge.tensor]!.name, one]));
}

/** The lane with the scale of one tensor multiplied. */
function withScale(lane: Lane, name: string, factor: number): Lane {
  const { id } = tensorNamed(g, name);
  const params = lane.tensors.get(id)!;
  return {
    ...lane,
    tensors: new Map(lane.tensors).set(id, { ...params, scale: params.scale.map((s) => s * factor) }),
  };
}

describe.each(['ort', 'tflite'])('breaking one quantizer of a network under %s', (name) => {
  const sound = new Map<string, EdgeSums>();
  let lane: Lane;
  let fusedAway: ReadonlySet<TensorId>;

  beforeAll(async () => {
    const made = await calibratedLane(g, SCHEMES[name]!, samples);
    lane = made.lane;
    fusedAway = made.fusedAway;
    for (const [tensor, sums] of await sumsOf(lane, fusedAway)) sound.set(tensor, sums);
  });

  const errorOf = (sums: ReadonlyMap<string, EdgeSums>, tensor: string, kind: ErrorKind) =>
    sums.get(tensor)!.errors.get(kind)!;
  const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

  it.each([
    ['a coarse scale', 20],
    ['a clipping scale', 1 / 20],
  ])(
    'leaves self and local of all later layers as they were, bit by bit, and worsens cumulative: %s',
    async (_, factor) => {
      const broken = await sumsOf(withScale(lane, 'relu1:out', factor), fusedAway);
      const later = ['project:out', 'relu3:out', 'pool:out', 'flat', 'logits'];
      for (const tensor of later) {
        expect(errorOf(broken, tensor, 'self'), tensor).toEqual(errorOf(sound, tensor, 'self'));
        const [before, after] = [errorOf(sound, tensor, 'cumulative'), errorOf(broken, tensor, 'cumulative')];
        expect(total(after.sumEE), tensor).toBeGreaterThan(10 * total(before.sumEE));
      }
      // relu2, project and relu3 read what relu1 gives, some of them through its quantizer: those are no later layers.
      for (const tensor of ['project:out', 'pool:out', 'flat', 'logits']) {
        expect(errorOf(broken, tensor, 'local'), tensor).toEqual(errorOf(sound, tensor, 'local'));
      }
    },
  );

  it('shows in local and cumulative of the operators that read the broken tensor, in local of those only', async () => {
    const broken = await sumsOf(withScale(lane, 'relu1:out', 20), fusedAway);
    const changed = [...sound.keys()].filter(
      (tensor) =>
        sound.get(tensor)!.errors.has('local') &&
        total(errorOf(broken, tensor, 'local').sumEE) !== total(errorOf(sound, tensor, 'local').sumEE),
    );
    // Its own operator ends in the broken quantizer; depthwise and add read it.
    expect(changed.sort()).toEqual(['relu1:out', 'relu2:out', 'relu3:out']);
  });

  it('shows in local of the layer whose weight is broken, and not in its self', async () => {
    const broken = await sumsOf(withScale(lane, 'depthwise.weight', 30), fusedAway);
    expect(errorOf(broken, 'relu2:out', 'self')).toEqual(errorOf(sound, 'relu2:out', 'self'));
    const [before, after] = [errorOf(sound, 'relu2:out', 'local'), errorOf(broken, 'relu2:out', 'local')];
    expect(total(after.sumEE)).toBeGreaterThan(10 * total(before.sumEE));
    for (const earlier of ['image', 'relu1:out']) {
      expect(errorOf(broken, earlier, 'cumulative')).toEqual(errorOf(sound, earlier, 'cumulative'));
    }
  });
});
