/** The steps from float to the finished file: what each lane quantizes, and whose weights it has. */
import { describe, expect, it } from 'vitest';
import { ladderLanes } from '../../src/commands/ladder-lanes.js';
import { otherNetwork, type NetworkPair } from '../../src/commands/network-pair.js';
import { edgesOf } from '../../src/compile/edges.js';
import { toFloat32 } from '../../src/ir/elements.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE, useKey, type Lane } from '../../src/ir/lane.js';
import { Ladder } from '../../src/run/ladder.js';
import { Random } from '../quant/samples.js';
import { alignmentOf, edgesByName, operatorsByPosition } from '../support/comparison.js';
import { graph, producerOf, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';
import { bells, ONE_THREAD, samplesOf } from '../support/measured-networks.js';

/** Two layers; `kind` is what ends the second. */
function network(weights: readonly (readonly number[])[], kind = 'Relu'): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', [1, 4])
      .constant('w0', 'float32', [4, 4], weights[0])
      .constant('w1', 'float32', [4, 4], weights[1])
      .node('MatMul', { name: 'one', inputs: ['x', 'w0'], outputs: ['a'] })
      .node('MatMul', { name: 'two', inputs: ['a', 'w1'], outputs: ['b'] })
      .node(kind, { name: 'end', inputs: ['b'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

const random = new Random(9);
const OWN = [bells(random, 16), bells(random, 16)];
const ROUNDED = OWN.map((values) => values.map((value) => Math.round(value * 4) / 4));
const REFERENCE = network(OWN);

function pairOf(candidate: Graph, lane: Lane, known = [0, 1, 2]): NetworkPair {
  const side = (g: Graph, of: Lane): NetworkPair['candidate'] => ({
    graph: g,
    lane: of,
    loaded: { graph: g, lane: of, path: 'made by hand' } as NetworkPair['candidate']['loaded'],
  });
  const [reference, own] = [side(REFERENCE, FLOAT_LANE), side(candidate, lane)];
  const edges = edgesByName(REFERENCE, candidate);
  const alignment = alignmentOf({
    edges,
    inputs: edges.filter(({ candidate: id }) => candidate.inputs.includes(id)),
    operators: operatorsByPosition(REFERENCE, candidate).filter((_, at) => known.includes(at)),
  });
  return { reference, candidate: own, alignment, other: otherNetwork(reference, own.graph, alignment) };
}

const quantized = (g: Graph): Lane => ({
  ...laneOf(
    g,
    {
      x: perTensor('int8', 1 / 32),
      w0: perTensor('int8', 1 / 4),
      w1: perTensor('int8', 1 / 4),
      y: perTensor('uint8', 1 / 8),
    },
    new Map([
      [useKey(producerOf(g, 'b').id, 0), perTensor('int8', 1 / 8)],
      [useKey(producerOf(g, 'b').id, 1), perTensor('int8', 1 / 2)],
    ]),
  ),
  arithmetic: 'onnxruntime',
  dynamic: new Map([[useKey(producerOf(g, 'a').id, 0), { kind: 'dynamic-quantize-linear' as const }]]),
});

const names = (g: Graph, ids: Iterable<number>): string[] => [...ids].map((id) => g.tensors[id]!.name);

describe('the lanes of the ladder', () => {
  const candidate = network(ROUNDED);
  const rungs = ladderLanes(pairOf(candidate, quantized(candidate)));
  const laneNamed = (name: string): Lane => rungs.find(({ rung }) => rung === name)!.lane;

  it('are graph, weights, activations and everything, in that order', () => {
    expect(rungs.map(({ rung, remark }) => [rung, remark])).toEqual([
      ['graph', undefined],
      ['weights', undefined],
      ['activations', undefined],
      ['everything', undefined],
    ]);
  });

  it("have the reference's weights where activations or nothing is quantized", () => {
    for (const name of ['graph', 'activations']) {
      const { values } = laneNamed(name);
      expect(names(candidate, values!.keys())).toEqual(['w0', 'w1']);
      OWN.forEach((own, i) =>
        expect(Array.from(toFloat32(values!.get(tensorNamed(candidate, `w${i}`).id)!))).toEqual(own),
      );
    }
    expect(laneNamed('weights').values).toBeUndefined();
    expect(laneNamed('everything')).toEqual(quantized(candidate));
  });

  it('quantize nothing, nothing but the constants as they are in the file, or activations alone', () => {
    for (const name of ['graph', 'weights']) {
      const { tensors, uses, dynamic } = laneNamed(name);
      expect([tensors.size, uses.size, dynamic]).toEqual([0, 0, undefined]);
    }
    const { tensors, uses, dynamic, arithmetic } = laneNamed('activations');
    expect(names(candidate, tensors.keys())).toEqual(['x', 'y']);
    expect([...uses.keys()]).toEqual([useKey(producerOf(candidate, 'b').id, 0)]);
    expect(dynamic?.size).toBe(1);
    expect(arithmetic).toBeUndefined();
  });

  it('are graph and weights for a candidate without quantizers', () => {
    expect(ladderLanes(pairOf(candidate, FLOAT_LANE)).map(({ rung }) => rung)).toEqual(['graph', 'weights']);
  });

  it("say how many quantized constants have to be the candidate's own", () => {
    const partly = ladderLanes(pairOf(candidate, quantized(candidate), [0]));
    const remark = "1 of 2 quantized constants have no counterpart and are the candidate's own";
    expect(partly.map((rung) => rung.remark)).toEqual([remark, undefined, remark, undefined]);
  });
});

describe('the ladder tells what an export changed', () => {
  async function distances(candidate: Graph): Promise<number[]> {
    const pair = pairOf(candidate, quantized(candidate));
    const { edges } = edgesOf(candidate, new Set());
    const lanes = ladderLanes(pair).map(
      ({ lane }) => ({ ...lane, arithmetic: undefined }) as unknown as Lane,
    );
    const ladder = new Ladder(candidate, lanes, [edges.at(-1)!], pair.other, ONE_THREAD);
    const data = Array.from({ length: 3 }, () => bells(random, 4));
    for await (const sample of samplesOf('x', [1, 4], data).samples()) await ladder.add(sample);
    await ladder.close();
    return ladder.sums.map(([sums]) => sums!.sumEE);
  }

  it('the same operators with rounded weights leave the graph rung exact', async () => {
    const [ofGraph, ofWeights, ofActivations] = await distances(network(ROUNDED));
    expect(ofGraph).toBe(0);
    expect(ofWeights).toBeGreaterThan(0);
    expect(ofActivations).toBeGreaterThan(0);
  });

  it('another operator shows on the graph rung', async () => {
    const [ofGraph] = await distances(network(ROUNDED, 'Sigmoid'));
    expect(ofGraph).toBeGreaterThan(0);
  });
});
