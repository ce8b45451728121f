/** The accuracy part of a report: evaluated where it was asked for or labels were found, and why not where it failed unasked. */
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import { floatBroken, type FloatBroken } from '../../diff/accuracy/float-broken.js';
import {
  bestPreprocessing,
  type BestPreprocessing,
  type TriedPreprocessing,
} from '../../diff/accuracy/preprocessing-search.js';
import type { Finding } from '../../doctor/finding.js';
import { QdbgError, UsageError } from '../../errors.js';
import type { Evaluated } from '../../report/evaluated.js';
import type { Report, ReportedData } from '../../report/report.js';
import type { Dataset } from '../../run/data/dataset.js';
import type { PreprocessingFlags } from '../../run/data/preprocessing.js';
import { evaluate } from '../../run/evaluate.js';
import { withExtents, type Watch } from '../../run/samples.js';
import { evaluateNetworks, type Evaluation } from './evaluation.js';
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
}

/** What an evaluation adds to a report. */
export interface AccuracyPart {
  readonly fields: Pick<Evaluated, 'accuracy' | 'agreement' | 'otherMetrics' | 'preprocessings'>;
  /** How labels were read, beside what was assumed of the samples. */
  readonly assumed: ReportedData['assumed'];
  readonly findings: readonly Finding[];
  readonly notMeasured: Report['notMeasured'];
  readonly broken?: FloatBroken;
}

/** Nothing was asked for. */
export const NO_ACCURACY: AccuracyPart = { fields: {}, assumed: [], findings: [], notMeasured: [] };

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
  const missing = networks.networks.find(({ graph }) => !hasOutputs(graph));
  try {
    if (missing !== undefined) {
      throw new UsageError(`no output of the ${missing.network} can be computed`, {
        hint: 'qdbg inspect MODEL shows what is not',
      });
    }
    const samples = withExtents(dataset, extents);
    const evaluation = await evaluateNetworks(networks, { dataset, samples }, request, options);
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
  { accuracy, agreement, otherMetrics, labels, boxClasses }: Evaluation,
  networks: EvaluatedNetworks,
  data: EvaluatedData,
  request: AccuracyRequest,
  options: EvaluatedOptions,
): Promise<AccuracyPart> {
  const isLabelled = accuracy?.labels !== undefined;
  const broken = accuracy === undefined ? undefined : floatBroken(accuracy, request.expectAccuracy);
  const search =
    broken === undefined || accuracy === undefined
      ? undefined
      : await searched(networks, data, request, accuracy.samples, options);
  const best =
    search === undefined || accuracy === undefined
      ? undefined
      : bestPreprocessing(search, presentOf(accuracy), accuracy);
  return {
    fields: {
      ...(accuracy === undefined || !(isLabelled || request.metrics.length > 0) ? {} : { accuracy }),
      ...(agreement === undefined ? {} : { agreement }),
      ...(isLabelled || request.metrics.length > 0 || accuracy === undefined ? {} : { agreement: accuracy }),
      ...(otherMetrics.length === 0 ? {} : { otherMetrics }),
      ...(search === undefined ? {} : { preprocessings: search }),
    },
    assumed: (labels?.assumed ?? []).map(({ what, value, from }) => ({ what, value, from })),
    findings: [
      ...(broken === undefined ? [] : [brokenFinding(broken, best)]),
      ...(boxClasses === undefined ? [] : unansweredFinding(boxClasses)),
    ],
    notMeasured: [],
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

function presentOf({ reference, referenceInterval }: Accuracy): TriedPreprocessing {
  return {
    title: 'as it is now',
    flags: [],
    ...(reference === undefined ? {} : { value: reference }),
    ...(referenceInterval === undefined ? {} : { interval: referenceInterval }),
  };
}

/** Share of the classes that the labels have which a detector that was made for them would answer. */
const LEAST_ANSWERED = 0.5;

function unansweredFinding({ labelled, unanswered }: NonNullable<Evaluation['boxClasses']>): Finding[] {
  if (labelled - unanswered >= LEAST_ANSWERED * labelled) return [];
  return [
    {
      rule: 'eval.unanswered-classes',
      severity: 'warning',
      subject: {},
      message: `the reference never answers ${unanswered} of the ${labelled} classes that the labels have boxes of: each counts as 0 in the mean`,
      args: { labelled, unanswered },
      fix: {
        title: 'leave out what the model does not know, here all but label 0',
        edit: "--class-map '0=0,*=-'",
      },
    },
  ];
}

function conclusion({ best, text }: BestPreprocessing): string {
  return best === undefined
    ? `Of the common preprocessings, ${text}`
    : `With ${best.title} it scores far more, as the table of preprocessings shows`;
}

function brokenFinding({ kind, text }: FloatBroken, search: BestPreprocessing | undefined): Finding {
  return {
    rule: 'base.float-broken',
    severity: 'error',
    subject: {},
    message: search === undefined ? text : `${text}. ${conclusion(search)}`,
    args: { kind },
    ...(search?.best === undefined
      ? {}
      : { fix: { title: 'what the float model scores most with', edit: search.best.flags.join(' ') } }),
  };
}
