/** What a fix gave when it was tried. */
import type { JSX } from 'preact';
import type { Fix } from '../../doctor/finding.js';
import { LayerName } from '../frame/layer-name.js';
import { plural } from '../frame/numbers.js';

/** A gain below this is none, as in the other reports. */
const LEAST_GAIN_DB = 0.5;

export function Measured({ fix: { measured } }: { readonly fix: Fix }): JSX.Element | null {
  if (measured === undefined) return null;
  const { beforeDb, afterDb, samples, tensor, places = 1 } = measured;
  const gained = (afterDb ?? Infinity) >= (beforeDb ?? Infinity) + LEAST_GAIN_DB;
  const level = (value: number | undefined): string =>
    value === undefined ? 'exact' : `${value.toFixed(1)} dB`;
  return (
    <span class={gained ? 'measured' : 'measured quiet'}>
      {gained ? '' : 'tried, no gain by itself: '}
      {level(beforeDb)} → {gained ? <strong>{level(afterDb)}</strong> : level(afterDb)} at{' '}
      <LayerName name={tensor} />, measured on {plural(samples, 'sample')}
      {places > 1 ? `, all ${places} places at once` : ''}
    </span>
  );
}
