import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { stripOf, stripSection } from '../../src/report/layer-strip.js';
import type { Report, ReportedTensor } from '../../src/report/report.js';
import { displayWidth } from '../../src/report/text-width.js';
import { errorOf } from '../support/evidence.js';

const PLAIN = new Chalk({ level: 0 });

function layer(order: number, cumulative: number | 'exact', local?: number): ReportedTensor {
  return {
    tensor: `t${order}`,
    node: `n${order}`,
    op: 'Conv',
    role: 'activation',
    order,
    shape: [1],
    cumulative: errorOf(cumulative),
    ...(local === undefined ? {} : { local: errorOf(local) }),
  };
}

const jump = (order: number): Report['jumps'][number] => ({
  tensor: `t${order}`,
  node: `n${order}`,
  op: 'Conv',
  fromDb: 30,
  toDb: 10,
  from: 't0',
});

const SIX = [
  layer(5, 4, 36),
  layer(0, 'exact'),
  layer(1, 38, 39),
  layer(2, 33, 34),
  layer(3, 33, 36),
  layer(4, 9, 12),
];

describe('the strip of all layers', () => {
  it('has cumulative and local SQNR in graph order, with ends, the worst place and the largest falls', () => {
    expect(stripSection({ tensors: SIX, jumps: [jump(4), jump(5)] }, PLAIN, 110)).toEqual([
      'SQNR BY LAYER  6 tensors in graph order, 4 bars each, in dB, higher is better',
      '  cumul.  ████████▇▇▇▇▇▇▇▇▂▂▂▂▁▁▁▁  4.0 to exact, lowest at #6 n5',
      '  local       ████▇▇▇▇████▃▃▃▃████  12.0 to 39.0, lowest at #5 n4',
      '  falls                   1   2',
      '  a step of a bar is 5 dB: ▁ below 5, █ from 35 on. falls: where cumulative SQNR falls most, 1 most of all.',
    ]);
  });

  it('hides no bad layer of a thousand, whatever the width', () => {
    const tensors = Array.from({ length: 1000 }, (_, i) => layer(i, i === 617 ? 2 : 40, 40));
    for (let width = 40; width <= 160; width++) {
      const lines = stripSection({ tensors, jumps: [jump(617)] }, PLAIN, width);
      expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
      const bars = lines.find((line) => line.startsWith('  cumul.'))!;
      const falls = lines.find((line) => line.startsWith('  falls'))!;
      expect(bars.indexOf('▁')).toBe(falls.indexOf('1'));
      expect(bars.indexOf('▁')).toBeGreaterThan(10);
    }
  });

  it('takes a larger step where nothing is lower than the highest bar', () => {
    const fine = [60, 70, 80, 90, 100].map((db, i) => layer(i, db, db));
    expect(stripOf({ tensors: fine, jumps: [] }, 60)).toMatchObject({
      scale: 'a step of a bar is 10 dB: ▁ below 10, █ from 70 on',
      falls: undefined,
      series: [{ label: 'cumulative', lowest: '60.0' }, { label: 'local' }],
    });
  });

  it('takes self SQNR where there is no local one', () => {
    const own = SIX.map(({ local, ...tensor }) => ({
      ...tensor,
      ...(local === undefined ? {} : { self: local }),
    }));
    expect(stripOf({ tensors: own, jumps: [] }, 60)!.series.map(({ label }) => label)).toEqual([
      'cumulative',
      'self',
    ]);
  });

  it('is not there for a handful of layers, or where all are exact', () => {
    expect(stripOf({ tensors: SIX.slice(0, 3), jumps: [] }, 60)).toBeUndefined();
    const exact = [0, 1, 2, 3].map((order) => layer(order, 'exact'));
    expect(stripSection({ tensors: exact, jumps: [] }, PLAIN, 110)).toEqual([]);
    expect(stripSection({ tensors: [], jumps: [] }, PLAIN, 110)).toEqual([]);
  });
});
