/** A float network that is wrong in float: the common preprocessings on it, each with what it scores. */
import { evaluationProgram, type EvaluationProgram } from '../../compile/evaluation-program.js';
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import type { TriedPreprocessing } from '../../diff/accuracy/preprocessing-search.js';
import { DataError, QdbgError } from '../../errors.js';
import type { Dataset } from '../../run/data/dataset.js';
import type { PreprocessingFlags, ResolvedPreprocessing } from '../../run/data/preprocessing.js';
import type { PresetName } from '../../run/data/presets.js';
import { withExtents, type Watch } from '../../run/samples.js';
import { evaluateNetworks } from './evaluation.js';
import type { EvaluatedNetwork } from './networks.js';
import type { AccuracyRequest } from './request.js';

/** Samples that each is tried on: enough to tell right from wrong. */
const MOST_SAMPLES = 100;

const PRESETS: readonly (readonly [preset: PresetName, title: string])[] = [
  ['unit', 'pixel / 255'],
  ['tf', 'pixel / 127.5 - 1'],
  ['raw', 'pixel as it is'],
  ['imagenet', 'ImageNet mean and std'],
  ['centered', 'pixel / 255 - 0.5'],
  ['face', '(pixel - 127.5) / 128'],
  ['caffe', "Caffe's mean subtraction"],
  ['caffe-std', 'ImageNet mean and std times 255'],
];

export interface SearchRequest {
  /** Opens the same data with other preprocessing. */
  readonly open: (flags: PreprocessingFlags, samples: number) => Promise<Dataset>;
  readonly extents: ReadonlyMap<string, readonly number[]>;
  readonly flags: PreprocessingFlags;
  readonly resolved: ResolvedPreprocessing;
  /** In float. */
  readonly network: EvaluatedNetwork;
  readonly accuracy: AccuracyRequest;
  readonly samples: number;
  readonly threads: number;
}

/** @returns what each scores, best first; those that do not fit the input are left out */
export async function searchPreprocessing(
  request: SearchRequest,
  watch: Watch,
): Promise<readonly TriedPreprocessing[]> {
  const { flags, resolved } = request;
  const count = Math.min(MOST_SAMPLES, request.samples);
  const sized = { resize: resolved.resize, interpolation: resolved.interpolation };
  const orders = resolved.channels === 1 ? [undefined] : (['rgb', 'bgr'] as const);
  const variants = PRESETS.flatMap(([preset, title]) =>
    orders.map((color) => ({
      title: color === undefined ? title : `${title}, ${color.toUpperCase()}`,
      flags: [
        `--preset ${preset}`,
        `--resize ${sized.resize}`,
        ...(color === undefined ? [] : [`--color ${color}`]),
      ],
      settings: { preset, ...sized, ...(color === undefined ? {} : { color }), layout: flags.layout },
    })),
  );
  const { network } = request;
  const program = evaluationProgram(network.graph, [], network.lane);
  const tried: TriedPreprocessing[] = [];
  for (const [done, { title, flags: given, settings }] of variants.entries()) {
    watch('preprocessings', done, variants.length);
    const accuracy = await scoreOf(request, program, settings, count);
    if (accuracy === undefined) continue;
    const { reference, referenceInterval } = accuracy;
    tried.push({
      title,
      flags: given,
      ...(reference === undefined ? {} : { value: reference }),
      ...(referenceInterval === undefined ? {} : { interval: referenceInterval }),
    });
  }
  watch('preprocessings', variants.length, variants.length);
  return tried.sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity));
}

async function scoreOf(
  { open, extents, network, accuracy, threads }: SearchRequest,
  program: EvaluationProgram,
  settings: PreprocessingFlags,
  count: number,
): Promise<Accuracy | undefined> {
  try {
    const dataset = await open(settings, count);
    const evaluation = await evaluateNetworks(
      { program, networks: [network] },
      { dataset, samples: withExtents(dataset, extents) },
      accuracy,
      { threads, watch: () => undefined },
    );
    return evaluation?.accuracy;
  } catch (error) {
    // A preset that does not fit the input is none of the candidates; data that cannot be read is said by the run itself.
    if (error instanceof QdbgError && !(error instanceof DataError && error.places.length > 0))
      return undefined;
    throw error;
  }
}
