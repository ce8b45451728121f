/** What is decided of fixes and layers, with outcomes that are made up. */
import { beforeAll, describe, expect, it } from 'vitest';
import { decided } from '../../../src/commands/sweep/decided.js';
import { effectBasis, effectOf } from '../../../src/commands/sweep/effects.js';
import type { LaneFix } from '../../../src/commands/sweep/fixes/lane-fix.js';
import { partLane } from '../../../src/commands/sweep/part-lanes.js';
import type { Prepared } from '../../../src/commands/sweep/prepared.js';
import type { Trial, TrialOutcome, TrialRunner } from '../../../src/commands/sweep/trials/trial.js';
import type { TensorId } from '../../../src/ir/graph.js';
import type { Lane } from '../../../src/ir/lane.js';
import type { SweepReport } from '../../../src/report/sweep-report.js';
import { DIGITS, sweptGround } from './swept-ground.js';

let ground: Prepared;
beforeAll(async () => {
  ground = (await sweptGround(DIGITS)).prepared;
});

/** Marks the lane with a constant of its own. */
function fix(id: string, cost?: LaneFix['cost']): LaneFix {
  const tensor = (100000 + id.charCodeAt(0)) as TensorId;
  return {
    id,
    kind: 'observer',
    title: id,
    places: [],
    tensors: [tensor],
    apply: (lane) => ({
      ...lane,
      values: new Map([...(lane.values ?? []), [tensor, { dtype: 'float32', dims: [0], ...EMPTY }]]),
    }),
    ...(cost === undefined ? {} : { cost }),
  };
}

const EMPTY = { byteLength: 0, bytes: () => new Uint8Array(0) };

function marksIn(lane: Lane): string {
  return [...(lane.values?.keys() ?? [])]
    .filter((id) => id >= 100000)
    .map((id) => String.fromCharCode(id - 100000))
    .sort()
    .join('');
}

interface World {
  /** Of float 90: what is had with these fixes, and with the layer of the search in float. */
  readonly accuracy: (marks: string, isSearched: boolean) => number;
  readonly fixes: readonly LaneFix[];
}

async function decision({ accuracy, fixes }: World): Promise<{
  readonly reported: SweepReport['decision'];
  readonly marks: string;
}> {
  const { simulated, layers } = ground;
  const [layer] = layers;
  const searched = partLane(simulated, { kind: 'without', nodes: layer!.nodes })!;
  const outcome = ({ id, lane }: Trial): TrialOutcome => {
    const value = accuracy(marksIn(lane), lane.tensors.size === searched.tensors.size);
    return { id, score: { value, delta: value - 90, interval: [value - 2, value + 2] } };
  };
  const runner: TrialRunner = {
    run: (trials) => Promise.resolve(trials.map(outcome)),
    close: () => Promise.resolve(),
  };
  const basis = effectBasis(outcome({ id: 'everything', lane: simulated.lane }), 'higher');
  const applied = fixes.reduce((lane, one) => one.apply(lane), simulated.lane);
  const answer = outcome({ id: 'search', lane: searched });
  const made = await decided(
    {
      simulated,
      layers,
      target: { text: '1pt', source: 'command line' },
      to: 'float',
      metric: { metric: 'top1', unit: '%', better: 'higher', reference: 90 },
      basis,
    },
    {
      fixes: {
        fixes: [],
        applied: fixes,
        lane: applied,
        outcome: outcome({ id: 'fixes', lane: applied }),
      },
      search: {
        report: { to: 'float', target: '1pt', points: [], stopped: '' },
        layers: [layer!],
        lane: searched,
        effect: effectOf(answer),
        meetsTarget: true,
      },
    },
    runner,
  );
  return { reported: made.reported, marks: marksIn(made.decision.lane) };
}

describe('the decision for a target', () => {
  const paid = (): LaneFix => fix('p', { layers: ground.layers.slice(1, 2) });

  it('is the fixes that cost nothing where they meet it, though others help beside them', async () => {
    const { reported, marks } = await decision({
      accuracy: (has, isSearched) => (isSearched ? 89.5 : has.includes('f') ? 89.25 : 50),
      fixes: [fix('f'), paid()],
    });
    expect(reported).toMatchObject({ layers: [], fixes: ['f'], meetsTarget: true });
    expect(reported?.effect.accuracy).toBe(89.25);
    expect(marks).toBe('f');
  });

  it('is layers in float where only fixes that cost something would meet it, with nothing paid on top', async () => {
    const { reported, marks } = await decision({
      accuracy: (has, isSearched) => (isSearched ? 89.5 : 50) + (has.includes('p') ? 0.25 : 0),
      fixes: [fix('f'), paid()],
    });
    expect(reported).toMatchObject({ layers: [ground.layers[0]!.name], fixes: [], meetsTarget: true });
    expect(marks).toBe('');
  });

  it('has free fixes on top of the layers where both together are better', async () => {
    const { reported, marks } = await decision({
      accuracy: (has, isSearched) => (isSearched ? 89.5 : 50) + (has.includes('f') ? 0.25 : 0),
      fixes: [fix('f'), paid()],
    });
    expect(reported).toMatchObject({ layers: [ground.layers[0]!.name], fixes: ['f'], meetsTarget: true });
    expect(reported?.effect.accuracy).toBe(89.75);
    expect(marks).toBe('f');
  });

  it('is the fixes with their cost where the layers miss it', async () => {
    const { reported, marks } = await decision({
      accuracy: (has, isSearched) => (isSearched ? 80 : has === 'fp' ? 89.25 : 60),
      fixes: [fix('f'), paid()],
    });
    expect(reported).toMatchObject({ layers: [], fixes: ['f', 'p'], meetsTarget: true });
    expect(marks).toBe('fp');
  });
});
