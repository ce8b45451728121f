import { beforeAll, describe, expect, it } from 'vitest';
import { changedScheme } from '../../../src/commands/fixes/changed-scheme.js';
import { planSimulation } from '../../../src/commands/simulation.js';
import type { SchemeChange } from '../../../src/doctor/finding.js';
import type { Lane, QuantParams } from '../../../src/ir/lane.js';
import { SCHEMES } from '../../../src/quant/presets.js';
import type { Scheme } from '../../../src/quant/scheme.js';
import { NO_SELECTION } from '../../../src/quant/select.js';
import { calibrate, type Calibration } from '../../../src/run/calibrate.js';
import { tensorNamed } from '../../support/graph-builder.js';
import { bells, images, ONE_THREAD, smallNetwork, UNWATCHED } from '../../support/measured-networks.js';

const NET = smallNetwork(17, bells);
const SIMULATION = planSimulation(NET, SCHEMES['ort'] as Scheme, NO_SELECTION);
let calibration: Calibration;

beforeAll(async () => {
  const options = { ...ONE_THREAD, histograms: true, momentum: 0.99 };
  calibration = await calibrate(NET, SIMULATION.observed, images(2, bells), options, UNWATCHED);
});

function changed(
  change: Omit<SchemeChange, 'kind'>,
  known: Calibration = calibration,
  simulation: Parameters<typeof changedScheme>[0] = SIMULATION,
): Lane | undefined {
  return changedScheme(simulation, known, NO_SELECTION, { kind: 'scheme', ...change });
}

const of = (lane: Lane | undefined, name: string): QuantParams | undefined =>
  lane?.tensors.get(tensorNamed(NET, name).id);

describe('a change of the scheme', () => {
  it('is the lane that the scheme gives with it, from the calibration that is there', () => {
    const same = changed({ overrides: {} });
    const perAxis = changed({ overrides: { granularity: 'per-axis' } });
    expect(of(same, 'depthwise.weight')?.scale).toHaveLength(1);
    expect(of(perAxis, 'depthwise.weight')?.scale).toHaveLength(4);
    expect(of(perAxis, 'relu1:out')?.scale).toEqual(of(same, 'relu1:out')?.scale);
    expect(of(changed({ overrides: { activations: 'int16' } }), 'relu1:out')?.dtype).toBe('int16');
  });

  it('leaves in float what is skipped', () => {
    const skipping = changed({ overrides: {}, skip: ['depthwise'] });
    expect(of(skipping, 'depthwise.weight')).toBeUndefined();
    expect(of(skipping, 'conv1.weight')).toBeDefined();
  });

  it('is none where it needs ranges that were not observed, and of a finished file', () => {
    const { id } = tensorNamed(NET, 'relu1:out');
    const edges = new Map([...calibration.edges].filter(([tensor]) => tensor !== id));
    expect(changed({ overrides: {} }, { ...calibration, edges })).toBeUndefined();
    expect(changed({ overrides: {} }, calibration, { ...SIMULATION, scheme: 'file' })).toBeUndefined();
  });
});
