import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { nodeLabel, nodeOf, tensorOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import {
  expectedPixels,
  familiesOfRange,
  impliedPreprocessing,
  pixelRange,
  realRange,
  type ImpliedFamily,
} from '../../../quant/input-fingerprint.js';
import { inputNormalization, type InputNormalization } from '../../../quant/input-normalization.js';
import { inputPort, isUsable } from '../../../quant/ports.js';
import { correctionTo } from '../../correction.js';
import type { Evidence } from '../../evidence.js';
import type { Diagnosed, Severity } from '../../finding.js';
import { recalibration } from '../../recalibration.js';
import { rule } from '../../rule.js';
import { type SeenInput, inputSubject, studiedInput } from '../../seen-input.js';
import { short } from '../../wording.js';

export const preproc = rule({
  id: 'io.preproc',
  title: 'The quantizer of an input does not fit the data: another preprocessing',
  severity: 'error',
  needs: [],
  oneOf: ['lane', 'calib', 'data'],
  text: {
    what: 'The range of an input quantizer is a fingerprint of the preprocessing of the calibration. It is held against the data that are fed, and against what the first nodes of the network do to the input.',
    why: 'Pixels of 0 to 255 in a network made for -1 to 1 saturate, pixels of 0 to 1 in one made for 0 to 255 have one code, and what is normalized twice is nearly constant. It is the most frequent cause of all, and has nothing to do with 8 bits.',
    instead:
      'Use one function for calibration, evaluation and the application. Where the graph normalizes its input itself, feed raw pixels.',
    see: ['https://github.com/pytorch/QNNPACK/issues/73', 'io.int-input'],
  },
  limits: [
    { quantity: 'self SQNR of an input', unit: 'dB', warning: 15, error: 10, worse: 'lower' },
    {
      quantity: "share of an input quantizer's range that the data use",
      unit: '%',
      warning: 25,
      worse: 'lower',
    },
  ],
  check,
});

/** Self SQNR, dB, of an input below which its quantizer was made for other data. */
const ERROR_DB = 10;
const WARNING_DB = 15;
/** Ends of two ranges that are this near, as a share of the width, are meant to be the same. */
const SAME = 0.05;
/** Ends that are those of a preprocessing and nothing else. */
const EXACT = 0.002;
/** Two preprocessings that are told apart even where the samples reach neither end. */
const APART = 0.15;
/** Share of the range that samples of the right preprocessing reach, however dark they are; and codes that are enough all the same. */
const USED = 0.25;
const ENOUGH_CODES = 64;
const FEW_CODES = 16;

interface Range {
  readonly min: number;
  readonly max: number;
}

function check(evidence: Evidence, told: readonly Diagnosed[]): Diagnosed[] {
  const { graph } = evidence;
  return graph.inputs.flatMap((input): Diagnosed[] => {
    const { name } = tensorOf(graph, input);
    if (told.some(({ rule: id, subject }) => id === 'io.int-input' && subject.tensor === name)) return [];
    const normalization = inputNormalization(graph, input);
    const inside = normalization === undefined ? undefined : expectedPixels(normalization);
    const found =
      doubledInFile(evidence, input, normalization, inside) ??
      doubledInData(evidence, input, inside) ??
      misfit(evidence, input) ??
      otherThanCalibrated(evidence, input);
    return found === undefined ? [] : [{ ...found, explains: [name] }];
  });
}

/** The network normalizes pixels itself, and the range of its quantizer is that of pixels that were normalized before. */
function doubledInFile(
  { graph, lane, scheme }: Evidence,
  input: TensorId,
  normalization: InputNormalization | undefined,
  inside: 'raw' | 'unit' | undefined,
): Diagnosed | undefined {
  if (lane === undefined || scheme !== undefined || normalization === undefined || inside === undefined)
    return undefined;
  const own = inputPort(graph, lane, input)?.params;
  const behind = own === undefined ? lane.tensors.get(normalization.output) : undefined;
  const params = own ?? behind;
  if (params === undefined || !isUsable(params)) return undefined;
  const implied = impliedPreprocessing(params, behind === undefined ? undefined : normalization);
  if (implied?.isExact !== true) return undefined;
  if ([implied, ...implied.alternatives].some(({ family }) => family === inside)) return undefined;
  // A symmetric range says how large values get, not that some of them are negative.
  const largest = inside === 'raw' ? 255 : 1;
  if (
    own !== undefined &&
    isSymmetric(graph, lane, input, own) &&
    isNear(realRange(own).max, largest, largest)
  )
    return undefined;
  const { min, max } = own === undefined ? pixelRange(implied.pixels) : realRange(own);
  return {
    rule: 'io.preproc',
    severity: 'error',
    subject: inputSubject(graph, input),
    message:
      `the network normalizes its input itself (${labelsOf(graph, normalization)}), made for ${wordsOf(inside)}, but its ranges were ` +
      `calibrated with ${short(min)} to ${short(max)} (${implied.formula}): it was normalized twice`,
    args: { min, max, family: implied.family, wanted: inside },
    fix: {
      title: 'calibrate again with what the first nodes are made for',
      edit: inside === 'raw' ? 'x = img' : 'x = img / 255',
    },
  };
}

/** The network normalizes pixels itself, and the data were normalized before. */
function doubledInData(
  evidence: Evidence,
  input: TensorId,
  inside: 'raw' | 'unit' | undefined,
): Diagnosed | undefined {
  const { graph } = evidence;
  const normalization = inputNormalization(graph, input);
  const seen = studiedInput(evidence, input);
  if (inside === undefined || normalization === undefined || seen === undefined) return undefined;
  const families = familiesOfRange(seen);
  if (families.some(({ family }) => family === inside)) return undefined;
  const width = inside === 'raw' ? 255 : 1;
  const [family] = families;
  const isNarrow = seen.max - seen.min < SAME * width;
  const isOther = family !== undefined && isApart(seen, { min: 0, max: width });
  if (!isNarrow && !isOther) return undefined;
  return {
    rule: 'io.preproc',
    severity: isOther ? 'error' : 'warning',
    subject: inputSubject(graph, input),
    message:
      `the network normalizes its input itself (${labelsOf(graph, normalization)}), made for ${wordsOf(inside)}; the data are ` +
      ` ${rangeText(seen, family)}${guessed(seen)}`,
    args: { min: seen.min, max: seen.max, wanted: inside },
    fix: { title: 'feed what the first nodes are made for', edit: correctionTo(inside, seen) },
  };
}

/** A quantizer that does not fit the data: other preprocessing, or codes taken for values. */
function misfit(evidence: Evidence, input: TensorId): Diagnosed | undefined {
  const { graph, lane, scheme, edges = [], reference } = evidence;
  if (scheme !== undefined) return undefined;
  const measured = edges.find(({ edge }) => edge.tensor === input);
  const params = measured?.quant ?? (lane === undefined ? undefined : inputPort(graph, lane, input)?.params);
  const studied = studiedInput(evidence, input);
  const seen: Range | undefined = measured?.range ?? studied;
  if (params === undefined || !isUsable(params) || seen === undefined) return undefined;
  const made = realRange(params);
  const symmetric = lane !== undefined && isSymmetric(graph, lane, input, params);
  const severity = severityOf({ made, seen, params, measured, symmetric });
  if (severity === undefined) return undefined;
  const implied = impliedPreprocessing(params);
  const [scale = 0] = params.scale;
  const [zeroPoint = 0] = params.zeroPoint;
  const data = reference === undefined ? 'the data' : 'the data that the reference takes';
  // Of the data alone: what a family is told by are their very ends.
  const [family] = familiesOfRange(seen);
  return {
    rule: 'io.preproc',
    severity,
    subject: inputSubject(graph, input),
    message:
      `the input's quantizer is made for ${short(made.min)} to ${short(made.max)} (scale ${short(scale)}, zero point ${zeroPoint}` +
      `${implied === undefined ? '' : `: ${implied.formula}`}); ${data} are ${rangeText(seen, family)}` +
      `${studied === undefined ? '' : guessed(studied)}${scale === 1 ? ': it takes raw pixels for values' : ''}`,
    args: { scale, zeroPoint, min: seen.min, max: seen.max },
    ...recalibration(evidence, correctionTo(implied, studied)),
  };
}

interface Fit {
  readonly made: Range;
  readonly seen: Range;
  readonly params: QuantParams;
  readonly measured: EdgeMeasurement | undefined;
  readonly symmetric: boolean;
}

/** Undefined where the data fit. */
function severityOf({ made, seen, params, measured, symmetric }: Fit): Severity | undefined {
  const self = measured?.errors.get('self');
  // Where every value has a code of its own, nothing is lost: planes of 0 and 1 in an input for 0 to 255.
  const isExact = self?.exact === true;
  if (self !== undefined) {
    const db = isExact ? Infinity : (self.sqnrDb ?? -Infinity);
    if (db < ERROR_DB) return 'error';
    if (db < WARNING_DB) return 'warning';
  }
  const width = made.max - made.min;
  const used = symmetric
    ? Math.max(-seen.min, seen.max) / made.max
    : (Math.min(seen.max, made.max) - Math.max(seen.min, made.min)) / width;
  const implied = impliedPreprocessing(params);
  if (!symmetric && implied !== undefined) {
    const wanted = [implied, ...implied.alternatives];
    const given = familiesOfRange(seen);
    const isOther =
      given.length > 0 && !given.some(({ family }) => wanted.some((other) => other.family === family));
    if (isOther && isApart(seen, made)) return isExact ? 'warning' : 'error';
    // Near each other, as the statistics of two data sets are: only ends that are reached exactly tell.
    if (isOther && implied.isExact && given.some(({ distance }) => distance <= EXACT)) return 'warning';
  }
  const codes = (seen.max - seen.min) / (params.scale[0] ?? 1);
  if (used >= USED || codes >= ENOUGH_CODES || seen.max === seen.min) return undefined;
  return codes < FEW_CODES && !isExact ? 'error' : 'warning';
}

/** Measured on data of another preprocessing than the ranges come from. */
function otherThanCalibrated(evidence: Evidence, input: TensorId): Diagnosed | undefined {
  const { graph, calib, data } = evidence;
  const calibrated = calib === undefined ? undefined : studiedInput(evidence, input, calib);
  const seen = data === undefined ? undefined : studiedInput(evidence, input);
  if (calibrated === undefined || seen === undefined || !isApart(seen, calibrated)) return undefined;
  const [from] = familiesOfRange(calibrated);
  const [to] = familiesOfRange(seen);
  if (from === undefined || to === undefined || from.family === to.family) return undefined;
  return {
    rule: 'io.preproc',
    severity: 'error',
    subject: inputSubject(graph, input),
    message:
      `the ranges come from data of ${rangeText(calibrated, from)}; what is measured on, ${seen.flag}, is ` +
      rangeText(seen, to),
    args: { min: seen.min, max: seen.max, calibratedMin: calibrated.min, calibratedMax: calibrated.max },
    fix: { title: 'prepare both in one way', edit: correctionTo(from, seen) },
  };
}

/** Whether the quantizer and all others are symmetric, which says nothing of the sign of values. */
function isSymmetric(graph: Graph, lane: Lane, input: TensorId, params: QuantParams): boolean {
  return (
    isCentred(params) &&
    [...lane.tensors].every(
      ([id, other]) =>
        id === input ||
        tensorOf(graph, id).data !== undefined ||
        other.dtype !== params.dtype ||
        isCentred(other),
    )
  );
}

function isCentred({ zeroPoint: [point = 0], qmin, qmax }: QuantParams): boolean {
  return Math.abs(point - (qmin + qmax) / 2) <= 0.5;
}

function isNear(a: number, b: number, width: number): boolean {
  return Math.abs(a - b) <= SAME * width;
}

function isApart(a: Range, b: Range): boolean {
  const width = Math.max(a.max - a.min, b.max - b.min);
  return Math.max(Math.abs(a.min - b.min), Math.abs(a.max - b.max)) > APART * width;
}

function labelsOf(graph: Graph, { nodes }: InputNormalization): string {
  return nodes.map((node) => nodeLabel(nodeOf(graph, node))).join(', ');
}

function wordsOf(inside: 'raw' | 'unit'): string {
  return inside === 'raw' ? 'pixels of 0 to 255' : 'pixels of 0 to 1';
}

function rangeText({ min, max }: Range, family: ImpliedFamily | undefined): string {
  const range = `${short(min)} to ${short(max)}`;
  return family === undefined ? range : `${range} (${family.formula})`;
}

function guessed({ guess }: Pick<SeenInput, 'guess'>): string {
  return guess === undefined ? '' : `, because nothing says how to normalize them and ${guess} was taken`;
}
