import { describe, expect, it } from 'vitest';
import {
  outputsOf,
  sqnrChecks,
  type GateOutput,
  type GateTensor,
  type MeasuredSqnr,
} from '../../../src/diff/gate/sqnr.js';
import { parseThresholds } from '../../../src/diff/gate/thresholds.js';
import { UsageError } from '../../../src/errors.js';
import { HEALTHY, rung, SCALE_TOO_SMALL } from '../../support/compared-reports.js';

type Db = number | 'exact' | MeasuredSqnr;

const measured = (db: Db): MeasuredSqnr =>
  typeof db === 'object' ? db : db === 'exact' ? { exact: true, nonFinite: 0 } : { sqnrDb: db, nonFinite: 0 };

function row(tensor: string, op: string, cumulative: Db, local: Db = 40): GateTensor {
  return { tensor, node: `${tensor}/node`, op, cumulative: measured(cumulative), local: measured(local) };
}

const ROWS = [
  row('image', '', 48),
  row('block1/conv1', 'Conv+Relu', 30, 22),
  row('block1/conv2', 'Conv', 25, 18),
  row('head/softmax', 'Softmax', 12, 35),
  { tensor: 'weight', node: 'block1/conv1/node', op: 'Conv+Relu', self: measured(33) },
];
const OUTPUTS: readonly GateOutput[] = [{ tensor: 'head/softmax', sqnrDb: 12 }];

const checks = (texts: readonly string[], rows: readonly GateTensor[] = ROWS, outputs = OUTPUTS) =>
  sqnrChecks(
    parseThresholds({ minSqnr: texts.map((text) => ({ text, source: 'command line' })) }).minSqnr,
    rows,
    outputs,
  );

function refusal(run: () => unknown): UsageError {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('it was gated');
}

describe('the least SQNR of the outputs', () => {
  it('is decided by the worst of them', () => {
    const outputs = [
      { tensor: 'a', sqnrDb: 25 },
      { tensor: 'b', sqnrDb: 19.5 },
      { tensor: 'c', exact: true as const },
    ];
    expect(checks(['20'], ROWS, outputs)).toEqual([
      {
        name: 'min-sqnr',
        source: 'command line',
        threshold: 20,
        observed: 19.5,
        margin: -0.5,
        unit: 'dB',
        verdict: 'fail',
        where: 'b',
        note: '1 of 3 outputs fail',
        layers: [
          { tensor: 'a', observed: 25, margin: 5, verdict: 'pass' },
          { tensor: 'b', observed: 19.5, margin: -0.5, verdict: 'fail' },
          { tensor: 'c', verdict: 'pass', note: 'exact' },
        ],
      },
    ]);
  });

  it('passes exactly at the threshold and fails just below it', () => {
    const at = (db: number) => checks(['0.3'], ROWS, [{ tensor: 'head/softmax', sqnrDb: db }])[0]!;
    expect(at(0.1 + 0.2)).toMatchObject({ verdict: 'pass', margin: 0 });
    expect(at(0.7 - 0.4)).toMatchObject({ verdict: 'pass', margin: 0 });
    expect(at(0.2999)).toMatchObject({ verdict: 'fail', margin: -0.0001 });
  });

  it('passes what is exact, without a number', () => {
    const [check] = checks(['20'], ROWS, [{ tensor: 'head/softmax', exact: true }]);
    expect(check).toMatchObject({ verdict: 'pass', note: 'exact' });
    expect(check).not.toHaveProperty('observed');
  });

  it.each([
    [{}, 'could not be measured'],
    [{ nonFinite: 12 }, '12 values not finite'],
    [{ sqnrDb: 60, nonFinite: 1 }, '1 value not finite'],
    [{ sqnrDb: NaN }, 'could not be measured'],
    [{ sqnrDb: -Infinity }, 'could not be measured'],
  ])('fails closed on %j', (output, note) => {
    const [check] = checks(['20'], ROWS, [
      { tensor: 'ok', sqnrDb: 40 },
      { tensor: 'bad', ...output },
    ]);
    expect(check).toMatchObject({ verdict: 'fail', where: 'bad', note: `${note}; 1 of 2 outputs fail` });
    expect(check).not.toHaveProperty('observed');
  });

  it('of two thresholds takes the last', () => {
    expect(checks(['30', '10'])).toMatchObject([{ threshold: 10, verdict: 'pass' }]);
  });

  it('stands beside those of layers, and only off lifts it', () => {
    expect(checks(['20', '*=5'])).toMatchObject([
      { name: 'min-sqnr', verdict: 'fail' },
      { name: 'min-sqnr *', verdict: 'pass' },
    ]);
    const outputs = [...OUTPUTS, { tensor: 'aux', sqnrDb: 3 }];
    expect(checks(['10', 'aux=off'], ROWS, outputs)).toMatchObject([{ verdict: 'pass', note: '1 off' }]);
    expect(checks(['10', 'local:head/*=off'])).toMatchObject([{ verdict: 'pass', where: 'head/softmax' }]);
  });

  it('is an error when there is no output left to judge', () => {
    expect(refusal(() => checks(['20'], ROWS, [])).message).toBe(
      '--min-sqnr 20: nothing to gate, no output was measured',
    );
    expect(refusal(() => checks(['20', 'op:Softmax=off'])).message).toBe(
      '--min-sqnr 20: nothing to gate, all outputs are off',
    );
  });
});

