/**
 * Rounding of weights that looks at what the layer makes of it: of the two codes around a weight the one that leaves less error in
 * the output, given what the layer reads. With second moments H = E[x x'] the squared error of one output is e' H e, e the error of
 * its weights; codes are moved by one step while that falls. The objective of Nagel et al., Up or Down? Adaptive Rounding for
 * Post-Training Quantization, 2020, section 3.1 (https://arxiv.org/abs/2004.10568), searched by coordinate descent instead of learned.
 */

/** Sums of products of what a layer reads, position by position. */
export class SecondMoments {
  readonly size: number;
  /** Row-major, the upper triangle until `matrix` is asked for. */
  readonly #sums: Float64Array;
  #count = 0;

  constructor(size: number) {
    this.size = size;
    this.#sums = new Float64Array(size * size);
  }

  add(x: Float32Array): void {
    const { size } = this;
    const sums = this.#sums;
    for (let i = 0; i < size; i++) {
      const value = x[i]!;
      // Half of what a Relu gives.
      if (value === 0) continue;
      const row = i * size;
      for (let j = i; j < size; j++) sums[row + j]! += value * x[j]!;
    }
    this.#count++;
  }

  /** Symmetric; means over positions, undefined without any or where a value was not finite. */
  matrix(): Float64Array | undefined {
    const { size } = this;
    if (this.#count === 0) return undefined;
    const matrix = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = i; j < size; j++) {
        const mean = this.#sums[i * size + j]! / this.#count;
        if (!Number.isFinite(mean)) return undefined;
        matrix[i * size + j] = matrix[j * size + i] = mean;
      }
    }
    return matrix;
  }
}

/** One scale and zero point: those of the weights of one output. */
export interface RowQuantizer {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** Share of the mean diagonal that is added to it: what was not seen shall not be free to err. */
const DAMPING = 0.01;
const MOST_SWEEPS = 20;

/**
 * Codes of the weights of one output, at most one step from the nearest.
 *
 * @param weights as many as the moments are of
 * @param nearest codes of plain rounding
 */
export function searchedCodes(
  weights: ArrayLike<number>,
  nearest: Int32Array,
  { scale, zeroPoint, qmin, qmax }: RowQuantizer,
  moments: Float64Array,
): Int32Array {
  const size = nearest.length;
  const codes = nearest.slice();
  const errors = Float64Array.from(codes, (code, i) => (code - zeroPoint) * scale - weights[i]!);
  let damping = 0;
  for (let i = 0; i < size; i++) damping += moments[i * size + i]!;
  damping *= DAMPING / size;
  /** Half the slope of the squared error by each weight. */
  const slopes = new Float64Array(size);
  const move = (i: number, by: number): void => {
    const row = i * size;
    for (let j = 0; j < size; j++) slopes[j]! += by * moments[row + j]!;
    slopes[i]! += by * damping;
  };
  errors.forEach((error, i) => {
    if (error !== 0) move(i, error);
  });
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let isMoved = false;
    for (let i = 0; i < size; i++) {
      const curvature = moments[i * size + i]! + damping;
      // The other neighbour of the weight, or back from there.
      const direction = codes[i] === nearest[i]! ? -Math.sign(errors[i]!) : nearest[i]! - codes[i]!;
      const code = codes[i]! + direction;
      const by = direction * scale;
      if (direction === 0 || code < qmin || code > qmax) continue;
      // Rounding of the sums must not keep it going.
      if (2 * by * slopes[i]! + by * by * curvature >= -1e-9 * by * by * curvature) continue;
      codes[i] = code;
      errors[i]! += by;
      move(i, by);
      isMoved = true;
    }
    if (!isMoved) break;
  }
  return codes;
}
