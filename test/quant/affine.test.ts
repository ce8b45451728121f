import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Granularity, QDType, QuantParams } from '../../src/ir/lane.js';
import { QRANGE } from '../../src/ir/lane.js';
import type { AffineScheme } from '../../src/quant/affine.js';
import {
  axisLayout,
  bitsOf,
  codeRange,
  dequantize,
  fakeQuantize,
  paramsFromRange,
  quantize,
  roundHalfEven,
} from '../../src/quant/affine.js';
import { Random, sqnrDb } from './samples.js';

interface ScaleCase {
  dtype: QDType;
  symmetric: boolean;
  narrowRange: boolean;
  scale: number[];
  zeroPoint: number[];
}
interface KernelCase {
  dtype: QDType;
  axis: number | null;
  dims: number[];
  scale: number[];
  zeroPoint: number[];
  x: number[];
  y: number[];
}
interface OrtFixture {
  scaleZeroPoint: { rmin: number[]; rmax: number[]; cases: ScaleCase[] };
  codeRanges: { dtype: QDType; symmetric: boolean; qmin: number; qmax: number }[];
  kernels: KernelCase[];
  biases: { scale: number[]; bias: number[]; codes: number[]; y: number[] }[];
}
const ort = JSON.parse(
  readFileSync(new URL('../../fixtures/quant/ort_affine.json', import.meta.url), 'utf8'),
) as OrtFixture;

const PER_TENSOR: Granularity = { kind: 'per-tensor' };
const ALL = Object.keys(QRANGE) as readonly QDType[];
/** int2 weights and int64 biases are only read from files: no scheme makes them. */
const DTYPES = ALL.filter((dtype) => dtype !== 'int2' && dtype !== 'int64');
const SCHEMES: readonly AffineScheme[] = DTYPES.flatMap((dtype) =>
  [false, true].flatMap((symmetric) =>
    [false, true].map((narrowRange) => ({ dtype, symmetric, narrowRange })),
  ),
);
const label = (scheme: AffineScheme): string =>
  `${scheme.dtype}${scheme.symmetric ? ' symmetric' : ''}${scheme.narrowRange ? ' narrow' : ''}`;

const floats = (bits: readonly number[]): Float32Array => new Float32Array(Uint32Array.from(bits).buffer);
const bitsOfFloats = (x: Float32Array): number[] => Array.from(new Uint32Array(x.buffer.slice(0)));

function kernelParams(test: KernelCase): QuantParams {
  const [qmin, qmax] = QRANGE[test.dtype];
  return {
    dtype: test.dtype,
    qmin,
    qmax,
    granularity: test.axis === null ? PER_TENSOR : { kind: 'per-axis', axis: test.axis },
    scale: floats(test.scale),
    zeroPoint: Int32Array.from(test.zeroPoint),
    source: 'file',
  };
}

