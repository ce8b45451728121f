/** Outputs that stand still, and ones that only look like it. */
import { describe, expect, it } from 'vitest';
import { constant } from '../../../../src/doctor/rules/out/constant.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import { FLOAT_LANE } from '../../../../src/ir/lane.js';
import type { OutputStudy } from '../../../../src/run/output-study.js';
import { graph, tensorNamed } from '../../../support/graph-builder.js';
import { answers, studiedOutput, studyOf } from '../../../support/studied-outputs.js';

const g = graph()
  .input('x', 'float32', [1, 10])
  .node('Relu', { name: 'early', inputs: ['x'], outputs: ['a'] })
  .node('Neg', { name: 'late', inputs: ['a'], outputs: ['b'] })
  .node('Neg', { name: 'beside', inputs: ['x'], outputs: ['other'] })
  .output('b')
  .output('other')
  .build();

function found(outputs: OutputStudy, told: readonly Finding[] = []): readonly Finding[] {
  return constant.check({ graph: g, lane: FLOAT_LANE, outputs }, told);
}

const stuck = studiedOutput(g, 'b', { moving: 8, stuck: 8, collapse: 'values' });
const dead = { tensor: tensorNamed(g, 'a').id, name: 'a', node: 'early', ratio: 0.001, samples: 4 };

function error(subject: Finding['subject']): Finding {
  return { rule: 'q.degenerate', severity: 'error', subject, message: '', args: {} };
}

describe('out.constant', () => {
  it('is silent where the outputs follow the input', () => {
    expect(found(studyOf([studiedOutput(g, 'b'), studiedOutput(g, 'other')]))).toEqual([]);
  });

  it('names the first dead tensor and says how much stands still', () => {
    const [finding, ...more] = found(studyOf([stuck], { dead }));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ severity: 'error', subject: { node: 'early', tensor: 'a' } });
    expect(finding?.message).toBe(
      'output b does not follow the input: 100 % of what differs between 16 samples in float stays the same; ' +
        'the first tensor that stands still is a (0.1 % of the variance between samples is left)',
    );
  });

  it('names the output where no tensor on the way stands still', () => {
    const output = studiedOutput(g, 'b', {
      collapse: 'answers',
      answers: answers({ different: { float: 7, quantized: 1 }, entropy: { float: 2.5, quantized: 0 } }),
    });
    const [finding] = found(studyOf([output]));
    expect(finding?.subject.tensor).toBe('b');
    expect(finding?.message).toContain('always the same answer: 1 class in 16, in float 7 classes');
    expect(finding?.message).toContain('no tensor on the way stands still by itself');
  });

  it('tells one finding for several outputs', () => {
    const both = [stuck, studiedOutput(g, 'other', { collapse: 'values', stuck: 10 })];
    expect(found(studyOf(both, { dead }))).toHaveLength(1);
  });

  it('steps back behind an error on what the dead tensor is computed from', () => {
    const at = (subject: Finding['subject']): string | undefined =>
      found(studyOf([stuck], { dead }), [error(subject)])[0]?.severity;
    expect(at({ tensor: 'a' })).toBe('warning');
    expect(at({ node: 'early' })).toBe('warning');
    expect(at({ tensor: 'x' })).toBe('warning');
    expect(at({})).toBe('warning');
  });

  it('does not step back behind an error elsewhere', () => {
    const at = (subject: Finding['subject']): string | undefined =>
      found(studyOf([stuck], { dead }), [error(subject)])[0]?.severity;
    expect(at({ tensor: 'other', node: 'beside' })).toBe('error');
    expect(at({ tensor: 'b', node: 'late' })).toBe('error');
  });

  it('explains nothing away', () => {
    expect(found(studyOf([stuck], { dead }))[0]).not.toHaveProperty('explains');
  });
});
