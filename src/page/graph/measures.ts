/** Numbers by which the network can be coloured, as far as a report has them. */
import type { Finding } from '../../doctor/finding.js';
import type { PageReport } from '../../report/html/page-document.js';
import { percent } from '../frame/numbers.js';
import type { Layer, LayerTensor } from '../layers/layer.js';
import { findingsByLayer, worstSeverity } from '../layers/finding-places.js';
import { compareMeasures } from './compare-measures.js';
import { inspectMeasures } from './inspect-measures.js';
import type { Site } from './network.js';
import { classScale, LEVELS_SCALE, linearScale, logScale, SHARE_SCALE, SQNR_SCALE } from './ramp.js';
import { sweepMeasures } from './sweep-measures.js';
import {
  compact,
  decibelReading,
  levelsReading,
  shareOfAll,
  type Measure,
  type MeasureRule,
  type Reading,
} from './reading.js';

export interface MeasureSources {
  readonly report: PageReport;
  readonly layers: readonly Layer[];
  readonly layerNamed: (name: string) => Layer | undefined;
}

/** Those with a number anywhere; the one that tells most first. */
export function measuresOf(sites: readonly Site[], sources: MeasureSources): Measure[] {
  return rulesOf(sites, sources).flatMap(({ of, scale, ...rest }) => {
    // An output of the network is what an operator writes, which has the number.
    const readings = sites.map((site) => (site.kind === 'output' ? undefined : of(site)));
    const values = readings.flatMap((reading) => (reading === undefined ? [] : [reading.value]));
    return values.length === 0 ? [] : [{ ...rest, readings, scale: scale(values) }];
  });
}

function rulesOf(sites: readonly Site[], sources: MeasureSources): readonly MeasureRule[] {
  const { report } = sources;
  const macs = macsRule(sites);
  if (report.command === 'sweep') return [...sweepMeasures(report), macs];
  if (report.command === 'inspect') return [...inspectMeasures(report), macs];
  const rules = [...tensorRules(sources), macs];
  return report.command === 'compare' ? [...rules, ...compareMeasures(report)] : rules;
}

function tensorRules({ report, layers, layerNamed }: MeasureSources): readonly MeasureRule[] {
  const byTensor = new Map(layers.map((layer) => [layer.tensor, layer]));
  const layerOf = ({ tensors }: Site): Layer | undefined =>
    tensors.map((tensor) => byTensor.get(tensor)).find((layer) => layer !== undefined);
  const ofTensor =
    (read: (tensor: LayerTensor) => Reading | undefined) =>
    (site: Site): Reading | undefined => {
      const layer = layerOf(site);
      return layer === undefined ? undefined : read(layer.activation);
    };
  const sqnr = { scale: () => SQNR_SCALE };
  return [
    {
      key: 'local',
      title: 'local SQNR',
      hint: 'What each operator does by itself, its inputs being exact: the culprits.',
      of: ofTensor(({ local }) => decibelReading(local)),
      ...sqnr,
    },
    {
      key: 'cumulative',
      title: 'cumulative SQNR',
      hint: 'What has gathered from the inputs up to here: where the damage is visible.',
      of: ofTensor(({ cumulative }) => decibelReading(cumulative)),
      ...sqnr,
    },
    {
      key: 'self',
      title: 'self SQNR',
      hint: 'What quantizing each tensor costs by itself: whether range and bits fit it.',
      of: ofTensor(({ self }) => decibelReading(self)),
      ...sqnr,
    },
    findingsRule(report, layers, layerNamed, layerOf),
    {
      key: 'clipped',
      title: 'clipped share',
      hint: 'Share of the values that lie outside the quantized range.',
      of: ofTensor(({ self, local, cumulative }) => {
        const share = (self ?? local ?? cumulative)?.clippedShare;
        return share === undefined ? undefined : { value: share, text: percent(share) };
      }),
      scale: () => SHARE_SCALE,
    },
    {
      key: 'levels',
      title: 'levels used',
      hint: 'Steps of the quantizer that the bulk of the values really has: few are bad.',
      of: ofTensor(({ levels }) => (levels === undefined ? undefined : levelsReading(levels))),
      scale: () => LEVELS_SCALE,
    },
    {
      key: 'range',
      title: 'largest value',
      hint: 'Largest magnitude of the float values: a layer far beyond its neighbours stands out.',
      extreme: 'largest',
      of: ofTensor(({ range }) => {
        if (range === undefined) return undefined;
        const value = Math.max(Math.abs(range.min), Math.abs(range.max));
        return { value, text: compact(value) };
      }),
      scale: (values) => logScale(values, compact),
    },
  ];
}

const SEVERITIES = { note: 1, warning: 2, error: 3 } as const;

function findingsRule(
  report: PageReport,
  layers: readonly Layer[],
  layerNamed: (name: string) => Layer | undefined,
  layerOf: (site: Site) => Layer | undefined,
): MeasureRule {
  const findings: readonly Finding[] = 'findings' in report ? report.findings : [];
  const found = findingsByLayer(layers, findings, layerNamed);
  return {
    key: 'findings',
    title: 'findings',
    hint: 'The worst finding about each layer.',
    of: (site) => {
      const layer = layerOf(site);
      const its = layer === undefined || findings.length === 0 ? undefined : (found.get(layer.tensor) ?? []);
      if (its === undefined) return undefined;
      const severity = worstSeverity(its);
      if (severity === undefined) return { value: 0, text: 'none' };
      const same = its.filter((finding) => finding.severity === severity).length;
      return { value: SEVERITIES[severity], text: same === 1 ? severity : `${same} ${severity}s` };
    },
    scale: () => classScale(['none', 'note', 'warning', 'error']),
  };
}

function macsRule(sites: readonly Site[]): MeasureRule {
  const total = sites.reduce((sum, { node }) => sum + (node?.macs ?? 0), 0);
  return {
    key: 'macs',
    title: 'multiply-accumulates',
    hint: 'Share of the arithmetic of the network: what the layer costs to compute, whatever the device.',
    extreme: 'largest',
    of: ({ node }) =>
      node?.macs === undefined || total === 0
        ? undefined
        : { value: node.macs / total, text: shareOfAll(node.macs / total) },
    scale: (values) => linearScale(values, shareOfAll),
  };
}
