import { describe, expect, it } from 'vitest';
import { axis } from '../../../../src/doctor/rules/w/axis.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { alignmentOf } from '../../../support/comparison.js';
import { constantData, graph, tensorNamed } from '../../../support/graph-builder.js';
import { laneOf, perAxis } from '../../../support/lanes.js';

const SIZE = 4;
/** Rows of very different magnitude: the scales belong to axis 0. */
const WEIGHTS = Array.from({ length: SIZE * SIZE }, (_, i) => 10 ** -Math.floor(i / SIZE) * Math.sin(i + 1));
const SCALES = Array.from({ length: SIZE }, (_, row) => 10 ** -row / 127);
const CODES = WEIGHTS.map((w, i) => Math.round(w / SCALES[Math.floor(i / SIZE)]!));

function network(): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', [1, SIZE])
      .constant('w', 'float32', [SIZE, SIZE], WEIGHTS)
      .node('MatMul', { name: 'product', inputs: ['x', 'w'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

function found(at: number, values: readonly number[] | undefined = WEIGHTS): ReturnType<typeof axis.check> {
  const g = network();
  const { id } = tensorNamed(g, 'w');
  const lane = {
    ...laneOf(g, { w: perAxis('int8', at, SCALES) }),
    codes: new Map([[id, constantData('int8', [SIZE, SIZE], CODES)]]),
  };
  const constant = {
    reference: id,
    candidate: id,
    role: 'weight' as const,
    values: () => (values === undefined ? undefined : Float32Array.from(values)),
  };
  const operators = [
    {
      reference: [g.nodes[0]!.id],
      candidate: [g.nodes[0]!.id],
      constants: [constant],
      ground: 'name' as const,
    },
  ];
  return axis.check({ graph: g, lane, alignment: alignmentOf({ operators }) });
}

describe('w.axis beside a reference', () => {
  it('is an error where the codes were made for the other axis of the same length', () => {
    const [finding, ...others] = found(1);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'error',
      subject: { node: 'product', tensor: 'w' },
      args: { axis: 1, otherAxis: 0 },
      explains: ['w'],
    });
    expect(finding?.message).toMatch(/^the 4 scales lie along axis 1, .* along axis 0 they would keep/);
    expect(Number(finding?.args['otherDb']) - Number(finding?.args['db'])).toBeGreaterThan(30);
  });

  it('says nothing along the right one, nor of other weights altogether', () => {
    expect(found(0)).toEqual([]);
    expect(
      found(
        1,
        WEIGHTS.map((_, i) => Math.cos(7 * i)),
      ),
    ).toEqual([]);
    expect(found(1, [])).toEqual([]);
  });
});
