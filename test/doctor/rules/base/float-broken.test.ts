/** A float network that fails by itself. */
import { describe, expect, it } from 'vitest';
import { floatBroken } from '../../../../src/doctor/rules/base/float-broken.js';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import { countedAccuracy } from '../../../support/accuracies.js';
import { graph } from '../../../support/graph-builder.js';

const g = graph().input('x').output('x').build();

function found(both: number, rest: Partial<Evidence> = {}): readonly Finding[] {
  const accuracy = countedAccuracy({ samples: 100, both, lost: 0, won: 0 }, { chance: 10 });
  return floatBroken.check({ graph: g, accuracy, ...rest });
}

const tried = (value: number, interval: readonly [number, number]): Partial<Evidence> => ({
  preprocessings: {
    unit: '%',
    better: 'higher',
    color: 'rgb',
    tried: [{ title: 'values 0..1, RGB', flags: ['--preset', 'unit'], value, interval }],
  },
});

describe('base.float-broken', () => {
  it('is silent where the float network works', () => {
    expect(found(80)).toEqual([]);
    expect(found(80, { evaluation: { expected: 85 } })).toEqual([]);
  });

  it('flags one that is no better than guessing', () => {
    const [finding] = found(10);
    expect(finding).toMatchObject({ severity: 'error', subject: {}, args: { kind: 'near chance' } });
    expect(finding?.message).toContain('this is not a quantization problem');
  });

  it('flags one that is far below what is expected', () => {
    expect(found(60, { evaluation: { expected: 90 } })[0]?.args.kind).toBe('below expected');
  });

  it('names the preprocessing that explains it', () => {
    const [finding] = found(10, tried(85, [75, 92]));
    expect(finding?.message).toContain('With values 0..1, RGB it scores far more');
    expect(finding?.fix?.edit).toBe('--preset unit');
  });

  it('says so where none does', () => {
    const [finding] = found(10, tried(12, [6, 20]));
    expect(finding?.message).toContain('Of the common preprocessings, none of them explains it');
    expect(finding?.fix).toBeUndefined();
  });
});
