import { describe, expect, it } from 'vitest';
import type {
  TriedPreprocessing,
  TriedPreprocessings,
} from '../../../../src/diff/accuracy/preprocessing-search.js';
import { channelOrder } from '../../../../src/doctor/rules/io/channel-order.js';
import { graph } from '../../../support/graph-builder.js';

const NET = graph()
  .input('x', 'float32', [1, 3, 8, 8])
  .node('Relu', { name: 'relu', inputs: ['x'], outputs: ['y'] })
  .output('y')
  .build();

function tried(
  preset: string,
  color: string,
  value: number,
  interval: readonly [number, number] | undefined = [value - 3, value + 3],
): TriedPreprocessing {
  return {
    title: `${preset}, ${color.toUpperCase()}`,
    flags: [`--preset ${preset}`, `--color ${color}`],
    value,
    ...(interval === undefined ? {} : { interval }),
  };
}

const said = (all: readonly TriedPreprocessing[], rest: Partial<TriedPreprocessings> = {}) =>
  channelOrder.check({
    graph: NET,
    preprocessings: { tried: all, unit: '%', better: 'higher', color: 'rgb', ...rest },
  });

describe('io.channel-order', () => {
  it('tells of the order that scores more, with both values and the flags', () => {
    const findings = said([tried('unit', 'bgr', 81), tried('unit', 'rgb', 64), tried('tf', 'rgb', 12)]);
    expect(findings).toEqual([
      {
        rule: 'io.channel-order',
        severity: 'error',
        subject: { node: 'relu', tensor: 'x' },
        message:
          'the network in float scores 81 % with the channels as BGR and 64 % as RGB, as they are fed (unit, BGR)',
        args: { bgr: 81, rgb: 64 },
        fix: { title: 'feed the channels in the other order', edit: '--preset unit --color bgr' },
      },
    ]);
  });

  it('warns where the samples leave it open, and is silent within what they do', () => {
    expect(said([tried('unit', 'bgr', 71), tried('unit', 'rgb', 66.5)])).toMatchObject([
      { severity: 'warning' },
    ]);
    expect(said([tried('unit', 'bgr', 71), tried('unit', 'rgb', 68.5)])).toEqual([]);
    expect(said([tried('unit', 'bgr', 71, [70.9, 71.1]), tried('unit', 'rgb', 69.5)])).toEqual([]);
  });

  it('is silent where the best has the order given', () => {
    expect(said([tried('tf', 'rgb', 80), tried('tf', 'bgr', 60), tried('unit', 'bgr', 70)])).toEqual([]);
  });

  it('compares one normalization in both orders, not two normalizations', () => {
    expect(said([tried('tf', 'bgr', 80), tried('tf', 'rgb', 79), tried('unit', 'rgb', 20)])).toEqual([]);
    expect(said([tried('tf', 'bgr', 80), tried('unit', 'rgb', 20)])).toEqual([]);
  });

  it('knows metrics of which less is better, and those without a unit', () => {
    const rest = { better: 'lower', unit: '' } as const;
    const of = (bgr: number, rgb: number) =>
      said([tried('unit', 'bgr', bgr, [bgr, bgr]), tried('unit', 'rgb', rgb, [rgb, rgb])], rest);
    expect(of(0.2, 0.5)).toMatchObject([{ severity: 'error' }]);
    expect(of(0.2, 0.21)).toEqual([]);
    expect(of(0.5, 0.2)).toEqual([]);
  });

  it('is not about networks of one channel, nor about what gave no value', () => {
    const grey = { title: 'unit', flags: ['--preset unit'], value: 90 };
    expect(said([grey])).toEqual([]);
    expect(said([{ title: 'unit', flags: ['--preset unit', '--color bgr'] }])).toEqual([]);
    expect(said([])).toEqual([]);
  });
});
