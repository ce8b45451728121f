import { describe, expect, it } from 'vitest';
import { partial } from '../../../../src/doctor/rules/q/partial.js';
import type { Graph, NodeId } from '../../../../src/ir/graph.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { FLOAT_LANE, useKey } from '../../../../src/ir/lane.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import type { Scheme } from '../../../../src/quant/scheme.js';
import { graph, type GraphOptions } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

/** Two convolutions: of 256 and 2048 multiply-accumulates. */
function net(options: GraphOptions = {}): Graph {
  return inferShapes(
    graph(options)
      .input('x', 'float32', ['N', 2, 4, 4])
      .constant('a', 'float32', [8, 2, 1, 1])
      .constant('b', 'float32', [16, 8, 1, 1])
      .node('Conv', { inputs: ['x', 'a'], outputs: ['y'], name: 'first' })
      .node('Conv', { inputs: ['y', 'b'], outputs: ['z'], name: 'second' })
      .output('z')
      .build(),
  );
}

const Q = perTensor('int8', 0.1);
const G = net();

function said(...args: Parameters<typeof partial.check>): string[] {
  return partial.check(...args).map(({ severity, message }) => `${severity}: ${message}`);
}

describe('q.partial', () => {
  it('warns where few multiply-accumulates compute with integers, and names the largest float island', () => {
    expect(said({ graph: G, lane: laneOf(G, { x: Q, a: Q, y: Q }) })).toEqual([
      'warning: 11.1 % of the multiply-accumulates and 1 of 2 operators compute with integers; ' +
        'in float is second (left in float at the end of the network)',
    ]);
  });

  it('says nothing of a file that is quantized throughout, nor of a simulation that leaves out what it was told to', () => {
    const whole = laneOf(G, { x: Q, a: Q, y: Q, b: Q, z: Q });
    const codes = new Map(
      [...whole.tensors.keys()].flatMap((id) => {
        const { data } = G.tensors[id]!;
        return data === undefined ? [] : [[id, data] as const];
      }),
    );
    expect(said({ graph: G, lane: { ...whole, codes } })).toEqual([]);
    expect(said({ graph: G, lane: laneOf(G, { a: Q }), scheme: SCHEMES.ort as Scheme })).toEqual([]);
  });

  it('notes weights that are stored as floats, which make the file no smaller', () => {
    const whole = laneOf(G, { x: Q, a: Q, y: Q, b: Q, z: Q });
    expect(said({ graph: G, lane: whole })).toEqual([
      'note: 2 of 2 quantized weights are stored as floats behind QuantizeLinear',
    ]);
  });

  it('says plainly that only weights are integers', () => {
    expect(said({ graph: G, lane: laneOf(G, { a: Q, b: Q }) })).toEqual([
      expect.stringMatching(
        /^note: only the weights are quantized \(weights only\): activations are float, 0 of 2/,
      ),
    ]);
    const hybrid = {
      ...laneOf(G, { a: Q, b: Q }),
      hybrid: new Map([0, 1].map((id) => [id as NodeId, 'symmetric' as const])),
    };
    expect(
      said({
        graph: G,
        lane: hybrid,
        file: { bytes: 30_000 },
        reference: { graph: G, lane: FLOAT_LANE, file: { bytes: 100_000 } },
      }),
    ).toEqual([
      expect.stringMatching(
        /dynamic range.*integer-only hardware cannot run it; the file is 0\.3 times as large as the reference$/,
      ),
    ]);
  });

  it('counts weights where extents are open', () => {
    const open = graph()
      .input('x', 'float32', ['N', 2, 'H', 'W'])
      .constant('a', 'float32', [8, 2, 1, 1])
      .constant('b', 'float32', [16, 8, 1, 1])
      .node('Conv', { inputs: ['x', 'a'], outputs: ['y'] })
      .node('Conv', { inputs: ['y', 'b'], outputs: ['z'] })
      .output('z')
      .build();
    expect(said({ graph: open, lane: laneOf(open, { x: Q, a: Q, y: Q }) })).toEqual([
      expect.stringMatching(/^warning: 11\.1 % of the weights and 1 of 2 operators/),
    ]);
  });

  it('takes a float candidate of the same kind as the reference for the wrong file, with a lane and without', () => {
    const reference = { graph: G, lane: FLOAT_LANE };
    const message = /^warning: the candidate is a float model: none of its 2 operators has a quantizer/;
    expect(said({ graph: G, lane: FLOAT_LANE, reference })).toEqual([expect.stringMatching(message)]);
    expect(said({ graph: G, reference })).toEqual([expect.stringMatching(message)]);
    expect(said({ graph: G, reference: { graph: net({ format: 'tflite' }), lane: FLOAT_LANE } })).toEqual([
      expect.stringMatching(/^note: the candidate is a float model/),
    ]);
  });

  it('counts operators apart that make integers while they run', () => {
    const uses = new Map([[useKey(0 as NodeId, 0), { kind: 'dynamic-quantize-linear' as const }]]);
    expect(said({ graph: G, lane: { ...laneOf(G, { a: Q }), dynamic: uses } })).toEqual([
      expect.stringContaining(
        '0 of 2 operators compute with integers (and 1 with integers made while they run)',
      ),
    ]);
  });
});
