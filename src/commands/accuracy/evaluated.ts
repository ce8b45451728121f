/** The accuracy part of a report: evaluated where it was asked for or labels were found, and why not where it failed unasked. */
import { floatBroken, type FloatBroken } from '../../diff/accuracy/float-broken.js';
import type { TriedPreprocessing } from '../../diff/accuracy/preprocessing-search.js';
import type { Evidence } from '../../doctor/evidence.js';
import { QdbgError, UsageError } from '../../errors.js';
import type { Evaluated } from '../../report/evaluated.js';
import type { Report, ReportedData } from '../../report/report.js';
import type { Dataset } from '../../run/data/dataset.js';
import type { PreprocessingFlags } from '../../run/data/preprocessing.js';
import { evaluate } from '../../run/evaluate.js';
import { withExtents, type Samples, type Watch } from '../../run/samples.js';
import { evaluateNetworks, type Evaluation } from './evaluation.js';
import { mergedEvaluation, type EvaluationState } from './evaluation-state.js';
import { hasOutputs, type EvaluatedNetworks } from './networks.js';
import { planEvaluation } from './plan.js';
import { searchPreprocessing } from './preprocessing-search.js';
import type { AccuracyRequest } from './request.js';

export interface EvaluatedData {
  readonly dataset: Dataset;
  /** Of the inputs that the samples feed. */
  readonly extents: ReadonlyMap<string, readonly number[]>;
  readonly flags: PreprocessingFlags;
  /** Opens the same data with other preprocessing. */
  readonly open: (flags: PreprocessingFlags, samples: number) => Promise<Dataset>;
}

export interface EvaluatedOptions {
  readonly threads: number;
  readonly watch: Watch;
  /** Of all samples when absent. */
  readonly part?: EvaluatedPart;
}

/** An evaluation of some of the samples, or the one of all that several of those make. */
export type EvaluatedPart =
  | {
      readonly kind: 'some';
      readonly samples: Samples;
      /** As in the options of an evaluation. */
      readonly scoredBefore: (unlabelled: ReadonlySet<string>) => number;
    }
  | {
      readonly kind: 'merged';
      /** In the order of their samples. */
      readonly states: readonly EvaluationState[];
      /** Of metrics of the user's own. */
      readonly metrics: readonly string[];
      /** Why the samples cannot be read again. */
      readonly unreadable?: string;
    };

/** What an evaluation adds to a report. */
export interface AccuracyPart {
  readonly fields: Pick<Evaluated, 'accuracy' | 'agreement' | 'otherMetrics' | 'pictures' | 'preprocessings'>;
  /** How labels were read, beside what was assumed of the samples. */
  readonly assumed: ReportedData['assumed'];
  /** For the rules. */
  readonly evidence: Pick<Evidence, 'accuracy' | 'evaluation' | 'preprocessings'>;
  readonly notMeasured: Report['notMeasured'];
  readonly broken?: FloatBroken;
  /** From which an evaluation of more samples goes on. */
  readonly state?: () => EvaluationState;
}

/** Nothing was asked for. */
export const NO_ACCURACY: AccuracyPart = {
  fields: {},
  assumed: [],
  evidence: {},
  notMeasured: [],
};

/** Whether the user said anything about accuracy: then it is an error when there is none. */
export function isAsked({ metrics, isRequired, ...said }: AccuracyRequest): boolean {
  const { labels, decode, classes, classMap, ignoreLabel, labelOffset, expectAccuracy } = said;
  const flags = [labels, decode, classes, classMap, ignoreLabel, labelOffset, expectAccuracy];
  return isRequired || metrics.length > 0 || flags.some((flag) => flag !== undefined);
}

/**
 * Finds out on the first sample, before the long passes, whether what was asked for can be evaluated.
 *
 * @param networks the reference alone
 * @throws QdbgError with why not
 */
export async function requireAccuracy(
  networks: EvaluatedNetworks,
  { dataset, extents }: Pick<EvaluatedData, 'dataset' | 'extents'>,
  request: AccuracyRequest,
  threads: number,
): Promise<void> {
  if (!isAsked(request) || networks.networks.some(({ graph }) => !hasOutputs(graph))) return;
  const options = { threads, watch: (): void => undefined };
  for await (const first of evaluate(networks.program, withExtents(dataset, extents), options)) {
    await planEvaluation(networks.networks, first.networks, dataset, request);
    break;
  }
}

