import { describe, expect, it } from 'vitest';
import { dynamicConv } from '../../../../src/doctor/rules/rt/dynamic-conv.js';
import type { Graph, NodeId } from '../../../../src/ir/graph.js';
import { useKey, type Lane } from '../../../../src/ir/lane.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

/** @param faint largest weight of half of the channels; of the others it is 1 */
function net(group: number, faint = 1): Graph {
  const inside = 8 / group;
  const values = Array.from({ length: 8 * inside }, (_, i) => (Math.floor(i / inside) % 2 === 0 ? 1 : faint));
  return graph()
    .input('x', 'float32', [1, 8, 4, 4])
    .constant('w', 'float32', [8, inside, 1, 1], values)
    .constant('b', 'float32', [4, 4])
    .node('Conv', { inputs: ['x', 'w'], outputs: ['y'], name: 'conv', attrs: { group } })
    .node('MatMul', { inputs: ['y', 'b'], outputs: ['z'], name: 'product' })
    .output('z')
    .build();
}

function dynamic(g: Graph, ...nodes: readonly number[]): Lane {
  const uses = nodes.map(
    (id) => [useKey(id as NodeId, 0), { kind: 'dynamic-quantize-linear' as const }] as const,
  );
  return { ...laneOf(g, { w: perTensor('int8', 1 / 127), b: perTensor('int8', 1) }), dynamic: new Map(uses) };
}

describe('rt.dynamic-conv', () => {
  it('warns of convolutions, and of grouped ones by name', () => {
    const [plain] = dynamicConv.check({ graph: net(1), lane: dynamic(net(1), 0) });
    expect(plain).toMatchObject({ severity: 'warning', subject: {}, args: { convolutions: 1, grouped: 0 } });
    const [grouped] = dynamicConv.check({ graph: net(8), lane: dynamic(net(8), 0) });
    expect(grouped).toMatchObject({
      severity: 'warning',
      subject: { node: 'conv', tensor: 'w' },
      args: { grouped: 1, lost: 0 },
    });
  });

  it('is an error where one scale leaves channels of a grouped one no levels', () => {
    const g = net(8, 0.01);
    expect(dynamicConv.check({ graph: g, lane: dynamic(g, 0) })).toMatchObject([
      { severity: 'error', args: { lost: 1 } },
    ]);
  });

  it('notes hybrid kernels, which have one scale per channel', () => {
    const g = { ...net(8, 0.01), format: 'tflite' as const };
    const lane = {
      ...laneOf(g, { w: perTensor('int8', 1 / 127) }),
      hybrid: new Map([[0 as NodeId, 'asymmetric' as const]]),
    };
    expect(dynamicConv.check({ graph: g, lane })).toMatchObject([
      { severity: 'note', args: { convolutions: 1 } },
    ]);
  });

  it('says nothing of matrix products, nor of static convolutions', () => {
    const g = net(8);
    expect(dynamicConv.check({ graph: g, lane: dynamic(g, 1) })).toEqual([]);
    expect(dynamicConv.check({ graph: g, lane: dynamic(g) })).toEqual([]);
  });
});
