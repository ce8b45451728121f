/**
 * A sweep as CSV (RFC 4180): a row for float and for everything quantized, each layer, group, experiment, set of layers that was
 * evaluated, and fix. `kind` says which; columns that say nothing of a kind are empty.
 */
import { csvLines, type Cell } from './csv.js';
import type { Effect, ReportedDecision, Restored, SweepReport, SweptUnit } from './sweep-report.js';

const HEAD = [
  ...['kind', 'name', 'title', 'family', 'op', 'tensor', 'layers', 'layer_names'],
  ...['macs_share', 'extra_bytes', 'lost', 'lost_share', 'gain_db', 'gain', 'gain_per_cost'],
  ...['drop', 'drop_low', 'drop_high', 'meets_target', 'is_pareto', 'is_chosen', 'flags'],
] as const;

type Facts = Partial<Record<(typeof HEAD)[number], Cell>>;

const EFFECT: Readonly<Record<string, (effect: Effect) => Cell>> = {
  output_sqnr_db: ({ outputSqnrDb }) => outputSqnrDb,
  exact: ({ exact }) => exact,
  changed_share: ({ changedShare }) => changedShare,
  accuracy: ({ accuracy }) => accuracy,
  accuracy_low: ({ accuracyInterval }) => accuracyInterval?.[0],
  accuracy_high: ({ accuracyInterval }) => accuracyInterval?.[1],
  accuracy_delta: ({ accuracyDelta }) => accuracyDelta,
  delta_low: ({ deltaInterval }) => deltaInterval?.[0],
  delta_high: ({ deltaInterval }) => deltaInterval?.[1],
  p_value: ({ pValue }) => pValue,
  standing: ({ standing }) => standing,
  failure: ({ failure }) => failure,
};

const RESTORED: Readonly<Record<string, (effect: Restored) => Cell>> = {
  ...EFFECT,
  gain_db: ({ gainDb }) => gainDb,
  noise_share: ({ noiseShare }) => noiseShare,
  gain: ({ gain }) => gain,
};

interface Row {
  readonly facts: Facts;
  readonly effect?: Effect;
  readonly unit?: SweptUnit;
}

export function renderSweepCsv(report: SweepReport): string {
  const header = [
    ...HEAD,
    ...Object.keys(EFFECT),
    ...Object.keys(EFFECT).map((name) => `alone_${name}`),
    ...Object.keys(RESTORED).map((name) => `restored_${name}`),
  ];
  const rows = rowsOf(report).map(({ facts, effect, unit }): Cell[] => [
    ...HEAD.map((name) => facts[name]),
    ...cells(EFFECT, effect),
    ...cells(EFFECT, unit?.alone),
    ...cells(RESTORED, unit?.restored),
  ]);
  return csvLines([header, ...rows]);
}

function cells<E extends Effect>(
  of: Readonly<Record<string, (effect: E) => Cell>>,
  effect: E | undefined,
): Cell[] {
  return Object.values(of).map((cellOf) => (effect === undefined ? undefined : cellOf(effect)));
}

function rowsOf(report: SweepReport): Row[] {
  const { float, quantized, layers, groups, experiments, search, fixes, together, decision } = report;
  return [
    { facts: { kind: 'network', name: 'float' }, effect: float },
    { facts: { kind: 'network', name: 'everything quantized' }, effect: quantized },
    ...[...layers, ...groups].map(unitRow),
    ...experiments.map((experiment): Row => {
      const { name, title, family, effect, lost, lostShare, flags } = experiment;
      const facts = { kind: 'experiment', name, title, family, lost, lost_share: lostShare };
      return { facts: { ...facts, flags: flags?.join(' ') }, effect };
    }),
    ...(search?.points ?? []).map((point, at): Row => {
      const { layers: names, macsShare, extraBytes, effect, meetsTarget, isPareto } = point;
      const { drop, dropInterval: [low, high] = [] } = point;
      const cost = { layers: names.length, layer_names: names.join(';'), macs_share: macsShare };
      const judged = {
        drop,
        drop_low: low,
        drop_high: high,
        meets_target: meetsTarget,
        is_pareto: isPareto,
        is_chosen: at === search?.chosen,
      };
      const name = `${names.length} in ${search?.to ?? ''}`;
      return { facts: { kind: 'search', name, ...cost, extra_bytes: extraBytes, ...judged }, effect };
    }),
    ...fixes.map(({ id, kind, title, places, effect, gain, gainDb, cost, gainPerCost }): Row => {
      const price = { macs_share: cost.macsShare, extra_bytes: cost.bytes, gain_per_cost: gainPerCost };
      const facts = { kind: 'fix', name: id, title, family: kind, tensor: places.join(';') };
      return { facts: { ...facts, ...price, gain_db: gainDb, gain }, effect };
    }),
    ...(together === undefined
      ? []
      : [{ facts: { kind: 'together', name: together.fixes.join(';') }, effect: together.effect }]),
    ...(decision === undefined ? [] : [decisionRow(decision)]),
  ];
}

function decisionRow({ layers, to, fixes, effect, meetsTarget }: ReportedDecision): Row {
  const name = [...(layers.length === 0 ? [] : [`${layers.length} in ${to}`]), ...fixes].join(';');
  const facts = { kind: 'decision', name, layers: layers.length, layer_names: layers.join(';') };
  return { facts: { ...facts, meets_target: meetsTarget }, effect };
}

function unitRow(unit: SweptUnit): Row {
  const { name, kind, op, tensor, layers, macsShare, floatBytes } = unit;
  return { facts: { kind, name, op, tensor, layers, macs_share: macsShare, extra_bytes: floatBytes }, unit };
}
