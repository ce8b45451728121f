import { describe, expect, it } from 'vitest';
import { listedTensors } from '../../src/commands/channel-lists.js';
import type { EdgeMeasurement } from '../../src/diff/edge-measurements.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf } from '../support/evidence.js';
import { graph } from '../support/graph-builder.js';

const LAYERS = 40;

/** A chain t0 -> t1 -> ... of operators with one input each. */
function chain() {
  const builder = graph().input('t0', 'float32', [1, 4]);
  for (let i = 1; i <= LAYERS; i++) {
    builder.node('Sigmoid', { name: `n${i}`, inputs: [`t${i - 1}`], outputs: [`t${i}`] });
  }
  return inferShapes(builder.output(`t${LAYERS}`).build());
}

const g = chain();

/** Every tensor of the chain with so many channels and, but for the input, so much local SQNR. */
function measured(channels: (i: number) => number, db: (i: number) => number | 'exact'): EdgeMeasurement[] {
  return Array.from({ length: LAYERS + 1 }, (_, i) =>
    edgeMeasurement(g, `t${i}`, i === 0 ? {} : { local: errorOf(db(i)) }, {
      channels: Array.from({ length: channels(i) }, () => ({ min: 0, max: 1, sqnrDb: new Map() })),
    }),
  );
}

function listed(channels: (i: number) => number, db: (i: number) => number | 'exact'): number[] {
  const chosen = listedTensors(g, measured(channels, db));
  return [...chosen].map((id) => Number(g.tensors[id]!.name.slice(1))).sort((a, b) => a - b);
}

const from = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('the tensors whose channels are listed', () => {
  it('are all where there is room', () => {
    expect(
      listed(
        () => 100,
        (i) => i,
      ),
    ).toEqual(from(0, LAYERS));
  });

  it('are the worst ten and what their operators read, whatever that takes', () => {
    expect(
      listed(
        () => 4000,
        (i) => 100 - i,
      ),
    ).toEqual(from(LAYERS - 10, LAYERS));
  });

  it('are as many more as there is room for, lowest local SQNR first', () => {
    // 11 of 400 by right, which leaves 3792 of 8192 channels: nine more.
    expect(
      listed(
        () => 400,
        (i) => 100 - i,
      ),
    ).toEqual(from(LAYERS - 19, LAYERS));
  });

  it('are not kept out by one that alone is too large', () => {
    // Next in order is t25, which has no room; t24 and those before have.
    expect(
      listed(
        (i) => (i === 25 ? 9000 : 10),
        (i) => 100 - i,
      ),
    ).toEqual(from(0, LAYERS).filter((i) => i !== 25));
  });

  it('come last where they are exact', () => {
    const channels = (i: number): number => (i === 0 ? 1 : 630);
    // Of thirteen that fit, eleven are the worst and their inputs.
    const chosen = listed(channels, (i) => (i <= 20 ? 'exact' : i));
    expect(chosen).toEqual([0, ...from(20, 32)]);
  });
});
