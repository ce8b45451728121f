import { describe, expect, it } from 'vitest';
import { measuredInputs } from '../../src/diff/measured-inputs.js';
import { suspectsOf } from '../../src/diff/suspects.js';
import type { EdgeMeasurement } from '../../src/diff/edge-measurements.js';
import { tensorOf, type Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf } from '../support/evidence.js';
import { graph, producerOf, tensorNamed } from '../support/graph-builder.js';
import { perTensor } from '../support/lanes.js';

/** x -> first -> a -> middle -> b -> last -> y; b + x = sum. */
const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 4])
    .node('Sigmoid', { name: 'first', inputs: ['x'], outputs: ['a'] })
    .node('Tanh', { name: 'middle', inputs: ['a'], outputs: ['b'] })
    .node('Sigmoid', { name: 'last', inputs: ['b'], outputs: ['y'] })
    .node('Add', { name: 'add', inputs: ['b', 'x'], outputs: ['sum'] })
    .output('y')
    .output('sum')
    .build(),
);

type Db = number | 'exact';
const edge = (name: string, self: Db | undefined, local?: Db, rest: Partial<EdgeMeasurement> = {}) =>
  edgeMeasurement(
    NET,
    name,
    {
      ...(self === undefined ? {} : { self: errorOf(self) }),
      ...(local === undefined ? {} : { local: errorOf(local) }),
    },
    rest,
  );

const told = (...edges: EdgeMeasurement[]): string[] =>
  suspectsOf(NET, edges).map(({ tensor, kind, db }) => `${kind} ${tensorOf(NET, tensor).name} ${db}`);

describe('who is to blame for a local error', () => {
  it('is the operator, where no quantizer around it comes near', () => {
    expect(told(edge('a', 40, 40), edge('b', 41, 8))[0]).toBe('operator b 8');
  });

  it('is the quantizer of what it reads, where that is as bad', () => {
    const [first, ...more] = told(edge('a', 9, 40), edge('b', 41, 8));
    expect(first).toBe('quantizer a 9');
    expect(more.filter((one) => one.includes(' b '))).toEqual([]);
  });

  it('is the quantizer of its own output, where that is as bad', () => {
    expect(told(edge('a', 40, 40), edge('b', 9, 8))[0]).toBe('quantizer b 9');
  });

  it('is the worse of two inputs', () => {
    expect(told(edge('x', 10), edge('b', 7, 50), edge('sum', 45, 6))[0]).toBe('quantizer b 7');
    expect(told(edge('x', 7), edge('b', 10, 50), edge('sum', 45, 6))[0]).toBe('quantizer x 7');
  });

  it('goes across tensors that are not measured', () => {
    expect(told(edge('x', 5), edge('b', 40, 4))[0]).toBe('quantizer x 5');
  });

  it('is a quantizer of an input alone, which has no operator', () => {
    expect(told(edge('x', 3))).toEqual(['quantizer x 3']);
  });

  it('is nobody where nothing was measured', () => {
    expect(told(edge('x', undefined), edge('a', undefined, undefined))).toEqual([]);
  });
});

describe('the order of suspects', () => {
  it('is the worst first, then that of the graph', () => {
    expect(told(edge('a', 60, 12), edge('b', 60, 3), edge('y', 60, 12))).toEqual([
      'operator b 3',
      'operator a 12',
      'operator y 12',
    ]);
  });

  it('ends with those that are exact, and begins with those that keep nothing', () => {
    const { sqnrDb, ...nothing } = errorOf(0);
    expect(sqnrDb).toBe(0);
    expect(
      told(
        edge('a', 'exact', 'exact'),
        edgeMeasurement(NET, 'b', { self: errorOf(50), local: nothing }),
        edge('y', 60, 1),
      ),
    ).toEqual(['operator b -Infinity', 'operator y 1', 'quantizer a Infinity']);
  });

  it('names each tensor once, with the worst that is said of it', () => {
    expect(told(edge('x', 4), edge('a', 40, 5), edge('sum', 40, 3))).toEqual(['quantizer x 4']);
  });
});

describe('parameters that codes are only moved through', () => {
  const quant = perTensor('int8', 3);

  it('are blamed on the first tensor that has them, where a later one is a little worse', () => {
    const [first] = told(edge('a', 18, 40, { quant }), edge('b', 7, 7, { quant }));
    expect(first).toBe('quantizer a 7');
  });

  it('but not where the first has other parameters', () => {
    const [first] = told(edge('a', 18, 40, { quant: perTensor('int8', 1) }), edge('b', 7, 7, { quant }));
    expect(first).toBe('quantizer b 7');
  });
});

describe('a channel that is lost', () => {
  const worst = { worstChannel: { channel: 2, sqnrDb: 1 } };
  const read = (db: number) =>
    suspectsOf(NET, [
      edgeMeasurement(NET, 'a', {
        self: errorOf(40, { worstChannel: { channel: 2, sqnrDb: db } }),
        local: errorOf(40),
      }),
      edge('b', 41, 8),
    ])[0]!;

  it('in what a broken operator reads is told beside it', () => {
    expect(read(worst.worstChannel.sqnrDb)).toMatchObject({
      kind: 'operator',
      lostIn: { tensor: tensorNamed(NET, 'a').id, db: 1 },
    });
  });

  it('is not told where the channel is as good as an 8-bit one', () => {
    expect(read(30)).not.toHaveProperty('lostIn');
  });
});

describe('measured inputs of a node', () => {
  const of = (g: Graph, name: string, measured: readonly string[]): string[] =>
    measuredInputs(g, producerOf(g, name).id, new Set(measured.map((one) => tensorNamed(g, one).id)))
      .map((id) => tensorOf(g, id).name)
      .sort();

  it('are those that it reads, and what lies behind those that are not measured', () => {
    expect(of(NET, 'sum', ['x', 'a', 'b'])).toEqual(['b', 'x']);
    expect(of(NET, 'sum', ['x', 'a'])).toEqual(['a', 'x']);
    expect(of(NET, 'sum', ['x'])).toEqual(['x']);
    expect(of(NET, 'sum', [])).toEqual([]);
  });

  it('are found in time that grows with the network, not with the number of paths through it', () => {
    let builder = graph().input('x', 'float32', [1]);
    let last = 'x';
    for (let i = 0; i < 5000; i++) {
      builder = builder.node('Add', { inputs: [last, last], outputs: [`t${i}`] });
      last = `t${i}`;
    }
    expect(of(builder.output(last).build(), last, ['x'])).toEqual(['x']);
  });
});
