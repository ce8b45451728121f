/** Colours and forms by which the series are told apart, and buttons that show and hide them. */
import type { JSX } from 'preact';
import { SERIES, SERIES_TEXT, type Series } from './layer.js';

interface SeriesForm {
  readonly colour: string;
  readonly dash?: string;
  readonly symbol: 'circle' | 'triangle' | 'square';
}

export const SERIES_FORM: Readonly<Record<Series, SeriesForm>> = {
  self: { colour: 'var(--self)', dash: '1.5 3', symbol: 'circle' },
  local: { colour: 'var(--local)', dash: '6 3', symbol: 'triangle' },
  cumulative: { colour: 'var(--cumulative)', symbol: 'square' },
};

export function SeriesButtons({
  present,
  shown,
  onToggle,
}: {
  readonly present: readonly Series[];
  readonly shown: readonly Series[];
  readonly onToggle: (series: Series) => void;
}): JSX.Element {
  return (
    <span class="series-buttons" role="group" aria-label="Series that are shown">
      {SERIES.filter((series) => present.includes(series)).map((series) => (
        <button
          type="button"
          key={series}
          class="series-button"
          aria-pressed={shown.includes(series)}
          title={SERIES_TEXT[series]}
          onClick={() => onToggle(series)}
        >
          <Swatch series={series} />
          {series}
        </button>
      ))}
    </span>
  );
}

export function Swatch({ series }: { readonly series: Series }): JSX.Element {
  const { colour, dash, symbol } = SERIES_FORM[series];
  return (
    <svg width="30" height="12" viewBox="0 0 30 12" aria-hidden="true" class="series-swatch">
      <line x1="0" y1="6" x2="30" y2="6" stroke={colour} stroke-width="2" stroke-dasharray={dash} />
      {symbol === 'circle' ? <circle cx="15" cy="6" r="3.5" fill="var(--surface)" stroke={colour} /> : null}
      {symbol === 'triangle' ? <path d="M15 1.5L19.5 10H10.5Z" fill={colour} /> : null}
      {symbol === 'square' ? <rect x="11.5" y="2.5" width="7" height="7" fill={colour} /> : null}
    </svg>
  );
}

/** With `series` the other way round; the last one stays, since nothing would be left to see. */
export function toggled(shown: readonly Series[], series: Series): readonly Series[] {
  if (!shown.includes(series)) return SERIES.filter((other) => other === series || shown.includes(other));
  return shown.length === 1 ? shown : shown.filter((other) => other !== series);
}
