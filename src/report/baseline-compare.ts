/** A run held against a baseline: what has drifted, and whether it may. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import type { GateCheck } from '../diff/gate/gate.js';
import type { MaxDrop } from '../diff/gate/thresholds.js';
import { UsageError } from '../errors.js';
import {
  baselineOf,
  canonical,
  type Baseline,
  type BaselineFinding,
  type BaselineLayer,
  type BaselineSource,
  type Level,
} from './baseline.js';
import { accuracyCheck, coverageCheck, layersCheck, worstLayerCheck } from './baseline-checks.js';
import { matchLayers, type LayerPair, type MatchedLayers } from './baseline-match.js';
import { percent } from './format.js';

/** A side is absent where the layer has no SQNR there. */
export interface Drift {
  readonly from?: Level;
  readonly to?: Level;
}

export interface LayerDrift {
  readonly tensor: string;
  readonly node: string;
  readonly op: string;
  /** As the baseline calls it, where that is otherwise. */
  readonly formerly?: string;
  /** Absent where it is as it was. */
  readonly cumulative?: Drift;
  readonly local?: Drift;
}

export interface BaselineComparison {
  /** The file. */
  readonly source: string;
  readonly matched: number;
  /** Layers that have changed, the largest change first. */
  readonly drift: readonly LayerDrift[];
  /** The lowest local SQNR is another layer's, and clearly lower than the lowest was. */
  readonly newWorstLayer?: { readonly tensor: string; readonly node: string; readonly formerly: string };
  readonly unmatched: {
    readonly baseline: readonly BaselineLayer[];
    readonly now: readonly BaselineLayer[];
  };
  readonly accuracy?: {
    readonly metric: string;
    /** Of the candidate. */
    readonly from?: number;
    readonly to?: number;
  };
  readonly findings: {
    readonly appeared: readonly BaselineFinding[];
    readonly gone: readonly BaselineFinding[];
  };
  /** What else is different: the tool, the processor, the models. */
  readonly notes: readonly string[];
  readonly checks: readonly GateCheck[];
}

export interface BaselineOptions {
  /** The file, for messages. */
  readonly source: string;
  /** Of this run: the processor and its instructions. */
  readonly processor?: string;
  readonly maxDrop?: MaxDrop;
}

/** Share of the layers that two runs of one network have in common at least. */
const LEAST_MATCHED = 0.9;

/** @throws UsageError when the two cannot be held against each other, with every reason */
export function compareBaseline(
  baseline: Baseline,
  report: BaselineSource,
  { source, processor, maxDrop }: BaselineOptions,
): BaselineComparison {
  const now = baselineOf(report, processor);
  const layers = matchLayers(baseline.layers, now.layers);
  requireComparable(baseline, now, report.accuracy, layers, source);
  const worst = worstLayerCheck(baseline.layers, now.layers, layers.pairs);
  const checks = [
    layersCheck(layers.pairs),
    worst.check,
    ...accuracyCheck(baseline.accuracy, report.accuracy, maxDrop),
    coverageCheck(baseline.coverage, now.coverage),
  ];
  return {
    source,
    matched: layers.pairs.length,
    drift: driftOf(layers.pairs),
    ...(worst.layer === undefined ? {} : { newWorstLayer: worst.layer }),
    unmatched: { baseline: layers.onlyBefore, now: layers.onlyNow },
    ...accuracyDrift(baseline, now),
    findings: changedFindings(baseline.findings, now.findings, layers.pairs),
    notes: notesOn(baseline, now),
    checks,
  };
}

function requireComparable(
  before: Baseline,
  now: Baseline,
  accuracy: Accuracy | undefined,
  layers: MatchedLayers,
  source: string,
): void {
  // With the file in front, each is a sentence.
  const problems: string[] = [];
  const problem = (text: string): void => void problems.push(text);
  if (before.command !== now.command) problem(`is of qdbg ${before.command}, not of ${now.command}`);
  if (before.data.samples !== now.data.samples) {
    problem(
      `is a baseline of other data: it has ${before.data.samples} samples, this run ${now.data.samples}`,
    );
  } else if (before.data.sha256 !== now.data.sha256) {
    problem(`is a baseline of other data: it has as many samples, but not the same`);
  }
  const metric = before.accuracy?.metric;
  if (metric !== undefined && metric !== accuracy?.metric) {
    problem(`holds ${metric}, this run has ${accuracy === undefined ? 'no accuracy' : accuracy.metric}`);
  } else if (metric !== undefined && before.accuracy?.samples !== now.accuracy?.samples) {
    problem(
      `holds ${metric} of ${before.accuracy?.samples ?? 0} samples, this run of ${now.accuracy?.samples ?? 0}`,
    );
  } else if (before.accuracy?.candidate !== undefined && now.accuracy?.candidate === undefined) {
    problem(`holds a ${metric} of the candidate, which has none in this run`);
  }
  if (layers.share < LEAST_MATCHED) {
    const most = Math.max(before.layers.length, now.layers.length);
    problem(
      `is a baseline of another model: ${layers.pairs.length} of ${most} layers match (${percent(layers.share)}), ${percent(LEAST_MATCHED)} are wanted`,
    );
  } else if (layers.pairs.length === 0 && metric === undefined) {
    problem('holds nothing to compare with: neither layers nor an accuracy');
  }
  const [first] = problems;
  if (first === undefined) return;
  const hint = '--update-baseline writes one of this run';
  throw problems.length === 1
    ? new UsageError(`${source} ${first}`, { hint })
    : new UsageError(`${source} cannot be compared with this run`, {
        places: problems.map((text) => `it ${text}`),
        hint,
      });
}

