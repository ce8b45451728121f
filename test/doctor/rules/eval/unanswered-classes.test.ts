/** Labels of classes that a detector was not made for. */
import { describe, expect, it } from 'vitest';
import { unansweredClasses } from '../../../../src/doctor/rules/eval/unanswered-classes.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import { graph } from '../../../support/graph-builder.js';

const g = graph().input('x').output('x').build();

function found(labelled: number, unanswered: number): readonly Finding[] {
  return unansweredClasses.check({ graph: g, evaluation: { boxClasses: { labelled, unanswered } } });
}

describe('eval.unanswered-classes', () => {
  it('is silent where half of the classes or more are answered', () => {
    expect(found(10, 5)).toEqual([]);
    expect(unansweredClasses.check({ graph: g, evaluation: {} })).toEqual([]);
  });

  it('warns where fewer are', () => {
    const [finding] = found(80, 79);
    expect(finding).toMatchObject({
      severity: 'warning',
      subject: {},
      args: { labelled: 80, unanswered: 79 },
    });
    expect(finding?.message).toContain('never answers 79 of the 80 classes');
    expect(finding?.fix?.edit).toBe("--class-map '0=0,*=-'");
  });
});
