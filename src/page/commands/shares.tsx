/** Parts of a whole as one bar, with their numbers in words. */
import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import { Chart } from '../frame/chart.js';
import { visible } from '../frame/layer-name.js';
import { count, percent } from '../frame/numbers.js';
import { STYLE } from './dot-drawing.js';

export interface Share {
  readonly name: string;
  readonly value: number;
}

export interface SharesProps {
  readonly title: string;
  readonly file: string;
  /** What is counted: "tensors". */
  readonly unit: string;
  readonly shares: readonly Share[];
}

/** From dark to light: the order tells them apart, and the list names them in it. */
const SHADES = [1, 0.72, 0.5, 0.34, 0.22] as const;
const HEIGHT = 26;

export function Shares({ title, file, unit, shares }: SharesProps): JSX.Element | null {
  const known = shares.filter(({ value }) => value > 0);
  const total = known.reduce((sum, { value }) => sum + value, 0);
  if (total === 0) return null;
  const parts = known.map(({ name, value }, at) => {
    const start = known.slice(0, at).reduce((sum, each) => sum + each.value, 0);
    return { name, value, start, end: start + value, shade: SHADES[Math.min(at, SHADES.length - 1)] };
  });
  const told = known.map(({ name, value }) => `${name} ${count(value)} (${percent(value / total)})`);
  return (
    <Chart
      title={title}
      description={told.join(', ')}
      file={file}
      inputs={[shares]}
      draw={(width) =>
        Plot.plot({
          width,
          height: HEIGHT,
          margin: 0,
          style: STYLE,
          x: { domain: [0, total], axis: null },
          marks: [
            Plot.barX(parts, {
              x1: 'start',
              x2: 'end',
              fill: 'var(--self)',
              fillOpacity: 'shade',
              stroke: 'var(--surface)',
              strokeWidth: 2,
              title: ({ name, value }: Share) => `${visible(name)}: ${count(value)} ${unit}`,
            }),
          ],
        })
      }
      data={() => ({ titles: ['part', unit], rows: known.map(({ name, value }) => [name, value]) })}
    >
      <ul class="chart-legend">
        {parts.map(({ name, value, shade }) => (
          <li key={name}>
            <span class="shade" style={{ opacity: shade }} aria-hidden="true" /> {visible(name)}{' '}
            {count(value)} ({percent(value / total)})
          </li>
        ))}
      </ul>
    </Chart>
  );
}