/** Halves to even, decided by comparing the fraction: nothing of the implementation's trick. */
function slowRound(x: number): number {
  const below = Math.floor(x);
  const fraction = x - below;
  if (fraction !== 0.5) return fraction < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** QuantizeLinear's text for one value; int32 as ONNX Runtime's bias quantizer. */
function slowCode(x: number, scale: number, zeroPoint: number, params: QuantParams): number {
  const quotient = params.dtype === 'int32' ? x / scale : Math.fround(x / scale);
  return Math.min(params.qmax, Math.max(params.qmin, slowRound(quotient) + zeroPoint));
}

/** Index along `axis` of a flat index, by peeling off the dimensions one at a time. */
function slowIndex(flat: number, dims: readonly number[], axis: number): number {
  let rest = flat;
  for (let d = dims.length - 1; d > axis; d--) rest = Math.floor(rest / dims[d]!);
  return rest % dims[axis]!;
}

describe('paramsFromRange', () => {
  const rmin = floats(ort.scaleZeroPoint.rmin);
  const rmax = floats(ort.scaleZeroPoint.rmax);

  it.each(ort.scaleZeroPoint.cases.map((test) => [label(test), test] as const))(
    'gives the scale and zero point of ONNX Runtime bit by bit: %s',
    (_, test) => {
      const params = paramsFromRange(rmin, rmax, test, { kind: 'per-axis', axis: 0 }, 'observer');
      expect(bitsOfFloats(params.scale)).toEqual(test.scale);
      expect(Array.from(params.zeroPoint)).toEqual(test.zeroPoint);
      for (let i = 0; i < rmin.length; i++) {
        const one = paramsFromRange([rmin[i]!], [rmax[i]!], test, PER_TENSOR, 'observer');
        expect([one.scale[0], one.zeroPoint[0]]).toEqual([params.scale[i], params.zeroPoint[i]]);
      }
    },
  );

  it('has reference cases for every dtype, symmetry and narrow range', () => {
    expect(ort.scaleZeroPoint.cases.map(label)).toEqual(expect.arrayContaining(SCHEMES.map(label)));
  });

  it('has the integer limits of ONNX Runtime, whose symmetric int8 and int16 are narrow', () => {
    for (const { dtype, symmetric, qmin, qmax } of ort.codeRanges) {
      const narrowRange = symmetric && (dtype === 'int8' || dtype === 'int16');
      expect(codeRange({ dtype, narrowRange })).toEqual({ qmin, qmax });
    }
  });

  it.each(SCHEMES.map((scheme) => [label(scheme), scheme] as const))(
    'represents zero exactly and every value of the range within half a step: %s',
    (_, scheme) => {
      const random = new Random(5);
      for (let round = 0; round < 50; round++) {
        const width = 10 ** (random.uniform() * 12 - 6);
        const low = (random.uniform() - 0.7) * width;
        const high = low + random.uniform() * width;
        const params = paramsFromRange([low], [high], scheme, PER_TENSOR, 'observer');
        const scale = params.scale[0]!;
        const x = Float32Array.of(low, high, low + (high - low) * random.uniform(), 0);
        const y = fakeQuantize(x, [4], params);
        expect(y[3]).toBe(0);
        // A symmetric range on an even number of codes loses half a step at the upper end. Float32 rounding comes on top.
        const halves = scheme.symmetric && (params.qmin + params.qmax) % 2 !== 0 ? 2 : 1;
        const slack = (params.qmax - params.qmin) * 2 ** -21;
        for (let i = 0; i < 3; i++) {
          expect(Math.abs(x[i]! - y[i]!) / scale).toBeLessThanOrEqual(0.5 * halves + slack);
        }
      }
    },
  );

  it('widens a range to contain zero and ignores the difference between float64 bounds and their float32', () => {
    const scheme: AffineScheme = { dtype: 'uint8', symmetric: false, narrowRange: false };
    const params = paramsFromRange([2], [5.1], scheme, PER_TENSOR, 'observer');
    expect(params).toEqual(paramsFromRange([0], [Math.fround(5.1)], scheme, PER_TENSOR, 'observer'));
    expect(params.zeroPoint[0]).toBe(0);
  });

  it('gives scale 1 to a range without a normal float32 scale, so that all of it becomes zero', () => {
    for (const scheme of SCHEMES) {
      const params = paramsFromRange([-1e-42], [1e-40], scheme, PER_TENSOR, 'observer');
      expect([params.scale[0], params.zeroPoint[0]]).toEqual([1, 0]);
      expect(Array.from(fakeQuantize(Float32Array.of(-1e-42, 1e-40), [2], params))).toEqual([0, 0]);
    }
  });

  it.each([
    [NaN, 1],
    [-1, NaN],
    [-Infinity, 1],
    [0, Infinity],
    [0, 1e39],
    [2, 1],
  ])('refuses the range [%d, %d]', (low, high) => {
    const scheme: AffineScheme = { dtype: 'int8', symmetric: false, narrowRange: false };
    expect(() => paramsFromRange([low], [high], scheme, PER_TENSOR, 'observer')).toThrow(RangeError);
    expect(() =>
      paramsFromRange([0, low], [1, high], scheme, { kind: 'per-axis', axis: 0 }, 'observer'),
    ).toThrow(`range of index 1 is [${low}, ${high}]`);
  });

  it('refuses numbers of bounds that do not fit the granularity', () => {
    const scheme: AffineScheme = { dtype: 'int8', symmetric: false, narrowRange: false };
    expect(() => paramsFromRange([0, 0], [1, 1], scheme, PER_TENSOR, 'observer')).toThrow(RangeError);
    expect(() => paramsFromRange([0], [1, 1], scheme, { kind: 'per-axis', axis: 0 }, 'observer')).toThrow(
      '1 lower and 2 upper bounds',
    );
  });
});

describe('fakeQuantize and quantize', () => {
  it.each(
    ort.kernels.map((test) => [`${test.dtype} [${test.dims.join(', ')}] axis ${test.axis}`, test] as const),
  )(
    "equal ONNX Runtime's QuantizeLinear and DequantizeLinear bit by bit (ties, extremes, denormals, infinities, NaN): %s",
    (_, test) => {
      const params = kernelParams(test);
      const x = floats(test.x);
      expect(bitsOfFloats(fakeQuantize(x, test.dims, params))).toEqual(test.y);
      const codes = quantize(x, test.dims, params);
      expect(bitsOfFloats(dequantize(codes, test.dims, params))).toEqual(test.y);
    },
  );

  it.each(ort.biases.map((test) => [test.scale.length, test] as const))(
    "equal ONNX Runtime's bias quantizer with %d scales",
    (channels, test) => {
      const params: QuantParams = {
        dtype: 'int32',
        qmin: QRANGE.int32[0],
        qmax: QRANGE.int32[1],
        granularity: channels === 1 ? PER_TENSOR : { kind: 'per-axis', axis: 0 },
        scale: floats(test.scale),
        zeroPoint: new Int32Array(channels),
        source: 'derived',
      };
      const bias = floats(test.bias);
      expect(Array.from(quantize(bias, [bias.length], params))).toEqual(test.codes);
      expect(bitsOfFloats(fakeQuantize(bias, [bias.length], params))).toEqual(test.y);
    },
  );

  const dims = [3, 4, 5];
  const granularities: readonly Granularity[] = [
    PER_TENSOR,
    ...dims.map((_, axis) => ({ kind: 'per-axis', axis }) as const),
  ];
  const combinations = SCHEMES.flatMap((scheme) =>
    granularities.map((granularity) => {
      const name = granularity.kind === 'per-axis' ? `per-axis ${granularity.axis}` : granularity.kind;
      return [`${label(scheme)} ${name}`, scheme, granularity] as const;
    }),
  );
  it.each(combinations)(
    'follow the text of the specification value by value: %s',
    (_, scheme, granularity) => {
      const random = new Random(17);
      const channels = granularity.kind === 'per-axis' ? dims[granularity.axis]! : 1;
      for (let round = 0; round < 6; round++) {
        const bound = (): number => 10 ** (random.uniform() * 6 - 3);
        const rmin = Float32Array.from({ length: channels }, () => -bound());
        const rmax = Float32Array.from({ length: channels }, bound);
        const params = paramsFromRange(rmin, rmax, scheme, granularity, 'observer');
        const channelOf = (i: number): number =>
          granularity.kind === 'per-axis' ? slowIndex(i, dims, granularity.axis) : 0;
        const x = Float32Array.from({ length: 60 }, (_, i) => {
          const scale = params.scale[channelOf(i)]!;
          const step = random.integer(params.qmin - 3, params.qmax + 3) - params.zeroPoint[channelOf(i)]!;
          return (step + (random.uniform() < 0.5 ? 0.5 : random.uniform())) * scale; // half of them ties
        });
        const codes = Array.from(x, (value, i) => {
          const c = channelOf(i);
          return slowCode(value, params.scale[c]!, params.zeroPoint[c]!, params);
        });
        const values = codes.map((code, i) => {
          const c = channelOf(i);
          return Math.fround(Math.fround(code - params.zeroPoint[c]!) * params.scale[c]!);
        });
        expect(Array.from(quantize(x, dims, params))).toEqual(codes);
        expect(Array.from(fakeQuantize(x, dims, params))).toEqual(values);
        expect(Math.min(...codes)).toBeGreaterThanOrEqual(params.qmin);
        expect(Math.max(...codes)).toBeLessThanOrEqual(params.qmax);
      }
    },
  );

  it('are idempotent: quantized values pass unchanged', () => {
    const random = new Random(3);
    for (const scheme of SCHEMES.filter(({ dtype }) => dtype !== 'int32')) {
      const params = paramsFromRange([-random.uniform()], [random.uniform()], scheme, PER_TENSOR, 'observer');
      const x = Float32Array.from({ length: 500 }, () => random.bell());
      const once = fakeQuantize(x, [500], params);
      expect(fakeQuantize(once, [500], params)).toEqual(once);
    }
  });

  it('destroy the small values of the worked example while the pooled SQNR stays at 45.9 dB', () => {
    const x = Float32Array.of(-51.35, 165.52, 0.4, -0.4, 0.5, 1.2);
    const scheme: AffineScheme = { dtype: 'uint8', symmetric: false, narrowRange: false };
    const params = paramsFromRange([-51.35], [165.52], scheme, PER_TENSOR, 'observer');
    expect(Array.from(quantize(x, [6], params))).toEqual([0, 255, 60, 60, 61, 61]);
    const y = fakeQuantize(x, [6], params);
    expect(Array.from(y, (value) => Number(value.toFixed(2)))).toEqual([-51.03, 165.84, 0, 0, 0.85, 0.85]);
    expect(sqnrDb(x, y)).toBeCloseTo(45.9, 1);
  });

  it('turn NaN into the lowest code and infinities into the limits, never into -0', () => {
    const params = paramsFromRange([-1], [1], SCHEMES[0]!, PER_TENSOR, 'observer');
    const codes = quantize(Float32Array.of(NaN, -Infinity, Infinity, -0), [4], params);
    expect(Array.from(codes)).toEqual([params.qmin, params.qmin, params.qmax, params.zeroPoint[0]]);
    expect(Object.is(fakeQuantize(Float32Array.of(-0), [1], params)[0], 0)).toBe(true);
  });

  it('write into the given array, which may be the input, and leave the input alone otherwise', () => {
    const params = paramsFromRange([-1], [1], SCHEMES[0]!, PER_TENSOR, 'observer');
    const x = Float32Array.of(0.3, -0.7);
    const fresh = fakeQuantize(x, [2], params);
    expect(Array.from(x)).toEqual([Math.fround(0.3), Math.fround(-0.7)]);
    expect(fakeQuantize(x, [2], params, x)).toBe(x);
    expect(x).toEqual(fresh);
  });

  it('take tensors without elements', () => {
    const params = paramsFromRange([0, 0], [1, 1], SCHEMES[0]!, { kind: 'per-axis', axis: 1 }, 'observer');
    expect(fakeQuantize(new Float32Array(0), [0, 2], params)).toHaveLength(0);
  });

  it('refuse shapes, axes and parameters that do not fit', () => {
    const x = new Float32Array(6);
    const perTensor = paramsFromRange([0], [1], SCHEMES[0]!, PER_TENSOR, 'observer');
    const perAxis = paramsFromRange([0, 0], [1, 1], SCHEMES[0]!, { kind: 'per-axis', axis: 1 }, 'observer');
    expect(() => fakeQuantize(x, [7], perTensor)).toThrow('shape [7] has 7 elements, the data 6');
    expect(() => fakeQuantize(x, [2, 3], perAxis)).toThrow('have 2 scales and 2 zero points, want 3');
    expect(() => quantize(x, [6], perAxis)).toThrow('axis 1 is not in shape [6]');
    expect(() => fakeQuantize(x, [6], perTensor, new Float32Array(5))).toThrow(RangeError);
  });
});

describe('axisLayout', () => {
  it('parts the extents around the axis', () => {
    expect(axisLayout(120, [2, 3, 4, 5], 1)).toEqual({ outer: 2, channels: 3, inner: 20 });
    expect(axisLayout(120, [2, 3, 4, 5])).toEqual({ outer: 1, channels: 1, inner: 120 });
  });
});

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [2 ** 51 - 0.5, 2 ** 51],
  ])('rounds %d to %d', (x, rounded) => {
    expect(roundHalfEven(x)).toBe(rounded);
  });
});

describe('bitsOf', () => {
  it('is the size of one code', () => {
    expect(ALL.map(bitsOf)).toEqual(ALL.map((dtype) => Number(/\d+/.exec(dtype)?.[0])));
  });
});
