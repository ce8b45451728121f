import { describe, expect, it } from 'vitest';
import {
  bestObserver,
  filteredRows,
  operatorCounts,
  type LayerRow,
} from '../../src/page/layers/layer-rows.js';
import type { Layer, LayerTensor } from '../../src/page/layers/layer.js';
import { weightRows } from '../../src/page/layers/weight-rows.js';
import type { PageWeight } from '../../src/report/html/page-document.js';

const ERROR = {
  mse: 1,
  maxAbsError: 1,
  bias: 0,
  clippedShare: 0,
  noise: { clip: 0, round: 1 },
  biasShare: 0,
  nonFinite: 0,
};
const QUANT = { dtype: 'int8', scale: [0.5], zeroPoint: [0], qmin: -127, qmax: 127, source: 'observer' };

function tensor(name: string, more: Partial<LayerTensor> = {}): LayerTensor {
  return { tensor: name, node: name, op: 'Conv', role: 'activation', order: 0, shape: [1], ...more };
}

function layer(name: string, more: Partial<Layer> = {}): Layer {
  return {
    tensor: name,
    node: name,
    op: 'Conv',
    activation: tensor(name),
    constants: [],
    weights: [],
    ...more,
  };
}

function row(its: Layer, findings: LayerRow['findings'] = []): LayerRow {
  return { layer: its, order: 1, findings };
}

const ROWS = [
  row(layer('in', { activation: tensor('in', { role: 'input', quant: QUANT }) })),
  row(layer('a', { activation: tensor('a', { quant: QUANT }) }), [
    { rule: 'act.clipped', severity: 'note', subject: { tensor: 'a' }, message: '', args: {} },
  ]),
  row(layer('b', { op: 'Add' })),
  row(layer('c', { activation: tensor('c', { quant: QUANT }) })),
];
const names = (rows: readonly LayerRow[]): string[] => rows.map((its) => its.layer.tensor);
const ALL = { onlyWithFindings: false, onlyQuantized: false };

describe('filters of layers', () => {
  it('keep all where nothing is asked', () => {
    expect(names(filteredRows(ROWS, ALL))).toEqual(['in', 'a', 'b', 'c']);
  });

  it('keep what meets all that is asked', () => {
    expect(names(filteredRows(ROWS, { ...ALL, op: 'Conv' }))).toEqual(['a', 'c']);
    expect(names(filteredRows(ROWS, { ...ALL, onlyWithFindings: true }))).toEqual(['a']);
    expect(names(filteredRows(ROWS, { ...ALL, onlyQuantized: true }))).toEqual(['in', 'a', 'c']);
    expect(names(filteredRows(ROWS, { op: 'Add', onlyWithFindings: false, onlyQuantized: true }))).toEqual(
      [],
    );
  });

  it('count operators, inputs apart from what reads them, most frequent first', () => {
    expect(operatorCounts(ROWS)).toEqual([
      ['Conv', 2],
      ['Add', 1],
      ['input', 1],
    ]);
  });
});

describe('the better observer', () => {
  const forecast = { minmax: 30, mse: 34.5, entropy: 33 };

  it('is the one that keeps most, with what it gains', () => {
    expect(bestObserver(tensor('a', { self: { ...ERROR, sqnrDb: 30 }, forecast }))).toEqual({
      observer: 'mse',
      gainDb: 4.5,
    });
  });

  it('is none where nothing is better by a tenth of a dB, or the tensor is exact', () => {
    expect(bestObserver(tensor('a', { self: { ...ERROR, sqnrDb: 34.45 }, forecast }))).toBeUndefined();
    expect(bestObserver(tensor('a', { self: { ...ERROR, exact: true }, forecast }))).toBeUndefined();
    expect(bestObserver(tensor('a', { self: { ...ERROR, sqnrDb: 3 } }))).toBeUndefined();
  });
});

describe('rows of constants', () => {
  const spread: PageWeight = {
    tensor: 'w',
    node: 'a',
    axis: 0,
    channelCount: 600,
    channels: [],
    outlierChannels: [7, 10],
    outlierCount: 40,
    fence: 1,
    deadChannels: [3],
    perTensorSqnrDb: 37,
    perAxisSqnrDb: 51,
  };

  it('join the constant and the spread of the same tensor, and count channels that are not listed', () => {
    const quant = { ...QUANT, scale: [1, 2], zeroPoint: [0, 0], axis: 0, scaleCount: 600 };
    const [first, second, ...more] = weightRows([
      layer('a', {
        constants: [tensor('w', { role: 'weight', quant }), tensor('bias', { role: 'bias', quant: QUANT })],
        weights: [spread],
      }),
    ]);
    expect(first).toMatchObject({ tensor: 'w', scales: '600, axis 0', gainDb: 14, outliers: 40, dead: 1 });
    expect(second).toMatchObject({ tensor: 'bias', role: 'bias', scales: 'one' });
    expect(second).not.toHaveProperty('outliers');
    expect(more).toEqual([]);
  });

  it('hold weights that are not quantized too', () => {
    expect(weightRows([layer('a', { weights: [spread] })])).toMatchObject([{ tensor: 'w', dtype: 'float' }]);
  });
});
