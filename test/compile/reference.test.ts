/** What the tensors of a candidate are compared with, where that is another network with other axes and types. */
import { describe, expect, it } from 'vitest';
import {
  ComparedRuns,
  writerFor,
  type Counterpart,
  type ReferenceNetwork,
} from '../../src/compile/reference.js';
import type { TensorId } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { fetched } from '../support/fetched.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';
import { feedOf } from '../support/measured-networks.js';

const NCHW = [1, 2, 2, 3];
const NHWC = [1, 2, 3, 2];
const PIXELS = Array.from({ length: 12 }, (_, i) => i - 5);

/** Element [0, h, w, c] of what lies as [0, c, h, w]. */
const channelsLast = (values: readonly number[]): number[] =>
  Array.from({ length: 12 }, (_, i) => {
    const [h, w, c] = [Math.floor(i / 6), Math.floor(i / 2) % 3, i % 2];
    return values[c * 6 + h * 3 + w]!;
  });

const reference = inferShapes(
  graph()
    .input('picture', 'float32', NCHW)
    .constant('three', 'float32', [], [3])
    .node('Mul', { inputs: ['picture', 'three'], outputs: ['tripled'] })
    .node('Flatten', { inputs: ['tripled'], outputs: ['flat'] })
    .output('flat')
    .build(),
);

const candidate = inferShapes(
  graph()
    .input('image', 'float32', NHWC)
    .constant('two', 'float32', [], [2])
    .node('Mul', { inputs: ['image', 'two'], outputs: ['doubled'] })
    .output('doubled')
    .build(),
);

const view = { dims: NCHW, perm: [0, 2, 3, 1] };

const id = (of: typeof candidate, name: string) => tensorNamed(of, name).id;

function beside(counterparts: ReferenceNetwork['counterparts'], rest: Partial<ReferenceNetwork> = {}) {
  const other: ReferenceNetwork = { graph: reference, lane: FLOAT_LANE, counterparts, ...rest };
  const writer = writerFor(candidate, other);
  return { writer, runs: new ComparedRuns(writer, candidate, new Set(), other) };
}

const feeds = new Map([['picture', feedOf('float32', NCHW, PIXELS)]]);
const input: readonly [TensorId, Counterpart] = [
  id(candidate, 'image'),
  { tensor: id(reference, 'picture'), view },
];

describe('beside another network', () => {
  it("a candidate reads the reference's inputs in its own order of axes, and its tensors are compared in that order", async () => {
    const { writer, runs } = beside(
      new Map([input, [id(candidate, 'doubled'), { tensor: id(reference, 'tripled'), view }]]),
    );
    const own = runs.lane(FLOAT_LANE).value(id(candidate, 'doubled'));
    const should = runs.reference(id(candidate, 'doubled'))!;
    const [got, wanted] = await fetched(writer, [own, should], feeds);
    expect(got).toEqual(channelsLast(PIXELS).map((x) => 2 * x));
    expect(wanted).toEqual(channelsLast(PIXELS).map((x) => 3 * x));
  });

  it('a tensor of other dims is unfolded by the dims of its view before its axes move', async () => {
    const { writer, runs } = beside(
      new Map([input, [id(candidate, 'doubled'), { tensor: id(reference, 'flat'), view }]]),
    );
    const [wanted] = await fetched(writer, [runs.reference(id(candidate, 'doubled'))!], feeds);
    expect(wanted).toEqual(channelsLast(PIXELS).map((x) => 3 * x));
  });

  it('a tensor whose elements lie in the same order gets other dims without being moved', async () => {
    const { writer, runs } = beside(
      new Map([input, [id(candidate, 'doubled'), { tensor: id(reference, 'flat') }]]),
    );
    const [wanted] = await fetched(writer, [runs.reference(id(candidate, 'doubled'))!], feeds);
    expect(wanted).toEqual(PIXELS.map((x) => 3 * x));
  });

  it('nothing says what a tensor without a counterpart should be', () => {
    const { runs } = beside(new Map([input]));
    expect(runs.reference(id(candidate, 'doubled'))).toBeUndefined();
  });

  it('the data reach the candidate as they are, not through a quantizer that the reference has at its input', async () => {
    const { writer, runs } = beside(
      new Map([input, [id(candidate, 'doubled'), { tensor: id(reference, 'tripled'), view }]]),
      { lane: laneOf(reference, { picture: perTensor('int8', 4) }) },
    );
    const own = runs.lane(FLOAT_LANE).value(id(candidate, 'doubled'));
    const [got, wanted] = await fetched(writer, [own, runs.reference(id(candidate, 'doubled'))!], feeds);
    expect(got).toEqual(channelsLast(PIXELS).map((x) => 2 * x));
    // Halves to even: -5/4 -> -1, 2/4 -> 0, 6/4 -> 2.
    const even = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
    expect(wanted!.map((x) => x + 0)).toEqual(channelsLast(PIXELS).map((x) => 12 * even(x / 4) + 0));
  });

  it('an input without a counterpart is refused by name', () => {
    expect(() => beside(new Map())).toThrow(/input image has no counterpart/);
  });

  it('two operator sets are refused: one model has one', () => {
    const older = { ...reference, opsets: new Map([['', 13]]) };
    const other = { graph: older, lane: FLOAT_LANE, counterparts: new Map() };
    expect(() => writerFor(candidate, other)).toThrow(/opset 17 beside opset 13/);
  });

  it.each([
    ['uint8', 'float32'],
    ['float16', 'float16'],
  ] as const)(
    'an input of %s is fed and a tensor of %s compared in the type that the candidate has',
    async (given, kept) => {
      const g = inferShapes(
        graph()
          .input('image', given, [1, 4])
          .node('Cast', { inputs: ['image'], outputs: ['value'], attrs: { to: kept === 'float16' ? 10 : 1 } })
          .output('value')
          .build(),
      );
      const float = inferShapes(
        graph()
          .input('x', 'float32', [1, 4])
          .node('Identity', { inputs: ['x'], outputs: ['same'] })
          .output('same')
          .build(),
      );
      const other: ReferenceNetwork = {
        graph: float,
        lane: FLOAT_LANE,
        counterparts: new Map([
          [id(g, 'image'), { tensor: id(float, 'x') }],
          [id(g, 'value'), { tensor: id(float, 'same') }],
        ]),
      };
      const writer = writerFor(g, other);
      const runs = new ComparedRuns(writer, g, new Set(), other);
      const e = writer.op('Sub', [
        runs.lane(FLOAT_LANE).value(id(g, 'value')),
        runs.reference(id(g, 'value'))!,
      ]);
      const error = writer.op('Cast', [e], { to: 1 });
      const [errors] = await fetched(
        writer,
        [error],
        new Map([['x', feedOf('float32', [1, 4], [0, 1.75, 3, 255])]]),
      );
      expect(errors).toEqual(given === 'uint8' ? [0, -0.75, 0, 0] : [0, 0, 0, 0]);
    },
  );
});
