/** States that live from step to step. */
import { describe, expect, it } from 'vitest';
import { state } from '../../../../src/doctor/rules/act/state.js';
import type { Graph } from '../../../../src/ir/graph.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import { graph, tensorNamed } from '../../../support/graph-builder.js';

function int8(limit: number, dtype: 'int8' | 'int16' = 'int8'): QuantParams {
  const qmax = dtype === 'int8' ? 127 : 32767;
  return {
    dtype,
    qmin: -qmax,
    qmax,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(limit / qmax),
    zeroPoint: Int32Array.of(0),
    source: 'file',
  };
}

/** One step of a network with a state beside its data. */
function step(names: readonly [input: string, output: string] = ['hidden_in', 'hidden_out']): Graph {
  return graph({ opset: 17 })
    .input('audio', 'float32', [1, 8])
    .input(names[0], 'float32', [1, 8])
    .node('Add', { inputs: ['audio', names[0]], outputs: ['sum'] })
    .node('Tanh', { inputs: ['sum'], outputs: [names[1]] })
    .node('Relu', { inputs: ['sum'], outputs: ['mask'] })
    .value('sum', 'float32', [1, 8])
    .value(names[1], 'float32', [1, 8])
    .value('mask', 'float32', [1, 8])
    .output('mask')
    .output(names[1])
    .build();
}

function checked(
  g: Graph,
  quantizers: Readonly<Record<string, QuantParams>>,
): ReturnType<typeof state.check> {
  const tensors = new Map(
    Object.entries(quantizers).map(([name, params]) => [tensorNamed(g, name).id, params]),
  );
  return state.check({ graph: g, lane: { name: 'file', tensors, uses: new Map() } });
}

describe('act.state', () => {
  it('notes a state of 8 bits that is fed back', () => {
    expect(checked(step(), { hidden_in: int8(1), hidden_out: int8(1) })).toMatchObject([
      { severity: 'note', subject: { tensor: 'hidden_out' }, args: { bits: 8 } },
    ]);
  });

  it('warns when the state enters with less range than it leaves with', () => {
    const [found] = checked(step(), { hidden_in: int8(0.5), hidden_out: int8(2) });
    expect(found).toMatchObject({ severity: 'warning', args: { share: 0.25 } });
    expect(found?.message).toContain('-2 to 2 and enters it as hidden_in with -0.5 to 0.5');
  });

  it('is silent on 16 bits, on a float state, and on an output that is no state', () => {
    expect(checked(step(), { hidden_in: int8(1, 'int16'), hidden_out: int8(1, 'int16') })).toEqual([]);
    expect(checked(step(), { mask: int8(1) })).toEqual([]);
    expect(checked(step(['image', 'picture']), { image: int8(1), picture: int8(1) })).toEqual([]);
  });

  it('notes a recurrent operator between integers', () => {
    const g = graph({ opset: 17 })
      .input('x', 'float32', [5, 1, 4])
      .constant('w', 'float32', [1, 8, 4])
      .constant('r', 'float32', [1, 8, 2])
      .node('LSTM', { inputs: ['x', 'w', 'r'], outputs: ['y'], attrs: { hidden_size: 2 }, name: 'lstm' })
      .output('y')
      .build();
    expect(checked(g, { y: int8(1) })).toMatchObject([
      { severity: 'note', subject: { node: 'lstm', tensor: 'y' } },
    ]);
    expect(checked(g, {})).toEqual([]);
  });
});
