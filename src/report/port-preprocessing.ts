/** Which preparation of images an input wants, from its quantizer, the first nodes behind it and the file's metadata. */
import { fileShape } from '../ir/file-axes.js';
import { nodeLabel, nodeOf, tensorOf, type Graph, type Tensor, type TensorId } from '../ir/graph.js';
import type { Lane, QuantParams } from '../ir/lane.js';
import {
  impliedPreprocessing,
  pixelCodes,
  pixelRange,
  realRange,
  type ImpliedFamily,
  type ImpliedPreprocessing,
  type PixelNormalization,
} from '../quant/input-fingerprint.js';
import {
  inputNormalization,
  normalizedRange,
  type InputNormalization,
} from '../quant/input-normalization.js';
import { exact } from './port-numbers.js';

export interface InputPreprocessing {
  /** Undefined when no known preprocessing has the range of the quantizer; absent without a quantizer. */
  readonly implied?: {
    readonly family: string;
    readonly formula: string;
    /** Distance of the ends of the two ranges, as a share of the width. */
    readonly distance: number;
    readonly isExact: boolean;
    readonly alternatives: readonly {
      readonly family: string;
      readonly formula: string;
      readonly distance: number;
    }[];
  };
  /** It has a quantizer, and none of the known preprocessings is near. */
  readonly isUnknown?: true;
  /** The codes are the pixels plus this number: nothing is to be computed. */
  readonly pixelShift?: number;
  /** code = clamp(round(pixel * slope + offset)), one number for all channels or one for each. */
  readonly pixelsToCodes?: { readonly slope: readonly number[]; readonly offset: readonly number[] };
  /** What the first nodes do. */
  readonly inside?: {
    readonly nodes: readonly string[];
    readonly formula: string;
    /** Where the values of the input's range arrive. */
    readonly range?: { readonly min: number; readonly max: number };
    /** The first quantizer, where it stands behind them. */
    readonly quantizer?: { readonly tensor: string; readonly min: number; readonly max: number };
  };
  /** What the file's metadata say. */
  readonly metadata?: { readonly formula: string; readonly agrees?: boolean };
  readonly remarks: readonly string[];
}

/**
 * Undefined when nothing is said: no quantizer, no normalizing nodes, no metadata.
 *
 * @param own parameters of the input's own quantizer
 */
export function inputPreprocessing(
  graph: Graph,
  lane: Lane | undefined,
  id: TensorId,
  own: QuantParams | undefined,
): InputPreprocessing | undefined {
  const normalization = inputNormalization(graph, id);
  const described = metadataOf(graph, graph.inputs.indexOf(id));
  const direct = usable(own);
  // Where the network normalizes floats, the first quantizer stands behind that.
  const behind =
    direct === undefined && normalization !== undefined
      ? usable(lane?.tensors.get(normalization.output))
      : undefined;
  const quantizer = direct ?? behind;
  if (quantizer === undefined && normalization === undefined && described === undefined) return undefined;
  const implied =
    quantizer === undefined
      ? undefined
      : impliedPreprocessing(quantizer, behind === undefined ? undefined : normalization);
  const agrees = direct === undefined || described === undefined ? undefined : isNear(direct, described);
  const pixels = agrees === true ? described : implied?.pixels;
  const codes =
    direct === undefined || pixels === undefined || !hasPixels(tensorOf(graph, id))
      ? undefined
      : pixelCodes(pixels, direct);
  return {
    ...(implied === undefined ? {} : { implied: impliedRow(implied) }),
    ...(quantizer !== undefined && implied === undefined ? { isUnknown: true } : {}),
    ...(codes?.shift === undefined ? {} : { pixelShift: codes.shift }),
    ...(codes === undefined ? {} : { pixelsToCodes: { slope: codes.slope, offset: codes.offset } }),
    ...(normalization === undefined ? {} : { inside: insideRow(graph, normalization, direct, behind) }),
    ...(described === undefined
      ? {}
      : { metadata: { formula: pixelFormula(described), ...(agrees === undefined ? {} : { agrees }) } }),
    remarks: [...metadataRemarks(direct, described), ...doubledRemarks(implied, normalization)],
  };
}

/** One scale that is a positive number. */
function usable(params: QuantParams | undefined): QuantParams | undefined {
  const [scale = NaN] = params?.scale ?? [];
  const isNumber = scale > 0 && Number.isFinite(scale);
  return params?.granularity.kind === 'per-tensor' && isNumber ? params : undefined;
}

function impliedRow(implied: ImpliedPreprocessing): NonNullable<InputPreprocessing['implied']> {
  const row = ({
    family,
    formula,
    distance,
  }: ImpliedFamily): { family: string; formula: string; distance: number } => ({
    family,
    formula,
    distance,
  });
  return { ...row(implied), isExact: implied.isExact, alternatives: implied.alternatives.map(row) };
}