function driftOf(pairs: readonly LayerPair[]): LayerDrift[] {
  return pairs
    .map((pair) => {
      const cumulative = changed(pair.before.cumulativeDb, pair.now.cumulativeDb);
      const local = changed(pair.before.localDb, pair.now.localDb);
      const { tensor, node, op } = pair.now;
      const formerly = pair.before.tensor === tensor ? {} : { formerly: pair.before.tensor };
      return {
        size: Math.max(sizeOf(cumulative), sizeOf(local)),
        row: {
          tensor,
          node,
          op,
          ...formerly,
          ...(cumulative === undefined ? {} : { cumulative }),
          ...(local === undefined ? {} : { local }),
        },
      };
    })
    .filter(({ size }) => size > 0)
    .sort((a, b) => (a.size === b.size ? 0 : b.size - a.size))
    .map(({ row }) => row);
}

function changed(from: Level | undefined, to: Level | undefined): Drift | undefined {
  if (from === to) return undefined;
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** dB; Infinity where one of the two has no number. */
function sizeOf(drift: Drift | undefined): number {
  if (drift === undefined) return 0;
  const { from, to } = drift;
  return typeof from === 'number' && typeof to === 'number' ? Math.abs(to - from) : Infinity;
}

function accuracyDrift(before: Baseline, now: Baseline): Pick<BaselineComparison, 'accuracy'> {
  const metric = before.accuracy?.metric;
  if (metric === undefined) return {};
  const [from, to] = [before.accuracy?.candidate, now.accuracy?.candidate];
  return {
    accuracy: { metric, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
  };
}

/** The same rule at the same place is the same finding, whatever the place is called now. */
function changedFindings(
  before: readonly BaselineFinding[],
  now: readonly BaselineFinding[],
  pairs: readonly LayerPair[],
): BaselineComparison['findings'] {
  const tensors = new Map(pairs.map((pair) => [pair.before.tensor, pair.now.tensor]));
  const nodes = new Map(pairs.map((pair) => [pair.before.node, pair.now.node]));
  const renamed = ({ rule, subject: { node, tensor } }: BaselineFinding): BaselineFinding => ({
    rule,
    subject: {
      ...(node === undefined ? {} : { node: nodes.get(node) ?? node }),
      ...(tensor === undefined ? {} : { tensor: tensors.get(tensor) ?? tensor }),
    },
  });
  const had = new Set(before.map((finding) => canonical(renamed(finding))));
  const has = new Set(now.map((finding) => canonical(finding)));
  return {
    appeared: now.filter((finding) => !had.has(canonical(finding))),
    gone: before.filter((finding) => !has.has(canonical(renamed(finding)))),
  };
}

function notesOn(before: Baseline, now: Baseline): string[] {
  const notes: string[] = [];
  const note = (isOther: boolean, text: string): void => {
    if (isOther) notes.push(text);
  };
  note(before.tool.version !== now.tool.version, `qdbg ${before.tool.version} -> ${now.tool.version}`);
  const [had, has] = [before.tool.runtime ?? 'unknown', now.tool.runtime ?? 'unknown'];
  note(had !== has, `runtime ${had} -> ${has}`);
  const { processor: then } = before;
  note(
    then !== undefined && now.processor !== undefined && then !== now.processor,
    `another processor: ${then ?? ''} -> ${now.processor ?? ''}`,
  );
  for (const { role, sha256 } of now.models) {
    const other = before.models.find((model) => model.role === role);
    note(other !== undefined && other.sha256 !== sha256, `the ${role} is another file`);
  }
  const calibration = (of: Baseline): string => (of.calibration ?? of.data).sha256;
  note(calibration(before) !== calibration(now), 'calibrated on other data');
  note(before.preprocessing !== now.preprocessing, 'the samples are preprocessed otherwise');
  note(before.scheme !== now.scheme, 'another scheme');
  note(
    before.accuracy === undefined && now.accuracy !== undefined,
    'it holds no accuracy: --update-baseline adds it',
  );
  return notes;
}
