import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { REPORTERS } from '../../src/report/index.js';
import { renderModelExplorer, type NodeNumber } from '../../src/report/model-explorer.js';
import { checkReporter } from '../../src/report/refused.js';
import type { Report, ReportedTensor } from '../../src/report/report.js';
import { HEALTHY } from '../support/compared-reports.js';
import { HOSTILE, MEASURED, named } from '../support/evaluated-reports.js';
import { errorOf } from '../support/evidence.js';
import { SWEPT } from '../support/swept-reports.js';

interface NodeData {
  readonly name: string;
  readonly results: Readonly<Record<string, { readonly value: number | string; readonly bgColor?: string }>>;
  readonly thresholds: readonly {
    readonly value: number;
    readonly bgColor: string;
    readonly textColor: string;
  }[];
}

const dataOf = (report: Report, number: NodeNumber = 'local'): NodeData =>
  JSON.parse(renderModelExplorer(report, number)) as NodeData;
const valuesOf = (data: NodeData): Record<string, number | string> =>
  Object.fromEntries(Object.entries(data.results).map(([key, { value }]) => [key, value]));

const row = (
  node: string,
  tensor: string,
  local: number | 'exact',
  rest: Partial<ReportedTensor> = {},
): ReportedTensor => ({
  tensor,
  node,
  op: 'Conv',
  role: 'activation',
  order: 0,
  shape: [1],
  self: errorOf(50),
  local: errorOf(local),
  cumulative: errorOf(11.123456),
  ...rest,
});

const NETWORK: Report = {
  ...MEASURED,
  tensors: [
    row('data', 'data', 3, { role: 'input' }),
    row('conv', 'relu:out', 31.23456),
    row('conv', 'conv.weight', 2, { role: 'weight' }),
    row('split', 'left', 25),
    row('split', 'right', 'exact'),
    row('same', 'same:out', 'exact'),
    row('same (2)', 'same:out (2)', 12),
  ],
  graph: {
    inputs: ['data'],
    outputs: ['left'],
    nodes: [
      {
        node: 'conv',
        op: 'Conv+Relu',
        inputs: ['data'],
        outputs: ['relu:out'],
        index: 0,
        members: ['conv', 'relu'],
      },
      { node: 'split', op: 'Split', inputs: ['relu:out'], outputs: ['left', 'right'], index: 2 },
      { node: 'same', op: 'Relu', inputs: ['left'], outputs: ['same:out'], index: 3 },
      {
        node: 'same (2)',
        op: 'Relu',
        inputs: ['left'],
        outputs: ['same:out (2)'],
        index: 4,
        members: ['twin'],
      },
    ],
  },
};

describe('the node data for Model Explorer', () => {
  it('of ONNX has the names of all nodes of an operator, with the worst of its outputs', () => {
    expect(valuesOf(dataOf(NETWORK))).toEqual({
      conv: 31.23,
      relu: 31.23,
      split: 25,
      same: 'exact',
      twin: 12,
    });
  });

  it('of TFLite has the names of the tensors that nodes write', () => {
    const models = MEASURED.models.map((model) => ({ ...model, format: 'tflite' as const }));
    expect(valuesOf(dataOf({ ...NETWORK, models }))).toEqual({
      'relu:out': 31.23,
      left: 25,
      right: 'exact',
      'same:out': 'exact',
      'same:out (2)': 12,
    });
  });

  it('of a document without a graph has the names of nodes', () => {
    expect(Object.keys(dataOf({ ...MEASURED, tensors: NETWORK.tensors }).results)).toEqual([
      'conv',
      'split',
      'same',
      'same (2)',
    ]);
  });

  it('says which number it is, and colours it from bad to good', () => {
    expect(dataOf(NETWORK).name).toBe('local SQNR, dB');
    expect(valuesOf(dataOf(NETWORK, 'self'))['conv']).toBe(50);
    const data = dataOf(NETWORK, 'cumulative');
    expect(data.name).toBe('cumulative SQNR, dB');
    expect(data.results['conv']).toEqual({ value: 11.12 });
    const limits = data.thresholds.map(({ value }) => value);
    expect(limits).toEqual([...limits].sort((a, b) => a - b));
    // Colours that the viewer can read are hexadecimal; without one a node would be transparent.
    for (const { bgColor, textColor } of data.thresholds) {
      expect(bgColor).toMatch(/^#[0-9a-f]{6}$/);
      expect(textColor).toMatch(/^#[0-9a-f]{6}$/);
    }
    expect(dataOf(NETWORK).results['same']!.bgColor).toBe(data.thresholds.at(-1)!.bgColor);
  });

  it('has no graph as its key, so that it goes with the one that is open', () => {
    // As the viewer tells the two kinds of files apart.
    expect(dataOf(NETWORK).results).toBeDefined();
    expect(dataOf(named('results')).results['results']!.value).toBe(41.25);
  });

  it('takes names as they are', () => {
    for (const name of [HOSTILE, '__proto__', 'constructor']) {
      const { results } = dataOf(named(name));
      expect(Object.keys(results)).toEqual([name]);
    }
  });

  it('of a comparison is about the candidate, of a sweep about each layer alone', async () => {
    const compared = JSON.parse(await REPORTERS['model-explorer'](HEALTHY)) as NodeData;
    expect(Object.keys(compared.results).length).toBeGreaterThan(1);
    const swept = JSON.parse(await REPORTERS['model-explorer'](SWEPT)) as NodeData;
    expect(swept.name).toBe('alone SQNR, dB');
    const layer = SWEPT.layers.find(({ alone }) => alone?.outputSqnrDb !== undefined)!;
    expect(swept.results[layer.name]!.value).toBeCloseTo(layer.alone!.outputSqnrDb!, 1);
  });

  it('is refused before a run of commands that have no number of each layer, and after one that measured none', () => {
    const names = ['model-explorer', 'model-explorer-self', 'model-explorer-cumulative'];
    for (const name of names) {
      for (const command of ['inspect', 'doctor'] as const)
        expect(() => checkReporter(command, name)).toThrow(UsageError);
      for (const command of ['analyze', 'compare'] as const)
        expect(() => checkReporter(command, name)).not.toThrow();
    }
    expect(() => checkReporter('sweep', 'model-explorer-self')).toThrow('which model-explorer has');
    expect(() => dataOf({ ...NETWORK, tensors: [] })).toThrow('no layer has a local SQNR in this report');
  });
});
