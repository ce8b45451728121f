import type { StudiedOutput } from '../../../run/output-study.js';
import { outputQuantizers, outputSubject, probabilitiesOf } from '../../computed-by.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { percent, short } from '../../wording.js';

/** (P99 - P1) / LSB. */
const WARNING_LEVELS = 64;
const ERROR_LEVELS = 16;
/** Share of the noise of an output that its own rounding is, from which on its LSB is to blame. */
const ROUNDING_SHARE = 0.3;
/** Noise beside the variance between samples: less costs nothing that anybody reads. */
const HARMLESS_NOISE = 0.01;
/** Share of the samples. */
const TIES = 0.01;
const MANY_TIES = 0.05;
/** Fewer samples with a tie are an accident. */
const FEWEST_TIES = 3;
/** Of unit vectors. */
const COSINE = 0.99;
/** Bits: where the answers of the float network vary so much, the output is one of classes. */
const CLASSIFYING = 0.5;

export const fewLevels = rule({
  id: 'out.few-levels',
  title: 'The output has too few levels',
  severity: 'error',
  needs: ['lane'],
  oneOf: ['outputs', 'accuracy'],
  text: {
    what: 'Levels that are left for the values of an output ((P99 - P1) / scale), where the rounding of the output itself is a large part of its noise; classes that share the largest score; the cosine between embeddings in float and as integers.',
    why: 'An output of 8 bits has 256 codes for its whole range. A regression whose values fill a small part of it moves in steps, embeddings turn, and two classes in one code are told apart by their place in the list.',
    instead:
      'Keep the output in float or give it 16 bits, scale the targets to the range, and say in the metric what a tie is.',
    see: [
      'https://github.com/tensorflow/tensorflow/issues/47068',
      'https://github.com/mlcommons/inference_policies/issues/268',
      'act.wide-range',
    ],
  },
  limits: [
    {
      quantity: 'levels of an output, (P99 - P1) / scale',
      unit: '',
      warning: WARNING_LEVELS,
      error: ERROR_LEVELS,
      worse: 'lower',
    },
    { quantity: 'share of samples with a tie', unit: '', warning: MANY_TIES, worse: 'higher' },
    { quantity: 'cosine of unit vectors, mean', unit: '', warning: COSINE, worse: 'lower' },
  ],
  check,
});

function check(evidence: With<'lane'>): Diagnosed[] {
  const found = (evidence.outputs?.outputs ?? []).flatMap((output) => coarse(evidence, output));
  return [...found, ...tied(evidence)];
}

function coarse(evidence: With<'lane'>, output: StudiedOutput): Diagnosed[] {
  const { graph } = evidence;
  const { tensor, lsb, noise, sums } = output;
  // Probabilities have 1/256 by specification; what is wrong with it is said elsewhere.
  if (sums !== undefined || probabilitiesOf(graph, tensor) !== undefined) return [];
  if (lsb === undefined || output.variance.float === 0) return [];
  if (lsb ** 2 / 12 < ROUNDING_SHARE * noise || noise < HARMLESS_NOISE * output.variance.float * lsb ** 2)
    return [];
  const text = levelsText(output) ?? cosineText(output);
  if (text === undefined) return [];
  return [
    {
      rule: 'out.few-levels',
      severity: severityOf(output),
      subject: outputSubject(graph, tensor),
      message: text,
      args: {
        lsb,
        codes: output.codes,
        ...(output.levels === undefined ? {} : { levels: output.levels }),
        ...(output.cosine === undefined ? {} : { cosine: output.cosine.mean }),
      },
      ...remedy(evidence, {
        title: 'more bits for the output',
        flags: '--activations int16',
        overrides: { activations: 'int16' },
        onnx: `quantize_static(..., nodes_to_exclude=['${outputSubject(graph, tensor).node ?? ''}'])`,
        tflite: 'tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8 in supported_ops',
        change: { float: outputQuantizers(graph, evidence.lane, tensor) },
      }),
    },
  ];
}

function levelsText({ name, levels, codes, lsb = 0, range }: StudiedOutput): string | undefined {
  if (levels === undefined || levels >= WARNING_LEVELS) return undefined;
  return (
    `output ${name} has ${short(levels)} levels for its values (${short(range.min)} to ${short(range.max)} in float, ` +
    `scale ${short(lsb)}); ${codes} different values came out`
  );
}

function cosineText({ name, cosine }: StudiedOutput): string | undefined {
  if (cosine?.isUnit !== true || cosine.mean >= COSINE) return undefined;
  const ranks =
    cosine.ranks === undefined ? '' : `, rank correlation of their distances ${short(cosine.ranks)}`;
  return `embeddings ${name} turn: cosine with float ${short(cosine.mean)} on average, ${short(cosine.min)} at worst${ranks}`;
}

function severityOf({ levels = Infinity, answers }: StudiedOutput): Diagnosed['severity'] {
  const isClassifying = answers !== undefined && answers.entropy.float >= CLASSIFYING;
  // As long as the same class leads, steps between scores cost nothing.
  if (isClassifying && answers.changed === 0) return 'note';
  return levels < ERROR_LEVELS ? 'error' : 'warning';
}

/** Two classes in one code: the first of the list is answered. */
function tied({ accuracy }: With<'lane'>): Diagnosed[] {
  const [reference, candidate] = accuracy?.networks ?? [];
  // Ties of masks are pixels, which are no samples.
  if (accuracy?.transitions?.counted === 'pixels') return [];
  if (accuracy === undefined || candidate?.ties === undefined || accuracy.unit !== '%') return [];
  const more = candidate.ties - (reference?.ties ?? 0);
  const share = more / accuracy.samples;
  if (more < FEWEST_TIES || share <= TIES) return [];
  return [
    {
      rule: 'out.few-levels',
      severity: share > MANY_TIES && accuracy.standing === 'worse' ? 'warning' : 'note',
      subject: {},
      message:
        `in ${candidate.ties} of ${accuracy.samples} samples (${percent(candidate.ties / accuracy.samples)}) several classes share the largest ` +
        `score, in float in ${reference?.ties ?? 0}: the first of them is answered, and ${accuracy.metric} depends on their order`,
      args: { ties: candidate.ties, samples: accuracy.samples },
    },
  ];
}
