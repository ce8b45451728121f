/** What training leaves in the weights of a file, and in its graph. */
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import { qatGap } from '../../../../src/doctor/rules/cal/qat-gap.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import type { Graph } from '../../../../src/ir/graph.js';
import type { Lane } from '../../../../src/ir/lane.js';
import { comparedByPosition, alignmentOf, operatorsByPosition } from '../../../support/comparison.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { constantData, graph, tensorNamed, type GraphBuilder } from '../../../support/graph-builder.js';
import { laneOf, perAxis } from '../../../support/lanes.js';

const LAYERS = [0, 1, 2, 3];
const SIZE = 8;
const FANS = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => (i % 2 === 0 ? 1 : -1) * ((i + 1) / SIZE));

/** Values of a square weight [8, 8]; the largest of each row is 1. */
const WEIGHT = Array.from({ length: SIZE }, () => FANS).flat();

function network(prefix = 'w', weight: readonly number[] = WEIGHT): Graph {
  const builder = LAYERS.reduce<GraphBuilder>(
    (net, i) =>
      net.constant(`${prefix}${i}`, 'float32', [SIZE, SIZE, 1, 1], weight).node('Conv', {
        name: `conv${i}`,
        inputs: [i === 0 ? 'x' : `t${i - 1}`, `${prefix}${i}`],
        outputs: [`t${i}`],
      }),
    graph().input('x', 'float32', [1, SIZE, 2, 2]),
  );
  return inferShapes(builder.output(`t${LAYERS.length - 1}`).build());
}

/** Every weight's largest code is this one; in `wide` layers it is another. */
function file(g: Graph, last: readonly number[], prefix = 'w'): Lane {
  const names = LAYERS.map((i) => `${prefix}${i}`);
  const scales = names.map((_, i) => 1 / (last[i] ?? 127));
  const quants = names.map((name, i) => [
    name,
    perAxis(
      'int8',
      0,
      Array.from({ length: SIZE }, () => scales[i] ?? 1),
    ),
  ]);
  const codes = names.map(
    (name, i): [ReturnType<typeof tensorNamed>['id'], ReturnType<typeof constantData>] => [
      tensorNamed(g, name).id,
      constantData(
        'int8',
        [SIZE, SIZE, 1, 1],
        WEIGHT.map((value) => Math.max(-127, Math.min(127, Math.round(value / (scales[i] ?? 1))))),
      ),
    ],
  );
  return {
    ...laneOf(g, Object.fromEntries(quants) as Parameters<typeof laneOf>[1]),
    codes: new Map(codes),
  };
}

const said = (evidence: Evidence): readonly Pick<Finding, 'severity' | 'message' | 'args'>[] =>
  qatGap.check(evidence);

const EVEN = [127, 127, 127, 127];
/** A range 1.27 times as wide as the weights: their largest code is 100. */
const WIDE = [100, 100, 100, 127];

describe('scales of weights', () => {
  it('that are wider than the weights need are noted, where three or more are', () => {
    const g = network();
    expect(said({ graph: g, lane: file(g, WIDE) })).toMatchObject([
      { severity: 'note', args: { wide: 3, weights: 4 } },
    ]);
    expect(said({ graph: g, lane: file(g, EVEN) })).toEqual([]);
    expect(said({ graph: g, lane: file(g, [100, 100, 127, 127]) })).toEqual([]);
  });

  it('warn where the network is far from float, and say what the tensors are named after', () => {
    const g = network('conv/FakeQuant/w');
    const lane = file(g, WIDE, 'conv/FakeQuant/w');
    const at = (db: number): Evidence => ({
      graph: g,
      lane,
      edges: [edgeMeasurement(g, 't3', { cumulative: errorOf(db) })],
    });
    expect(said(at(19))).toMatchObject([{ severity: 'warning' }]);
    expect(said(at(21))).toMatchObject([{ severity: 'note' }]);
    expect(said(at(21))[0]?.message).toMatch(/; 4 tensors are named after fake quantization$/);
  });

  it('that end below the weights of the reference clip them', () => {
    const [reference, candidate] = [network(), network()];
    const beside = (last: readonly number[]): Evidence => {
      const lane = file(candidate, last);
      return {
        graph: candidate,
        lane,
        reference: { graph: reference, lane: laneOf(reference, {}) },
        alignment: alignmentOf({ operators: operatorsByPosition(reference, candidate) }),
        compared: comparedByPosition(reference, candidate, lane),
      };
    };
    // 1 / 150 a step: the last code is at 127 / 150 of the largest weight.
    const [finding, ...more] = said(beside([150, 150, 150, 127]));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ severity: 'note', args: { clipped: 3, weights: 4 } });
    expect(finding?.message).toContain('(0.8467 times them in the middle)');
    expect(said(beside([129, 129, 129, 129]))).toEqual([]);
  });

  it('say nothing of a simulation, which makes its own', () => {
    const g = network();
    const scheme = { name: 'test' } as unknown as NonNullable<Evidence['scheme']>;
    expect(said({ graph: g, lane: file(g, WIDE), scheme })).toEqual([]);
  });
});

describe('FAKE_QUANT', () => {
  const left = (count: number): readonly Pick<Finding, 'severity' | 'message' | 'args'>[] => {
    const builder = Array.from({ length: count }, (_, i) => i).reduce<GraphBuilder>(
      (net, i) => net.node('FAKE_QUANT', { inputs: [i === 0 ? 'x' : `f${i - 1}`], outputs: [`f${i}`] }),
      graph({ format: 'tflite' }).input('x', 'float32', [1, 4]),
    );
    const g = builder.output(count === 0 ? 'x' : `f${count - 1}`).build();
    return said({ graph: g, lane: laneOf(g, {}) });
  };

  it('left in the graph is warned of, with the number of operators', () => {
    expect(left(0)).toEqual([]);
    expect(left(1)).toMatchObject([{ severity: 'warning', args: { operators: 1 } }]);
    expect(left(1)[0]?.message).toMatch(/^1 FAKE_QUANT operator is left in the graph/);
    expect(left(3)[0]?.message).toMatch(/^3 FAKE_QUANT operators are left in the graph/);
  });

  it('has a fix for the converter that leaves it', () => {
    expect(left(2)).toMatchObject([{ fix: { edit: expect.stringContaining('ema_decay=0.99') as string } }]);
  });
});