/** @throws QdbgError with why there is no accuracy, when it was asked for */
export async function evaluated(
  networks: EvaluatedNetworks,
  data: EvaluatedData,
  request: AccuracyRequest,
  options: EvaluatedOptions,
): Promise<AccuracyPart> {
  const { dataset, extents } = data;
  const { part } = options;
  const missing = networks.networks.find(({ graph }) => !hasOutputs(graph));
  try {
    if (missing !== undefined) {
      throw new UsageError(`no output of the ${missing.network} can be computed`, {
        hint: 'qdbg inspect MODEL shows what is not',
      });
    }
    if (part?.kind === 'merged') {
      const evaluation = await mergedEvaluation(part.states, part.metrics, request.pictures);
      return await partOf(evaluation, networks, data, request, options);
    }
    const samples = part?.samples ?? withExtents(dataset, extents);
    const evaluation = await evaluateNetworks(networks, { dataset, samples }, request, {
      ...options,
      ...(part === undefined ? {} : { scoredBefore: part.scoredBefore }),
    });
    return evaluation === undefined
      ? NO_ACCURACY
      : await partOf(evaluation, networks, data, request, options);
  } catch (error) {
    if (!(error instanceof QdbgError) || isAsked(request)) throw error;
    const hint = error.hint === undefined ? '' : ` (${error.hint})`;
    return { ...NO_ACCURACY, notMeasured: [{ subject: 'accuracy', reason: `${error.message}${hint}` }] };
  }
}

async function partOf(
  { accuracy, agreement, otherMetrics, facts, boxClasses, pictures, state }: Evaluation,
  networks: EvaluatedNetworks,
  data: EvaluatedData,
  request: AccuracyRequest,
  options: EvaluatedOptions,
): Promise<AccuracyPart> {
  const isLabelled = accuracy?.labels !== undefined;
  const broken = accuracy === undefined ? undefined : floatBroken(accuracy, request.expectAccuracy);
  const unreadable = options.part?.kind === 'merged' ? options.part.unreadable : undefined;
  const isSearched = options.part?.kind !== 'some' && unreadable === undefined;
  const search =
    broken === undefined || accuracy === undefined || !isSearched
      ? undefined
      : await searched(networks, data, request, accuracy.samples, options);
  const evidence = evidenceOf({ accuracy, boxClasses }, search, data, request);
  return {
    fields: {
      ...(accuracy === undefined || !(isLabelled || request.metrics.length > 0) ? {} : { accuracy }),
      ...(agreement === undefined ? {} : { agreement }),
      ...(isLabelled || request.metrics.length > 0 || accuracy === undefined ? {} : { agreement: accuracy }),
      ...(otherMetrics.length === 0 ? {} : { otherMetrics }),
      ...(pictures === undefined ? {} : { pictures }),
      ...(search === undefined ? {} : { preprocessings: search }),
    },
    assumed: facts.labels?.assumed ?? [],
    evidence,
    notMeasured:
      broken === undefined || unreadable === undefined
        ? []
        : [{ subject: 'other preprocessings', reason: unreadable }],
    state,
    ...(broken === undefined ? {} : { broken }),
  };
}

/** Only images are preprocessed here; other data come as they are fed. */
async function searched(
  { networks: [network] }: EvaluatedNetworks,
  { dataset, extents, flags, open }: EvaluatedData,
  accuracy: AccuracyRequest,
  samples: number,
  { threads, watch }: EvaluatedOptions,
): Promise<readonly TriedPreprocessing[] | undefined> {
  const resolved = dataset.preprocessing;
  if (dataset.kind !== 'images' || resolved === undefined || network === undefined) return undefined;
  return searchPreprocessing({ open, extents, flags, resolved, network, accuracy, samples, threads }, watch);
}

function evidenceOf(
  { accuracy, boxClasses }: { [K in 'accuracy' | 'boxClasses']: Evaluation[K] | undefined },
  tried: readonly TriedPreprocessing[] | undefined,
  { dataset: { preprocessing } }: EvaluatedData,
  { expectAccuracy: expected }: AccuracyRequest,
): AccuracyPart['evidence'] {
  return {
    ...(accuracy === undefined ? {} : { accuracy }),
    ...(tried === undefined || accuracy === undefined
      ? {}
      : {
          preprocessings: {
            tried,
            unit: accuracy.unit,
            better: accuracy.better,
            color: preprocessing?.color === 'bgr' ? 'bgr' : 'rgb',
          },
        }),
    evaluation: {
      ...(expected === undefined ? {} : { expected }),
      ...(boxClasses === undefined ? {} : { boxClasses }),
    },
  };
}
