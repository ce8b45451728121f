/** What a file says of its layers before anything is run. */
import type { PageReport } from '../../report/html/page-document.js';
import type { Site } from './network.js';
import { LEVELS_SCALE, linearScale, logScale } from './ramp.js';
import { compact, levelsReading, type MeasureRule, type Reading } from './reading.js';

type InspectPage = Extract<PageReport, { readonly command: 'inspect' }>;

export function inspectMeasures({ models }: InspectPage): readonly MeasureRule[] {
  const [model] = models;
  if (model === undefined) return [];
  const layers = new Map(model.layers.map((layer) => [layer.node, layer]));
  const forecasts = new Map(model.forecast.layers.map((layer) => [layer.node, layer]));
  // An operator that several nodes of the file are merged into has what they have.
  const among =
    <Row>(rows: ReadonlyMap<string, Row>, read: (row: Row) => number | undefined) =>
    ({ name, node }: Site): readonly number[] =>
      (node?.members ?? [name]).flatMap((member) => {
        const row = rows.get(member);
        return (row === undefined ? undefined : read(row)) ?? [];
      });
  const parameters = among(layers, (layer) => (layer.parameters === 0 ? undefined : layer.parameters));
  const spread = among(layers, (layer) => layer.weight?.spread);
  const levels = among(forecasts, (layer) => layer.fewestLevels);
  const reading = (value: number): Reading => ({ value, text: compact(value) });
  const worst =
    (of: (site: Site) => readonly number[], pick: (...values: number[]) => number, read = reading) =>
    (site: Site): Reading | undefined => {
      const values = site.kind === 'operator' ? of(site) : [];
      return values.length === 0 ? undefined : read(pick(...values));
    };
  return [
    {
      key: 'levels',
      title: 'fewest levels of a channel',
      hint: 'Steps that the narrowest channel of the weight keeps under one int8 scale for the tensor: few are bad.',
      of: worst(levels, Math.min, levelsReading),
      scale: () => LEVELS_SCALE,
    },
    {
      key: 'spread',
      title: 'spread of the channels',
      hint: 'Largest over median magnitude of the channels of the weight: large ones call for a scale per channel.',
      of: worst(spread, Math.max),
      scale: (values) => logScale(values, compact),
    },
    {
      key: 'parameters',
      title: 'parameters',
      hint: 'Values of the constants that no layer before it uses.',
      extreme: 'largest',
      of: (site) => {
        const values = site.kind === 'operator' ? parameters(site) : [];
        return values.length === 0 ? undefined : reading(values.reduce((sum, value) => sum + value, 0));
      },
      scale: (values) => linearScale(values, compact),
    },
  ];
}