describe('the least SQNR of layers', () => {
  it('shows the worst, how many fail, and every layer that it decides', () => {
    const [check] = checks(['*=28']);
    expect(check).toMatchObject({
      name: 'min-sqnr *',
      verdict: 'fail',
      where: 'head/softmax',
      observed: 12,
      margin: -16,
      note: '2 of 4 layers fail',
    });
    expect(check?.layers?.map(({ tensor, verdict }) => [tensor, verdict])).toEqual([
      ['image', 'pass'],
      ['block1/conv1', 'pass'],
      ['block1/conv2', 'fail'],
      ['head/softmax', 'fail'],
    ]);
  });

  it('is decided by the last rule that names a tensor, whatever its order by size', () => {
    expect(checks(['*=28', 'head/*=10', 'op:conv=20'])).toMatchObject([
      { name: 'min-sqnr *', verdict: 'pass', where: 'image' },
      { name: 'min-sqnr head/*', verdict: 'pass', observed: 12 },
      { name: 'min-sqnr op:conv', verdict: 'pass', where: 'block1/conv2', observed: 25 },
    ]);
    expect(checks(['op:conv=20', '*=28'])).toMatchObject([
      { verdict: 'pass', note: 'decides for no tensor: later rules name all of them' },
      { name: 'min-sqnr *', verdict: 'fail' },
    ]);
  });

  it('keeps measures apart, and exempts from all of them unless one is named', () => {
    expect(checks(['*=10', 'local:*=20'])).toMatchObject([
      { name: 'min-sqnr *', verdict: 'pass' },
      { name: 'min-sqnr local:*', verdict: 'fail', where: 'block1/conv2', observed: 18 },
    ]);
    const [cumulative, local] = checks(['*=28', 'local:*=20', 'block1/conv2=off']);
    expect(cumulative).toMatchObject({ where: 'head/softmax', note: '1 of 3 layers fail; 1 off' });
    expect(local).toMatchObject({ verdict: 'pass', note: '1 off' });
    expect(checks(['block1/*=28', 'local:block1/conv2=off'])[0]).toMatchObject({ verdict: 'fail' });
    expect(checks(['self:op:Conv=30'])).toMatchObject([{ verdict: 'pass', where: 'weight', observed: 33 }]);
  });

  it('finds a layer by tensor, node, the other file, and any operator that is fused into it', () => {
    const renamed = [{ ...row('conv1;relu', 'CONV_2D', 30), reference: '/conv1/Conv_output_0' }];
    const wheres = ['conv1;relu', 'conv1;relu/node', '/conv1/*', 'op:conv_2d'].map(
      (glob) => checks([`${glob}=20`], renamed)[0]?.where,
    );
    expect(wheres).toEqual(Array(4).fill('conv1;relu'));
    expect(checks(['op:relu=20'])[0]?.layers).toHaveLength(1);
    expect(checks(['op:Conv+Relu=20'])[0]?.where).toBe('block1/conv1');
  });

  it('fails where values are not finite, and passes over tensors without a signal, saying how many', () => {
    const rows = [
      row('a', 'Conv', { nonFinite: 3 }),
      row('b', 'Conv', { nonFinite: 0 }),
      row('c', 'Conv', 30),
    ];
    expect(checks(['*=20'], rows)).toMatchObject([
      {
        verdict: 'fail',
        where: 'a',
        note: 'could not be measured: 3 values not finite; 1 of 2 layers fail; 1 without a signal',
      },
    ]);
    expect(checks(['c=20'], [row('c', 'Conv', { sqnrDb: 30, nonFinite: 2 })])).toMatchObject([
      { verdict: 'pass', note: '2 values not finite, left out' },
    ]);
  });

  it('is an error where nothing that it names could be measured', () => {
    const rows = [row('a', 'Conv', {}), row('b', 'Conv', 30)];
    const { message, places } = refusal(() => checks(['a=20'], rows));
    expect(message).toBe('--min-sqnr a=20: nothing to gate, 1 tensor without a cumulative SQNR');
    expect(places).toEqual(['a']);
  });

  it('refuses all patterns that name nothing measured at once, each with the closest names', () => {
    const { message, places } = refusal(() =>
      checks(['blok1/conv1=20', 'self:head/*=20', 'op:Softmaxx=off', '*=1']),
    );
    expect(message).toBe('3 patterns of --min-sqnr name nothing that was measured');
    expect(places[0]).toMatch(/^'blok1\/conv1'; close: block1\/conv1,/);
    expect(places[1]).toMatch(/^'head\/\*': 1 tensor, none with a self SQNR/);
    expect(places[2]).toMatch(/^'op:Softmaxx'; close: op:Softmax, op:Conv/);
    expect(refusal(() => checks(['*=20'], [], [])).message).toBe(
      'a pattern of --min-sqnr names nothing that was measured',
    );
  });
});

