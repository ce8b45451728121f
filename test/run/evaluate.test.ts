/** The sample loop of an evaluation. */
import { describe, expect, it } from 'vitest';
import { evaluationProgram } from '../../src/compile/evaluation-program.js';
import { RunError } from '../../src/errors.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { evaluate, type EvaluatedSample } from '../../src/run/evaluate.js';
import { graph } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';
import { feedOf, ONE_THREAD, samplesOf, streamed, UNWATCHED } from '../support/measured-networks.js';

/** Where the index is beyond the table, the runtime fails. */
const TABLE = inferShapes(
  graph()
    .input('at', 'int64', [1])
    .constant('table', 'float32', [3], [0.25, 1.5, -2])
    .node('Gather', { inputs: ['table', 'at'], outputs: ['y'] })
    .output('y', 'float32', [1])
    .build(),
);

const LINE = inferShapes(
  graph()
    .input('x', 'float32', [1, 2])
    .node('Neg', { inputs: ['x'], outputs: ['y'] })
    .output('y', 'float32', [1, 2])
    .build(),
);

async function collected(run: AsyncIterable<EvaluatedSample>): Promise<EvaluatedSample[]> {
  const found: EvaluatedSample[] = [];
  for await (const sample of run) found.push(sample);
  return found;
}

describe('evaluate', () => {
  it('goes through the samples in their order, and says how far it is', async () => {
    const seen: (readonly [string, number, number])[] = [];
    const samples = samplesOf(
      'x',
      [1, 2],
      [
        [1, 2],
        [3, 4],
        [5, 6.4],
      ],
    );
    const program = evaluationProgram(LINE, [laneOf(LINE, { x: perTensor('int8', 1) })], FLOAT_LANE);
    const found = await collected(
      evaluate(program, samples, { ...ONE_THREAD, watch: (...step) => void seen.push(step) }),
    );
    expect(found.map(({ sample, index }) => [sample.id, index])).toEqual([
      ['sample0', 0],
      ['sample1', 1],
      ['sample2', 2],
    ]);
    expect(found[2]!.networks.map(([output]) => [...output!.data])).toEqual([
      [-5, Math.fround(-6.4)],
      [-5, -6],
    ]);
    expect(seen).toEqual([0, 1, 2, 3].map((done) => ['evaluate', done, 3]));
  });

  it('keeps the values of a sample when the next is run', async () => {
    const samples = samplesOf(
      'x',
      [1, 2],
      [
        [1, 2],
        [3, 4],
      ],
    );
    const found = await collected(
      evaluate(evaluationProgram(LINE, [], FLOAT_LANE), samples, { ...ONE_THREAD, watch: UNWATCHED }),
    );
    expect(found.map(({ networks }) => [...networks[0]![0]!.data])).toEqual([
      [-1, -2],
      [-3, -4],
    ]);
  });

  it('hands on outputs that are not finite', async () => {
    const samples = samplesOf('x', [1, 2], [[NaN, -Infinity]]);
    const [found] = await collected(
      evaluate(evaluationProgram(LINE, [], FLOAT_LANE), samples, { ...ONE_THREAD, watch: UNWATCHED }),
    );
    expect([...found!.networks[0]![0]!.data]).toEqual([NaN, Infinity]);
  });

  it('names the sample that the network fails on', async () => {
    const samples = streamed(
      [2, 7].map((at, index) => ({
        id: `row ${index}`,
        index,
        feeds: new Map([['at', feedOf('int64', [1], [at])]]),
      })),
    );
    const run = collected(
      evaluate(evaluationProgram(TABLE, [], FLOAT_LANE), samples, { ...ONE_THREAD, watch: UNWATCHED }),
    );
    const error: unknown = await run.catch((failed: unknown) => failed);
    expect(error).toBeInstanceOf(RunError);
    expect((error as RunError).places).toEqual(['sample row 1']);
  });

  it('stops when nobody wants the rest', async () => {
    const seen: number[] = [];
    const samples = samplesOf(
      'x',
      [1, 2],
      Array.from({ length: 50 }, () => [1, 2]),
    );
    for await (const { index } of evaluate(evaluationProgram(LINE, [], FLOAT_LANE), samples, {
      ...ONE_THREAD,
      watch: UNWATCHED,
    })) {
      seen.push(index);
      if (index === 1) break;
    }
    expect(seen).toEqual([0, 1]);
  });
});
