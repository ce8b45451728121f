/** Single operators on what their inputs should be. */
import { describe, expect, it } from 'vitest';
import { LocalValues } from '../../src/compile/local-values.js';
import { ComparedRuns, writerFor, type ReferenceNetwork } from '../../src/compile/reference.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { fetched } from '../support/fetched.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';
import { feedOf } from '../support/measured-networks.js';

/** x * factor = a; a + 1 = b; b * 10 = y. */
function chain(factor: number): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', [1, 4])
      .constant('factor', 'float32', [], [factor])
      .constant('one', 'float32', [], [1])
      .constant('ten', 'float32', [], [10])
      .node('Mul', { inputs: ['x', 'factor'], outputs: ['a'] })
      .node('Add', { inputs: ['a', 'one'], outputs: ['b'] })
      .node('Mul', { inputs: ['b', 'ten'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

const reference = chain(3);
const candidate = chain(2);
const X = [0.1, 0.3, -0.6, 1];
/** X through an int8 quantizer of scale 1/2: -1.2 -> -1. */
const ROUNDED = [0, 0.5, -0.5, 1];
const lane = laneOf(candidate, { x: perTensor('int8', 0.5) });

async function localOf(name: string, common: readonly string[]): Promise<number[]> {
  const other: ReferenceNetwork = {
    graph: reference,
    lane: FLOAT_LANE,
    counterparts: new Map(
      ['x', ...common].map((twin) => [
        tensorNamed(candidate, twin).id,
        { tensor: tensorNamed(reference, twin).id },
      ]),
    ),
  };
  const writer = writerFor(candidate, other);
  const runs = new ComparedRuns(writer, candidate, new Set(), other);
  const local = new LocalValues(candidate, runs.lane(lane), runs.reference);
  const feeds = new Map([['x', feedOf('float32', [1, 4], X)]]);
  const [values] = await fetched(writer, [local.value(tensorNamed(candidate, name).id)], feeds);
  return values!;
}

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5) as number);

describe('the local value of a tensor', () => {
  it('is its operator on what the reference has in place of its inputs', async () => {
    expect(await localOf('b', ['a', 'b', 'y'])).toEqual(close(X.map((x) => 3 * x + 1)));
  });

  it("passes inputs through the candidate's own quantizers", async () => {
    expect(await localOf('a', ['a', 'b', 'y'])).toEqual(close(ROUNDED.map((x) => 2 * x)));
  });

  it('follows the candidate across a tensor that the reference does not have, up to one that it has', async () => {
    expect(await localOf('b', ['b', 'y'])).toEqual(close(ROUNDED.map((x) => 2 * x + 1)));
    expect(await localOf('y', ['b', 'y'])).toEqual(close(X.map((x) => 10 * (3 * x + 1))));
    expect(await localOf('y', ['y'])).toEqual(close(ROUNDED.map((x) => 10 * (2 * x + 1))));
  });

  it('does not exist for a graph input', async () => {
    await expect(localOf('x', ['a'])).rejects.toThrow(/no operator writes tensor x/);
  });
});
