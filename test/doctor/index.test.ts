/** What becomes of the findings of single rules: merged where two speak of one thing, left out where one explains the other, ranked. */
import { describe, expect, it, vi } from 'vitest';
import type { Evidence } from '../../src/doctor/evidence.js';
import type { Diagnosed, Severity } from '../../src/doctor/finding.js';
import { diagnose } from '../../src/doctor/index.js';
import { rule, type Rule } from '../../src/doctor/rule.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { comparison, suspect } from '../support/comparison.js';
import { edgeMeasurement } from '../support/evidence.js';
import { graph } from '../support/graph-builder.js';

const rules = vi.hoisted(() => ({ all: [] as Rule[] }));

vi.mock('../../src/doctor/catalogue.js', () => ({
  get CATALOGUE() {
    return rules.all;
  },
  ruleNamed: (id: string) => rules.all.find((one) => one.id === id),
}));

const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 4])
    .node('Relu', { name: 'first', inputs: ['x'], outputs: ['a'] })
    .node('Relu', { name: 'second', inputs: ['a'], outputs: ['b'] })
    .node('Relu', { name: 'third', inputs: ['b'], outputs: ['c'] })
    .output('c')
    .build(),
);

type Said = Omit<Diagnosed, 'rule' | 'message' | 'args'>;

/** A rule that says this and may take that severity at most. */
function saying(id: string, severity: Severity, ...said: readonly Said[]): Rule {
  return rule({
    id,
    title: id,
    severity,
    needs: [],
    text: { what: '', why: '', instead: '', see: [] },
    check: () => said.map((one) => ({ rule: id, message: id, args: {}, ...one })),
  });
}

function diagnosed(given: readonly Rule[], evidence: Evidence = { graph: NET }): string[] {
  rules.all = [...given];
  return diagnose(evidence).findings.map(({ severity, rule: id, subject: { node, tensor } }) =>
    [severity, id, node, tensor].filter((part) => part !== undefined).join(' '),
  );
}

describe('a finding that leaves the word to another rule', () => {
  const vague = (severity: Severity, tensor: string): Rule =>
    saying('vague', 'error', { severity, subject: { tensor }, yieldsTo: ['exact'] });

  it('hands over its severity where that is worse, and is told no more', () => {
    const exact = saying('exact', 'error', { severity: 'warning', subject: { tensor: 'a' } });
    expect(diagnosed([exact, vague('error', 'a')])).toEqual(['error exact a']);
    expect(diagnosed([exact, vague('note', 'a')])).toEqual(['warning exact a']);
  });

  it('goes by the node, too, whichever of the two comes first', () => {
    const exact = saying('exact', 'error', { severity: 'error', subject: { node: 'first', tensor: 'w' } });
    const yielding = saying('vague', 'error', {
      severity: 'warning',
      subject: { node: 'first', tensor: 'a' },
      yieldsTo: ['other', 'exact'],
    });
    expect(diagnosed([yielding, exact])).toEqual(['error exact first w']);
  });

  it('stays where the other speaks of another place, only notes something, or is silent', () => {
    const elsewhere = saying('exact', 'error', { severity: 'warning', subject: { tensor: 'b' } });
    expect(diagnosed([elsewhere, vague('error', 'a')])).toEqual(['error vague a', 'warning exact b']);
    const noting = saying('exact', 'error', { severity: 'note', subject: { tensor: 'a' } });
    expect(diagnosed([noting, vague('error', 'a')])).toEqual(['error vague a', 'note exact a']);
    expect(diagnosed([vague('error', 'a')])).toEqual(['error vague a']);
  });

  it('hands over what it explains', () => {
    const exact = saying('exact', 'error', { severity: 'error', subject: { tensor: 'a' } });
    const yielding = saying('vague', 'error', {
      severity: 'error',
      subject: { tensor: 'a' },
      yieldsTo: ['exact'],
      explains: ['b', 'third'],
    });
    const follows = saying(
      'follows',
      'error',
      { severity: 'error', subject: { tensor: 'b' } },
      { severity: 'error', subject: { node: 'third', tensor: 'c' } },
      { severity: 'error', subject: { tensor: 'x' } },
    );
    expect(diagnosed([exact, yielding, follows])).toEqual(['error exact a', 'error follows x']);
  });
});

describe('a finding that explains others', () => {
  it('leaves out those of the places it names, but not those that explain something themselves', () => {
    const cause = saying('cause', 'error', {
      severity: 'error',
      subject: { tensor: 'a' },
      explains: ['b', 'c'],
    });
    const both = saying('both', 'error', { severity: 'error', subject: { tensor: 'b' }, explains: ['a'] });
    const follows = saying('follows', 'error', { severity: 'error', subject: { tensor: 'c' } });
    expect(diagnosed([cause, both, follows])).toEqual(['error cause a', 'error both b']);
  });
});

describe('the order', () => {
  const broken = (...names: readonly string[]): Evidence =>
    comparison(NET, {
      edges: ['x', 'a', 'b', 'c'].map((name) => edgeMeasurement(NET, name)),
      suspects: names.map((name, at) => suspect(NET, name, 'quantizer', at)),
    });
  const at = (id: string, most: Severity, severity: Severity, tensor?: string): Rule =>
    saying(id, most, { severity, subject: tensor === undefined ? {} : { tensor } });

  it('makes a warning an error where its tensor is broken, but never more than its rule takes', () => {
    expect(diagnosed([at('may', 'error', 'warning', 'a')], broken('a'))).toEqual(['error may a']);
    expect(diagnosed([at('mayNot', 'warning', 'warning', 'a')], broken('a'))).toEqual(['warning mayNot a']);
    expect(diagnosed([at('may', 'error', 'note', 'a')], broken('a'))).toEqual(['note may a']);
    expect(diagnosed([at('may', 'error', 'warning', 'b')], broken('a'))).toEqual(['warning may b']);
  });

  it('is that of severity, then of the suspects, and what is said of the whole model comes first', () => {
    const given = [
      at('note', 'note', 'note', 'a'),
      at('late', 'warning', 'warning', 'x'),
      at('early', 'warning', 'warning', 'c'),
      at('whole', 'warning', 'warning'),
    ];
    expect(diagnosed(given, broken('c', 'x'))).toEqual([
      'warning whole',
      'warning early c',
      'warning late x',
      'note note a',
    ]);
  });

  it('tells the error upstream first, though what reads it looks worse', () => {
    const given = [at('reader', 'error', 'error', 'c'), at('read', 'error', 'error', 'b')];
    expect(diagnosed(given, broken('c', 'b'))).toEqual(['error read b', 'error reader c']);
  });
});

describe('rules that lack something', () => {
  it('are skipped with what they lack, and do not count as checked', () => {
    const lane = rule({ ...saying('lane', 'error'), needs: ['lane', 'edges'], check: () => [] });
    rules.all = [lane, saying('any', 'note')];
    expect(diagnose({ graph: NET })).toEqual({
      findings: [],
      checked: ['any'],
      skipped: [{ rule: 'lane', lack: { needs: ['lane', 'edges'], oneOf: [] } }],
    });
  });
});
