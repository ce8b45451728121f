import { describe, expect, it } from 'vitest';
import type { OperatorCall } from '../../../src/compile/integer/kernel.js';
import { fileExtents, inVectors, pairWalk } from '../../../src/compile/integer/vector-loop.js';
import { ModelWriter } from '../../../src/compile/model-writer.js';
import type { Graph, Tensor } from '../../../src/ir/graph.js';
import { openSession } from '../../../src/run/runtime.js';
import { graph, tensorNamed } from '../../support/graph-builder.js';

describe('the walk of a kernel over two tensors', () => {
  it.each([
    ['equal shapes: one loop over all', [2, 3, 4], [2, 3, 4], { kind: 'pairs', length: 24 }],
    [
      'one number per channel: a loop over the channels',
      [1, 5, 5, 8],
      [1, 1, 1, 8],
      { kind: 'pairs', length: 8 },
    ],
    ['the same with fewer axes', [8], [1, 5, 5, 8], { kind: 'pairs', length: 8 }],
    ['a scalar: one element against all others', [], [4, 5], { kind: 'scalar', length: 20 }],
    [
      'one number per pixel: one element against the channels',
      [1, 5, 5, 8],
      [1, 5, 5, 1],
      { kind: 'scalar', length: 8 },
    ],
    ['both broadcast, along neighbouring axes', [2, 1, 4], [1, 3, 4], { kind: 'pairs', length: 4 }],
  ] as const)('%s', (_, a, b, wanted) => {
    expect(pairWalk(a, b)).toEqual(wanted);
    expect(pairWalk(b, a)).toEqual(wanted);
  });

  it('is element by element where five loops do not do', () => {
    expect(pairWalk([2, 1, 3, 1, 4, 1], [1, 5, 1, 6, 1, 7])).toBeUndefined();
  });
});

/** What `inVectors` asks of a call: [1, 3, 2, 5] in the file, channels first here. */
function callOn(tensors: Graph): OperatorCall {
  const writer = new ModelWriter(new Map([['', 20]]), 9);
  return { writer, graph: tensors } as OperatorCall;
}

function picture(): Graph {
  const built = graph().input('x', 'float32', [1, 5, 3, 2]).build();
  const tensor: Tensor = { ...tensorNamed(built, 'x'), fileAxes: [0, 2, 3, 1] };
  return { ...built, tensors: [tensor] };
}

describe('the elements in whole vectors', () => {
  const tensors = picture();
  const { id } = tensors.tensors[0]!;

  it('are known to be all or none where the loop ends with a vector or has none', () => {
    const call = callOn(tensors);
    expect(fileExtents(call, id)).toEqual([1, 3, 2, 5]);
    expect(inVectors(call, id, { length: 30, width: 5 })).toBe('all');
    expect(inVectors(call, id, { length: 30, width: 32 })).toBe('none');
  });

  it.each([
    [30, 16],
    [10, 8],
    [5, 4],
  ])('of loops over %d elements, %d at a time, are found in the order of the file', async (length, width) => {
    const call = callOn(tensors);
    const mask = inVectors(call, id, { length, width });
    const ones = call.writer.literal('float32', Array<number>(30).fill(1), [1, 5, 3, 2]);
    const zero = call.writer.literal('float32', [0], []);
    const model = call.writer.encode([call.writer.op('Where', [mask as typeof ones, ones, zero])]);
    const session = await openSession(model, { threads: 1 });
    const [found] = await session.run(new Map());
    await session.close();
    const wanted = Array.from({ length: 30 }, (_, i) => {
      const [channel, row, column] = [Math.floor(i / 6), Math.floor(i / 2) % 3, i % 2];
      const inFile = (row * 2 + column) * 5 + channel;
      return inFile % length < length - (length % width) ? 1 : 0;
    });
    expect(Array.from(found as Float32Array)).toEqual(wanted);
  });
});
