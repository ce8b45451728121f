/** Faults that exporters, converters and tired people make, planted in a healthy file at one place. */
import type { ConstantChange, IntegerFile, Layer, StoredConstant } from './integer-file.js';
import { OnnxFile } from './onnx.js';
import { TfliteFile } from './tflite.js';

/** @returns the file with the fault; what is given stays as it is. */
export type Fault = (bytes: Uint8Array, where: string) => Uint8Array;

export function openIntegerFile(bytes: Uint8Array): IntegerFile {
  const isTflite = new TextDecoder().decode(bytes.subarray(4, 8)) === 'TFL3';
  return isTflite ? new TfliteFile(bytes) : new OnnxFile(bytes);
}

function planted(change: (file: IntegerFile, where: string) => void): Fault {
  return (bytes, where) => {
    const file = openIntegerFile(bytes);
    change(file, where);
    return file.bytes();
  };
}

/** The range of an activation was taken too narrow (factor < 1) or too wide. */
export const scaled = (factor: number): Fault =>
  planted((file, tensor) => file.changeEdge(tensor, { scale: file.edge(tensor).scale * factor }));

export const zeroPointOff = (by: number): Fault =>
  planted((file, tensor) => {
    const { zeroPoint, limits } = file.edge(tensor);
    const fits = zeroPoint + by >= limits[0] && zeroPoint + by <= limits[1];
    file.changeEdge(tensor, { zeroPoint: zeroPoint + (fits ? by : -by) });
  });

/** What reads the codes takes them for others than were written. */
export const readWithOtherScale = (factor: number): Fault =>
  planted((file, tensor) => file.changeReaders(tensor, { scale: file.edge(tensor).scale * factor }));

export const readWithOtherZeroPoint = (by: number): Fault =>
  planted((file, tensor) => file.changeReaders(tensor, { zeroPoint: file.edge(tensor).zeroPoint + by }));

/** Pixels go into the network as they are, although its values are normalized ones. */
export const rawInput: Fault = planted((file, input) => {
  file.changeEdge(input, { scale: 1, zeroPoint: file.edge(input).limits[0] });
});

/** A ReLU is gone, and the range reaches as far below 0 as above. */
export const activationRemoved: Fault = planted((file, tensor) => {
  const { scale, limits } = file.edge(tensor);
  file.removeActivation(tensor);
  file.changeEdge(tensor, { scale: 2 * scale, zeroPoint: (limits[0] + limits[1] + 1) / 2 });
});

/** All sides of a Concat, by their names with spaces between, have the parameters of the first, its scale times `factor`. */
export const sharedScale = (factor: number): Fault =>
  planted((file, sides) => {
    const [first, ...others] = sides.split(' ');
    const { scale, zeroPoint } = file.edge(first!);
    for (const side of [first!, ...others]) file.changeEdge(side, { scale: scale * factor, zeroPoint });
  });

/** The graph of the candidate begins behind the operators that normalize its input. */
export const normalizationMissing =
  (input: string, scale: number): Fault =>
  (bytes, normalized) =>
    planted((file) => {
      const layers = file.readers(normalized);
      const before = file.edge(normalized);
      file.bypass(normalized, input);
      file.changeEdge(input, { scale, zeroPoint: before.limits[0] });
      for (const layer of layers) rescaleBias(file, layer, before.scale / scale);
    })(bytes, normalized);

export const outputsSwapped: Fault = planted((file) => file.swapOutputs());

/** Height and width of a kernel, or outputs and inputs of a matrix, in each other's place; the dims stay. */
export const transposed: Fault = planted((file, where) => {
  const { weights, spatial, inputs, outputs } = file.layer(where);
  const { dims, codes } = weights;
  const isSquare = spatial.every((axis) => dims[axis] === dims[spatial[0]!] && dims[axis]! > 1);
  const [a, b] = spatial.length === 2 && isSquare ? (spatial as [number, number]) : [outputs, inputs];
  file.changeWeights(where, { codes: swapAxes(codes, dims, a, b) });
});

export const weightsOf =
  (other: string): Fault =>
  (bytes, where) =>
    planted((file) => file.changeWeights(where, { codes: file.layer(other).weights.codes }))(bytes, where);

export const signFlipped: Fault = planted((file, where) => {
  const { weights } = file.layer(where);
  const [qmin, qmax] = weights.limits;
  if (weights.zeroPoint.every((zeroPoint) => zeroPoint === 0)) {
    file.changeWeights(where, { codes: weights.codes.map((code) => clamp(-code, qmin, qmax)) });
    return;
  }
  const mirrored = (values: readonly number[]): number[] => values.map((value) => qmin + qmax - value);
  file.changeWeights(where, { codes: mirrored(weights.codes), zeroPoint: mirrored(weights.zeroPoint) });
});

/** The codes of the bias were made for another scale. */
export const biasNotRescaled = (factor: number): Fault =>
  planted((file, where) => {
    const { codes } = file.layer(where).bias!;
    file.changeBias(where, { codes: codes.map((code) => Math.round(code * factor)) });
  });

/** The weights of one channel have so small a scale that its bias does not fit into 32 bits. */
export const biasOverflow = (channel: number): Fault =>
  planted((file, where) => {
    const layer = file.layer(where);
    const { weights, bias } = layer;
    const real = bias!.codes[channel]! * at(bias!.scale, channel);
    const accumulator = Math.abs(real) / 2 ** 33;
    const factor = accumulator / at(bias!.scale, channel);
    const narrow = weights.scale.map((scale, c) =>
      c === channel || weights.scale.length === 1 ? scale * factor : scale,
    );
    file.changeWeights(where, requantized(weights, narrow));
    const rescaled = bias!.scale.map((scale, c) =>
      c === channel || bias!.scale.length === 1 ? scale * factor : scale,
    );
    file.changeBias(where, requantized(bias!, rescaled));
  });

