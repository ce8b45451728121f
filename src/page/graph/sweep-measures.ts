/** What a sweep tells of each layer. */
import type { PageReport } from '../../report/html/page-document.js';
import type { SweptUnit } from '../../report/sweep-report.js';
import { signed } from '../frame/numbers.js';
import type { Site } from './network.js';
import { linearScale, SQNR_SCALE } from './ramp.js';
import type { MeasureRule, Reading } from './reading.js';

type SweepPage = Extract<PageReport, { readonly command: 'sweep' }>;

export function sweepMeasures({ layers, basis: { metric } }: SweepPage): readonly MeasureRule[] {
  const byName = new Map<string, SweptUnit>();
  for (const unit of layers) byName.set(unit.name, unit);
  for (const unit of layers) if (unit.tensor !== undefined) byName.set(unit.tensor, unit);
  const ofUnit =
    (read: (unit: SweptUnit) => Reading | undefined) =>
    ({ name, tensors, kind }: Site): Reading | undefined => {
      if (kind !== 'operator') return undefined;
      const unit = [...tensors, name].map((key) => byName.get(key)).find((found) => found !== undefined);
      return unit === undefined ? undefined : read(unit);
    };
  const unit = metric?.deltaUnit ?? '';
  const suffix = unit === '' ? '' : ` ${unit}`;
  const points = (value: number): string => `${signed(value, unit === '' ? 3 : 1)}${suffix}`;
  const gained = (value: number | undefined, text: (value: number) => string): Reading | undefined =>
    value === undefined ? undefined : { value, text: text(value) };
  const gainDb = (value: number): string => `${signed(value)} dB`;
  const byDecibels: readonly MeasureRule[] = [
    {
      key: 'restored-db',
      title: 'restored: dB gained',
      hint: 'What the output gains when only this layer stays in float: where higher precision pays.',
      extreme: 'largest',
      of: ofUnit(({ restored }) => gained(restored?.gainDb, gainDb)),
      scale: (values) => linearScale(values, gainDb),
    },
    {
      key: 'alone-db',
      title: 'alone: SQNR of the output',
      hint: 'What is left at the output when only this layer is quantized.',
      of: ofUnit(({ alone }) => {
        if (alone?.exact === true) return { value: Infinity, text: 'exact' };
        return gained(alone?.outputSqnrDb, (db) => `${db.toFixed(1)} dB`);
      }),
      scale: () => SQNR_SCALE,
    },
  ];
  if (metric === undefined) return byDecibels;
  const sign = metric.better === 'higher' ? 1 : -1;
  return [
    {
      key: 'restored',
      title: `restored: ${unit === '' ? metric.metric : unit} gained`,
      hint: 'What the result gains when only this layer stays in float: where higher precision pays.',
      extreme: 'largest',
      of: ofUnit(({ restored }) => gained(restored?.gain, points)),
      scale: (values) => linearScale(values, points),
    },
    {
      key: 'alone',
      title: `alone: ${unit === '' ? metric.metric : unit} lost`,
      hint: 'What the result loses when only this layer is quantized.',
      of: ofUnit(({ alone }) => {
        const delta = alone?.accuracyDelta;
        if (delta === undefined) return undefined;
        // Written as it changes, coloured by how much worse it gets.
        return { value: 0 - sign * delta, text: points(delta) };
      }),
      scale: (values) => linearScale(values, (lost) => points(lost === 0 ? 0 : 0 - sign * lost)),
    },
    ...byDecibels,
  ];
}
