/** What every network scores, as a dot with its interval: whether they overlap is seen at a glance. */
import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import type { Accuracy, ScoredNetwork } from '../../diff/accuracy/accuracy.js';
import { Chart } from '../frame/chart.js';
import { shortName } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';
import { intervalText, valueText } from './metric-numbers.js';

const ROW = 26;
const MARGIN_LEFT = 190;

export function IntervalChart({ metric }: { readonly metric: Accuracy }): JSX.Element {
  const { unit } = metric;
  const networks = metric.networks.filter(({ value }) => value !== undefined);
  const labelOf = ({ title }: ScoredNetwork): string => shortName(title, 28);
  const described = networks.map(
    (network) =>
      `${labelOf(network)} ${valueText(network.value, unit)}${network.interval === undefined ? '' : `, 95 % ${intervalText(network.interval, unit)}`}`,
  );
  const draw = (width: number): SVGSVGElement | HTMLElement =>
    Plot.plot({
      width,
      height: networks.length * ROW + 44,
      marginLeft: Math.min(MARGIN_LEFT, width * 0.4),
      marginRight: 20,
      style: { background: 'none', color: 'var(--text)', fontSize: '12px' },
      x: {
        label: null,
        grid: true,
        nice: true,
        ...(unit === '' ? {} : { tickFormat: (value: number) => `${value} ${unit}` }),
      },
      y: {
        label: null,
        domain: networks.map(({ network }) => network),
        tickFormat: (name: string) =>
          labelOf(networks.find(({ network }) => network === name) ?? { network: name, title: name }),
      },
      marks: [
        Plot.ruleY(
          networks.filter(({ interval }) => interval !== undefined),
          {
            y: 'network',
            x1: ({ interval }: ScoredNetwork) => interval?.[0],
            x2: ({ interval }: ScoredNetwork) => interval?.[1],
            stroke: 'var(--self)',
            strokeWidth: 3,
          },
        ),
        Plot.dot(networks, { y: 'network', x: 'value', fill: 'var(--text)', r: 4.5 }),
        Plot.text(networks, {
          y: 'network',
          x: 'value',
          text: ({ value }: ScoredNetwork) => valueText(value, unit),
          dy: -11,
          fill: 'var(--text)',
          stroke: 'var(--surface)',
          strokeWidth: 3,
        }),
      ],
    });
  return (
    <Chart
      title={`${metricName(metric.metric)} with 95 % intervals`}
      description={described.join('; ')}
      file={`qdbg-${metric.metric}-intervals`}
      draw={draw}
      inputs={[metric]}
    />
  );
}