function insideRow(
  graph: Graph,
  normalization: InputNormalization,
  direct: QuantParams | undefined,
  behind: QuantParams | undefined,
): NonNullable<InputPreprocessing['inside']> {
  return {
    nodes: normalization.nodes.map((node) => nodeLabel(nodeOf(graph, node))),
    formula: insideFormula(normalization),
    ...(direct === undefined ? {} : { range: normalizedRange(normalization, realRange(direct)) }),
    ...(behind === undefined
      ? {}
      : { quantizer: { tensor: tensorOf(graph, normalization.output).name, ...realRange(behind) } }),
  };
}

/** `(value - 127.5) / 127.5`, of one number or of one for each channel. */
function insideFormula({ factor, offset }: InputNormalization): string {
  const count = Math.max(factor.length, offset.length);
  const at = (values: readonly number[], i: number): number => values[values.length === 1 ? 0 : i] ?? NaN;
  const means = Array.from({ length: count }, (_, i) => -at(offset, i) / at(factor, i));
  const stds = factor.map((value) => 1 / value);
  const list = (values: readonly number[]): string =>
    values.length === 1
      ? exact(Math.fround(values[0] ?? 0))
      : `[${values.map((value) => +value.toPrecision(5)).join(', ')}]`;
  const isCentred = means.every((mean) => mean === 0);
  const shifted = isCentred ? 'value' : `(value - ${list(means)})`;
  return stds.every((std) => std === 1) ? shifted : `${shifted} / ${list(stds)}`;
}

function pixelFormula({ mean, std }: PixelNormalization): string {
  return `(pixel - ${mean.join(', ')}) / ${std.join(', ')}`;
}

/** One, three or four channels beside two dimensions, in either order. */
function hasPixels(tensor: Tensor): boolean {
  const shape = fileShape(tensor);
  if (shape?.length !== 4) return false;
  const isChannels = (dim: (typeof shape)[number] | undefined): boolean =>
    dim === 1 || dim === 3 || dim === 4;
  return isChannels(shape[3]) || isChannels(shape[1]);
}

/** (pixel - mean) / std of `tflite.input.<position>.mean` and `.std`; mean 0 and std 1 say that nothing is to be done. */
function metadataOf({ metadata }: Graph, position: number): PixelNormalization | undefined {
  const numbers = (name: string): number[] =>
    (metadata.get(`tflite.input.${position}.${name}`) ?? '').slice(0, 200).split(',').map(Number);
  const [mean, std] = [numbers('mean'), numbers('std')];
  const isUsable =
    [...mean, ...std].every(Number.isFinite) && std.every((value) => value > 0) && mean.length === std.length;
  const changesNothing = mean.every((value) => value === 0) && std.every((value) => value === 1);
  return isUsable && !changesNothing ? { mean, std } : undefined;
}

/** Ends of a range that agree within this share of its width are meant to be the same. */
const SAME = 0.05;

function isNear(quantizer: QuantParams, pixels: PixelNormalization): boolean {
  const [found, wanted] = [realRange(quantizer), pixelRange(pixels)];
  const width = wanted.max - wanted.min;
  return Math.max(Math.abs(found.min - wanted.min), Math.abs(found.max - wanted.max)) <= SAME * width;
}

function metadataRemarks(
  direct: QuantParams | undefined,
  described: PixelNormalization | undefined,
): string[] {
  if (direct === undefined || described === undefined || isNear(direct, described)) return [];
  const [range, { min, max }] = [realRange(direct), pixelRange(described)];
  return [
    `the metadata's normalization gives ${short(min)} to ${short(max)}; the quantizer holds ${short(range.min)} to ${short(range.max)}`,
  ];
}

/** Means and standard deviations up to this are of pixels that were divided by 255. */
const LARGEST_UNIT = 1.5;

/** Means and standard deviations of data sets by their name. */
export function shortFormula({ family, formula }: Pick<ImpliedFamily, 'family' | 'formula'>): string {
  return formula.includes('mean') ? `the mean and std of ${family}` : formula;
}

/** A network that normalizes pixels inside, and ranges of an input that was normalized before. */
function doubledRemarks(
  implied: ImpliedPreprocessing | undefined,
  normalization: InputNormalization | undefined,
): string[] {
  if (implied?.isExact !== true || normalization === undefined) return [];
  const { factor, offset } = normalization;
  const sizes = factor.flatMap((value, i) => [
    Math.abs(1 / value),
    Math.abs((offset[offset.length === 1 ? 0 : i] ?? 0) / value),
  ]);
  const expected = Math.max(...sizes) > LARGEST_UNIT ? 'raw' : 'unit';
  const fits = [implied, ...implied.alternatives].some(({ family }) => family === expected);
  if (fits) return [];
  const wanted = expected === 'raw' ? 'pixels of 0 to 255' : 'values of 0 to 1';
  return [
    `its first nodes look made for ${wanted}, but the ranges are those of ${shortFormula(implied)}: normalized twice in calibration?`,
  ];
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