/** One channel is read with another scale than its codes were made with. */
export const channelScaled = (channel: number, factor: number): Fault =>
  planted((file, where) => {
    const { scale } = file.layer(where).weights;
    file.changeWeights(where, { scale: scale.map((value, c) => (c === channel ? value * factor : value)) });
  });

/** The scales are said to be along another axis than they are. */
export const axisMoved: Fault = planted((file, where) => {
  const { weights, outputs, inputs } = file.layer(where);
  file.changeWeights(where, { axis: weights.axis === outputs ? inputs : outputs });
});

/** The codes were made with scales along the inputs, and are read with them along the outputs. */
export const scalesOfOtherAxis: Fault = planted((file, where) => {
  const { weights, inputs } = file.layer(where);
  const { codes } = requantized({ ...weights, axis: inputs }, weights.scale, valuesOf(weights));
  file.changeWeights(where, { codes });
});

export const channelDead = (channel: number): Fault =>
  planted((file, where) => {
    const { weights, bias, outputs } = file.layer(where);
    const along = indices(weights.dims, outputs);
    const codes = eachCode(weights, (code, i, position) =>
      along[position] === channel ? weights.zeroPoint[i]! : code,
    );
    file.changeWeights(where, { codes });
    if (bias === undefined) return;
    file.changeBias(where, { codes: bias.codes.map((code, c) => (c === channel ? 0 : code)) });
  });

/** One scale for all weights, so large that their codes are -1, 0 and 1. */
export const weightsTooCoarse = (factor: number): Fault =>
  planted((file, where) => {
    const { weights } = file.layer(where);
    const coarse = Math.max(...weights.scale) * factor;
    setWeights(
      file,
      where,
      valuesOf(weights),
      weights.scale.map(() => coarse),
    );
  });

/** Weights as they were before a BatchNormalization was folded into them; without its shift. */
export const batchNormForgotten =
  (raw: readonly number[]): Fault =>
  (bytes, where) =>
    planted((file) => {
      const { weights, bias } = file.layer(where);
      const along = indices(weights.dims, weights.axis);
      const largest = weights.scale.map((_, channel) =>
        raw.reduce(
          (most, value, i) =>
            weights.scale.length === 1 || along[i] === channel ? Math.max(most, Math.abs(value)) : most,
          0,
        ),
      );
      const [qmin, qmax] = weights.limits;
      const reach = Math.min(qmax - at(weights.zeroPoint, 0), at(weights.zeroPoint, 0) - qmin);
      setWeights(
        file,
        where,
        raw,
        largest.map((value) => value / reach),
      );
      if (bias !== undefined) file.changeBias(where, { codes: bias.codes.map(() => 0) });
    })(bytes, where);

/** New weights in a file that is else consistent: a bias that has the scale of the accumulator keeps its value. */
function setWeights(
  file: IntegerFile,
  where: string,
  values: readonly number[],
  scale: readonly number[],
): void {
  const { weights, bias, biasFollows } = file.layer(where);
  file.changeWeights(where, requantized(weights, scale, values));
  if (bias === undefined || !biasFollows) return;
  const rescaled = bias.scale.map((old, c) => (old * at(scale, c)) / at(weights.scale, c));
  file.changeBias(where, requantized(bias, rescaled));
}

function rescaleBias(file: IntegerFile, where: string, factor: number): void {
  const { bias, biasFollows }: Layer = file.layer(where);
  if (bias === undefined || !biasFollows) return;
  file.changeBias(where, { codes: bias.codes.map((code) => Math.round(code * factor)) });
}

/** What the codes stand for. */
export function valuesOf(constant: StoredConstant): number[] {
  return eachCode(constant, (code, i) => (code - constant.zeroPoint[i]!) * constant.scale[i]!);
}

function requantized(
  constant: StoredConstant,
  scale: readonly number[],
  values: readonly number[] = valuesOf(constant),
): ConstantChange & { readonly codes: readonly number[] } {
  const [qmin, qmax] = constant.limits;
  const codes = eachCode({ ...constant, codes: values }, (value, i) =>
    clamp(Math.round(value / scale[i]!) + constant.zeroPoint[i]!, qmin, qmax),
  );
  return { codes, scale };
}

/** @param change of a code, the position of its scale and its own. */
function eachCode(
  { codes, dims, axis, scale }: StoredConstant,
  change: (code: number, scaleAt: number, position: number) => number,
): number[] {
  const along = scale.length === 1 ? undefined : indices(dims, axis);
  return codes.map((code, position) => change(code, along?.[position] ?? 0, position));
}

/** Index along an axis of each element. */
function indices(dims: readonly number[], axis: number): number[] {
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const count = dims.reduce((product, dim) => product * dim, 1);
  return Array.from({ length: count }, (_, i) => Math.floor(i / inner) % dims[axis]!);
}

/** Elements in the order of the transposed tensor; `dims` need not be equal. */
function swapAxes(values: readonly number[], dims: readonly number[], a: number, b: number): number[] {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  const perm = dims.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  let positions = [0];
  for (const axis of perm) {
    positions = positions.flatMap((from) =>
      Array.from({ length: dims[axis]! }, (_, i) => from + i * strides[axis]!),
    );
  }
  return positions.map((from) => values[from]!);
}

/** Of one channel, also where one number stands for all. */
function at(values: readonly number[], channel: number): number {
  return values[channel] ?? values[0]!;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
