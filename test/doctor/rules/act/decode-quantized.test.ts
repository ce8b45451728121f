import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import { decodeQuantized } from '../../../../src/doctor/rules/act/decode-quantized.js';
import { tensorOf, type Graph } from '../../../../src/ir/graph.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph, type GraphBuilder } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const Q = perTensor('uint8', 0.1, 10);

function head(): GraphBuilder {
  const builder = graph()
    .input('x', 'float32', [1, 4, 8])
    .constant('w', 'float32', [4, 4, 1])
    .constant('grid', 'float32', [1, 4, 8])
    .constant('stride', 'float32', [], [8])
    .node('Conv', { inputs: ['x', 'w'], outputs: ['raw'], name: 'conv' });
  for (const name of ['raw', 'cells', 'boxes', 'sure', 'out']) builder.value(name, 'float32', [1, 4, 8]);
  return builder;
}

const DETECTOR = head()
  .node('Sigmoid', { inputs: ['raw'], outputs: ['sure'], name: 'sigmoid' })
  .node('Add', { inputs: ['sure', 'grid'], outputs: ['cells'], name: 'add' })
  .node('Mul', { inputs: ['cells', 'stride'], outputs: ['boxes'], name: 'scale' })
  .node('Sub', { inputs: ['boxes', 'grid'], outputs: ['corners'], name: 'corner' })
  .node('Concat', { inputs: ['corners', 'sure'], outputs: ['out'], name: 'join', attrs: { axis: 1 } })
  .output('out')
  .build();

function floats(g: Graph): Graph {
  return { ...g, tensors: g.tensors.map((tensor) => ({ ...tensor, dtype: tensor.dtype ?? 'float32' })) };
}

/** Everything quantized but what is named. */
function severities(g: Graph, but: readonly string[] = [], rest: Partial<Evidence> = {}): string[] {
  const names = g.nodes.flatMap(({ outputs }) =>
    outputs.flatMap((id) => (id === null ? [] : [tensorOf(g, id).name])),
  );
  const typed = floats(g);
  const lane = laneOf(
    typed,
    Object.fromEntries(names.filter((name) => !but.includes(name)).map((name) => [name, Q])),
  );
  return decodeQuantized.check({ graph: typed, lane, ...rest }).map(({ severity }) => severity);
}

function measured(before: number, after: number): Partial<Evidence> {
  return {
    edges: [
      edgeMeasurement(DETECTOR, 'raw', { cumulative: errorOf(before) }),
      edgeMeasurement(DETECTOR, 'out', { cumulative: errorOf(after) }),
    ],
  };
}

describe('act.decode-quantized', () => {
  it('warns of scales and offsets behind the last layer', () => {
    expect(severities(DETECTOR)).toEqual(['warning']);
  });

  it('is an error where 10 dB are lost there, and a note where hardly anything is', () => {
    expect(severities(DETECTOR, [], measured(31, 14))).toEqual(['error']);
    expect(severities(DETECTOR, [], measured(31, 23))).toEqual(['warning']);
    expect(severities(DETECTOR, [], measured(31, 29))).toEqual(['note']);
    expect(severities(DETECTOR, [], measured(60, 45))).toEqual(['note']);
  });

  it('says nothing when the arithmetic is in float', () => {
    expect(severities(DETECTOR, ['cells', 'boxes', 'corners', 'out'])).toEqual([]);
  });

  it('says nothing of scores, SiLU, sums of branches and pictures made larger', () => {
    const ends: GraphBuilder[] = [
      head().node('Softmax', { inputs: ['raw'], outputs: ['out'] }),
      head().node('Sigmoid', { inputs: ['raw'], outputs: ['out'] }),
      head()
        .node('Sigmoid', { inputs: ['raw'], outputs: ['sure'] })
        .node('Mul', { inputs: ['raw', 'sure'], outputs: ['out'] }),
      head()
        .node('Relu', { inputs: ['raw'], outputs: ['sure'] })
        .node('Add', { inputs: ['raw', 'sure'], outputs: ['out'] }),
      head()
        .node('Mul', { inputs: ['raw', 'stride'], outputs: ['sure'] })
        .node('Add', { inputs: ['sure', 'stride'], outputs: ['out'] }),
      head()
        .node('Resize', { inputs: ['raw'], outputs: ['sure'] })
        .node('ArgMax', { inputs: ['sure'], outputs: ['out'] }),
    ];
    for (const end of ends) expect(severities(end.output('out').build())).toEqual([]);
  });

  it('names exactly the nodes to leave in float', () => {
    const names = ['sure', 'cells', 'boxes', 'corners', 'out', 'raw'];
    const lane = laneOf(DETECTOR, Object.fromEntries(names.map((name) => [name, Q])));
    const [found] = decodeQuantized.check({ graph: floats(DETECTOR), lane });
    expect(found?.fix?.edit).toBe(
      "quantize_static(..., nodes_to_exclude=['sigmoid', 'add', 'scale', 'corner', 'join'])",
    );
  });
});
