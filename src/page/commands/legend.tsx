/** What forms and lines of a drawing stand for. */
import type { JSX } from 'preact';
import type { DotSeries, Form, Level } from './dot-spec.js';

export interface LegendProps {
  readonly series: readonly DotSeries[];
  readonly levels: readonly Level[];
  /** Some have no number, and are marked at the edge. */
  readonly hasMissing?: boolean;
}

export function Legend({ series, levels, hasMissing }: LegendProps): JSX.Element {
  return (
    <ul class="chart-legend">
      {series.map(({ key, title, form, color }) => (
        <li key={key}>
          <Sign form={form} color={color} /> {title}
        </li>
      ))}
      {levels.map(({ title, form }) => (
        <li key={title}>
          <Line form={form} /> {title}
        </li>
      ))}
      {hasMissing === true ? (
        <li>
          <Sign form="triangle" color="var(--quiet)" isHollow /> at the top: exact, or failed
        </li>
      ) : null}
    </ul>
  );
}

export function Sign({
  form,
  color,
  isHollow = false,
}: {
  readonly form: Form;
  readonly color: string;
  readonly isHollow?: boolean;
}): JSX.Element {
  const paint = isHollow ? { fill: 'none', stroke: color, 'stroke-width': 1.5 } : { fill: color };
  return (
    <svg class="sign" width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">
      {form === 'circle' ? <circle r="4.5" {...paint} /> : null}
      {form === 'triangle' ? <path d="M0,-5L5,4H-5Z" {...paint} /> : null}
      {form === 'square' ? <rect x="-4" y="-4" width="8" height="8" {...paint} /> : null}
      {form === 'bar' ? <rect x="-6" y="-4" width="12" height="8" {...paint} /> : null}
      {form === 'cross' ? <path d="M-4,-4L4,4M4,-4L-4,4" stroke={color} stroke-width="1.8" /> : null}
    </svg>
  );
}

export function Line({ form }: Pick<Level, 'form'>): JSX.Element {
  const color = form === 'solid' ? 'var(--good)' : form === 'dashed' ? 'var(--mark)' : 'var(--quiet)';
  const dashes = form === 'solid' ? undefined : form === 'dashed' ? '6 4' : '2 3';
  return (
    <svg class="sign" width="22" height="12" viewBox="0 0 22 12" aria-hidden="true">
      <path d="M0,6H22" stroke={color} stroke-width="2" stroke-dasharray={dashes} />
    </svg>
  );
}