describe('the outputs of a report', () => {
  it('are the rows of that role', () => {
    const tensors = [
      { ...row('inner', 'Conv', 10), role: 'activation' },
      { ...row('logits', 'Gemm', 20), role: 'output' },
      { tensor: 'lost', node: 'n', op: 'Gemm', role: 'output' },
    ];
    expect(outputsOf({ tensors })).toEqual([
      { tensor: 'logits', sqnrDb: 20, nonFinite: 0 },
      { tensor: 'lost' },
    ]);
  });

  it('of a comparison are those measured on all samples, and those without a counterpart', () => {
    const outputs = { outputs: [{ tensor: 'a', sqnrDb: 20 }] };
    const alignment = { outputs: [{ candidate: 'a', reference: 'x' }, { candidate: 'b' }] };
    expect(outputsOf({ tensors: [], outputs, alignment })).toEqual([
      { tensor: 'a', sqnrDb: 20 },
      { tensor: 'b' },
    ]);
  });

  it('are gated with the layers of the same report', () => {
    const gated = (report: typeof HEALTHY) =>
      checks(['20', '*=20'], report.tensors, outputsOf(report)).map(({ verdict }) => verdict);
    expect(gated(HEALTHY)).toEqual(['pass', 'pass']);
    expect(gated({ ...HEALTHY, outputs: rung('everything', 12) })).toEqual(['fail', 'pass']);
    expect(gated({ ...HEALTHY, tensors: SCALE_TOO_SMALL.tensors })).toEqual(['pass', 'fail']);
  });
});
