/** Networks that are run once, whoever asks for them. */
import { describe, expect, it } from 'vitest';
import { SharedTrials } from '../../../src/commands/sweep/trials/shared-trials.js';
import type { Trial, TrialOutcome, TrialRunner, Wanted } from '../../../src/commands/sweep/trials/trial.js';
import type { TensorId } from '../../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../../src/ir/lane.js';

function params(scale: number): QuantParams {
  return {
    dtype: 'int8',
    qmin: -128,
    qmax: 127,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(0),
    source: 'observer',
  };
}

function lane(...tensors: readonly (readonly [id: number, scale: number])[]): Lane {
  const quantizers = tensors.map(([id, scale]): [TensorId, QuantParams] => [id as TensorId, params(scale)]);
  return { name: 'made', tensors: new Map(quantizers), uses: new Map() };
}

/** Says what it was asked for. */
class Recorder implements TrialRunner {
  readonly asked: string[] = [];

  run(trials: readonly Trial[], { noise, score }: Wanted): Promise<TrialOutcome[]> {
    const what = [...(noise ? ['noise'] : []), ...(score ? ['score'] : [])].join('+');
    this.asked.push(...trials.map(({ id }) => `${id}: ${what}`));
    return Promise.resolve(
      trials.map(({ id }) => ({
        id,
        ...(noise ? { noise: [] } : {}),
        ...(score ? { score: { value: 1 } } : {}),
        ...(id === 'broken' ? { failure: 'it crashed' } : {}),
      })),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

describe('trials of the same network', () => {
  it('are one run, and each has its own name', async () => {
    const recorder = new Recorder();
    const trials = new SharedTrials(recorder);
    const same = [lane([1, 0.5], [2, 0.25]), lane([2, 0.25], [1, 0.5])];
    const asked = [
      { id: 'a', lane: same[0]! },
      { id: 'b', lane: same[1]! },
      { id: 'c', lane: lane([1, 0.5]) },
    ];
    const outcomes = await trials.run(asked, { noise: true, score: false });
    expect(outcomes).toEqual([
      { id: 'a', noise: [] },
      { id: 'b', noise: [] },
      { id: 'c', noise: [] },
    ]);
    expect(recorder.asked).toEqual(['a: noise', 'c: noise']);
  });

  it('are asked again only for what is not known of them', async () => {
    const recorder = new Recorder();
    const trials = new SharedTrials(recorder);
    await trials.run([{ id: 'a', lane: lane([1, 1]) }], { noise: true, score: false });
    const both = { noise: true, score: true };
    const outcomes = await trials.run(
      [
        { id: 'b', lane: lane([1, 1]) },
        { id: 'c', lane: lane([1, 2]) },
      ],
      both,
    );
    expect(outcomes[0]).toEqual({ id: 'b', noise: [], score: { value: 1 } });
    await trials.run([{ id: 'd', lane: lane([1, 2]) }], both);
    expect(recorder.asked).toEqual(['a: noise', 'b: score', 'c: noise+score']);
  });

  it('are not tried again after a failure', async () => {
    const recorder = new Recorder();
    const trials = new SharedTrials(recorder);
    await trials.run([{ id: 'broken', lane: lane([1, 1]) }], { noise: true, score: false });
    const [again] = await trials.run([{ id: 'again', lane: lane([1, 1]) }], { noise: true, score: true });
    expect(again).toMatchObject({ id: 'again', failure: 'it crashed' });
    expect(recorder.asked).toHaveLength(1);
  });
});
