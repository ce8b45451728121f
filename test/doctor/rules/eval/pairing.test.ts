/** Inputs that a device was fed, beside what is fed here. */
import { describe, expect, it } from 'vitest';
import { pairing } from '../../../../src/doctor/rules/eval/pairing.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import type { OtherTensor } from '../../../../src/run/other-run.js';
import { graph } from '../../../support/graph-builder.js';

const g = graph()
  .input('x', 'float32', [1, 4])
  .node('Relu', { name: 'relu', inputs: ['x'], outputs: ['y'] })
  .output('y')
  .build();

function found(...tensors: readonly Partial<OtherTensor>[]): readonly Finding[] {
  const whole = tensors.map((tensor): OtherTensor => ({
    tensor: 'x',
    node: '',
    op: '',
    values: 100,
    differing: 90,
    simulated: { sqnrDb: 50 },
    ...tensor,
  }));
  return pairing.check({ graph: g, actual: { source: 'dump', samples: 1, tensors: whole, skipped: [] } });
}

describe('eval.pairing', () => {
  it('is silent where the input is the same, or rounded otherwise', () => {
    expect(found({ differing: 0, simulated: { exact: true } })).toEqual([]);
    expect(found({ simulated: { sqnrDb: 42 } })).toEqual([]);
  });

  it('flags an input of another sample', () => {
    const [finding] = found({ simulated: { sqnrDb: 1.2 } });
    expect(finding).toMatchObject({ severity: 'error', subject: { tensor: 'x' } });
    expect(finding?.message).toContain(
      'in 90 % of its values (1.2 dB): other samples, or the same in another order',
    );
  });

  it('flags an input that was preprocessed otherwise', () => {
    expect(found({ simulated: { sqnrDb: 18 } })[0]?.message).toContain(
      'the same samples preprocessed otherwise',
    );
  });

  it('flags an input where there is no SQNR: beside zeros, or with NaN that only one side has', () => {
    expect(found({ simulated: {} })[0]?.message).toBe(
      'the dumped input differs from what is fed here in 90 % of its values: other samples, or the same in another order; ' +
        'nothing behind it can be compared',
    );
    expect(found({ differing: 3, nonFinite: 3, simulated: { sqnrDb: 90 } })[0]?.message).toContain(
      'in 3 % of its values (90 dB): 3 of them are NaN or infinite on one side only;',
    );
    expect(found({ differing: 0, simulated: {} })).toEqual([]);
  });

  it('leaves what operators write alone', () => {
    expect(found({ tensor: 'y', node: 'relu', op: 'Relu', simulated: { sqnrDb: 1 } })).toEqual([]);
  });

  it('says nothing where the input was not dumped', () => {
    expect(found()).toEqual([]);
  });
});
