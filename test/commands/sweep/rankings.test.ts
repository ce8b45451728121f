/** Rankings of layers beside those of other tools, over all samples. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sweptUnits, type UnitKind } from '../../../src/commands/sweep/units/swept-units.js';
import { unitsOf } from '../../../src/commands/sweep/units/units.js';
import type { SweptUnit } from '../../../src/report/sweep-report.js';
import { kendallTau } from '../../support/kendall-tau.js';
import { DIGITS, fixture, sweptGround } from './swept-ground.js';

type Name = 'digits' | 'digits_rescaled';

interface Reference<Layer> {
  readonly models: Readonly<Record<Name, { readonly layers: Readonly<Record<string, Layer>> }>>;
}

function reference<Layer>(file: string): Reference<Layer>['models'] {
  return (JSON.parse(readFileSync(fixture(`sweep/${file}`), 'utf8')) as Reference<Layer>).models;
}

async function sweptLayers(name: Name, data: { readonly eval?: string }): Promise<readonly SweptUnit[]> {
  const { prepared, basis, trials } = await sweptGround({
    model: fixture(`digits/${name}.onnx`),
    calib: DIGITS.calib,
    ...data,
  });
  const { simulated, layers } = prepared;
  const units = unitsOf(simulated.simulation.graph, layers, new Map());
  const kinds = new Set<UnitKind>(['alone', 'restored']);
  const swept = await sweptUnits({ simulated, units, kinds, score: 'all', basis }, trials);
  await trials.close();
  return swept.layers;
}

describe("right answers of what ONNX Runtime's quantizer makes of one layer alone, or of all but it", () => {
  interface Layer {
    readonly correct: Readonly<Record<UnitKind, number>>;
  }
  const known = reference<Layer>('ort_layers.json');

  it.each(['digits', 'digits_rescaled'] as const)(
    'are as many of every layer of %s',
    async (name) => {
      const own = await sweptLayers(name, { eval: fixture('digits/eval') });
      expect(own.map((unit) => unit.name).sort()).toEqual(Object.keys(known[name].layers).sort());
      for (const kind of ['alone', 'restored'] as const) {
        const right = own.map((unit) => Math.round((unit[kind]?.accuracy ?? NaN) * 4));
        const reference = own.map((unit) => known[name].layers[unit.name]!.correct[kind]);
        right.forEach((count, at) => expect(Math.abs(count - reference[at]!)).toBeLessThanOrEqual(1));
        if (name === 'digits_rescaled') expect(kendallTau(right, reference)).toBeGreaterThan(0.9);
      }
    },
    120_000,
  );
});

describe("AIMET's sensitivity of layers", () => {
  type Layer = Readonly<Record<UnitKind, number>>;
  const known = reference<Layer>('aimet_layers.json');
  const least = ([first, ...others]: readonly SweptUnit[], of: (unit: SweptUnit) => number): string =>
    others.reduce((worst, unit) => (of(unit) < of(worst) ? unit : worst), first!).name;

  it.each(['digits', 'digits_rescaled'] as const)(
    'ranks those of %s much alike, with quantizers of outputs and weights alone',
    async (name) => {
      const { layers } = known[name];
      const own = (await sweptLayers(name, {})).filter((unit) => layers[unit.name] !== undefined);
      expect(own.length).toBe(Object.keys(layers).length);
      const lost = own.map(({ alone }) => alone?.outputSqnrDb ?? Infinity);
      expect(
        kendallTau(
          lost,
          own.map((unit) => layers[unit.name]!.alone),
        ),
      ).toBeGreaterThan(0.75);
      expect(least(own, ({ alone }) => alone?.outputSqnrDb ?? Infinity)).toBe(
        least(own, (unit) => layers[unit.name]!.alone),
      );
    },
    120_000,
  );

  it('finds the same layer to restore where one is to blame', async () => {
    const { layers } = known.digits_rescaled;
    const own = (await sweptLayers('digits_rescaled', {})).filter((unit) => layers[unit.name] !== undefined);
    const best = least(own, ({ restored }) => -(restored?.outputSqnrDb ?? NaN));
    expect(best).toBe('block1/depthwise');
    expect(least(own, (unit) => -layers[unit.name]!.restored)).toBe(best);
  }, 120_000);
});
