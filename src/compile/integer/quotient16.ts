/**
 * DIV of 16-bit codes: what depends on one operand only comes from tables, in float32, which holds words of 17 significant bits and
 * halves of words; the rest is arithmetic on whole tensors, as `quotientOf` of arithmetic.ts does it on numbers.
 */
import type { Value } from '../model-writer.js';
import type { Affine, Operand } from './affine.js';
import { numeratorWord, quotientScale, reciprocalWord, type PairSpec } from './arithmetic.js';
import { Doubles, scalar } from './doubles.js';
import { highProduct, power2, toCodes } from './fixed-point-values.js';
import type { OperatorCall } from './kernel.js';
import { lookUp, type Formula } from './tables.js';

type Part = 'word' | 'shift';

const numeratorOf: Formula<{ zeroPoint: number; sign: 1 | -1; part: Part }> =
  ({ zeroPoint, sign, part }) =>
  (x) =>
    numeratorWord(sign * (x - zeroPoint))[part];

const reciprocalOf: Formula<{ zeroPoint: number; part: 'high' | 'low' | 'shift' }> =
  ({ zeroPoint, part }) =>
  (y) => {
    const { word, shift } = reciprocalWord(Math.abs(y - zeroPoint));
    if (part === 'shift') return shift;
    const high = Math.floor(word / 65536);
    return part === 'high' ? high : word - high * 65536;
  };

export function quotient16(
  call: OperatorCall,
  a: Operand,
  b: Operand,
  output: Affine,
  spec: PairSpec,
): Value | undefined {
  const { writer } = call;
  const doubles = new Doubles(writer);
  const zero = writer.literal('float64', [0], []);
  const isNegative = writer.op('Less', [doubles.of(call.centered(b.tensor)), zero]);
  const numerator = (part: Part): Value | undefined => {
    const [same, opposite] = ([1, -1] as const).map((sign) =>
      lookUp(call, a, numeratorOf, { zeroPoint: a.zeroPoint, sign, part }),
    );
    const isKnown = same !== undefined && opposite !== undefined;
    return isKnown ? doubles.of(writer.op('Where', [isNegative, opposite, same])) : undefined;
  };
  const reciprocal = (part: 'high' | 'low' | 'shift'): Value | undefined => {
    const found = lookUp(call, b, reciprocalOf, { zeroPoint: b.zeroPoint, part });
    return found === undefined ? undefined : doubles.of(found);
  };
  const [word, headroom] = [numerator('word'), numerator('shift')];
  const [high, low, digits] = [reciprocal('high'), reciprocal('low'), reciprocal('shift')];
  if (word === undefined || headroom === undefined) return undefined;
  if (high === undefined || low === undefined || digits === undefined) return undefined;

  // The product of two words at bit 31, rounded, in two halves.
  const lower = doubles.plus(doubles.times(writer.op('Mul', [word, low]), scalar(2 ** -16)), scalar(2 ** 14));
  const sum = doubles.sum(writer.op('Mul', [word, high]), doubles.floor(lower));
  const quotient = doubles.floor(doubles.times(sum, scalar(2 ** -15)));

  const factor = quotientScale(spec);
  const scaled = highProduct(doubles, quotient, factor.multiplier);
  const shift = doubles.plus(doubles.sum(headroom, digits), scalar(-factor.shift));
  const [lowest, highest] = spec.range;
  return toCodes(writer, dividedByPot(call, scaled, shift), { ...output, lowest, highest });
}

/** `roundingDivideByAnyPot` of fixed-point.ts. */
function dividedByPot({ writer }: OperatorCall, x: Value, exponent: Value): Value {
  const doubles = new Doubles(writer);
  const literal = (value: number): Value => writer.literal('float64', [value], []);
  const turns = doubles.floor(doubles.times(exponent, scalar(2 ** -5)));
  const lowerBits = doubles.sum(exponent, doubles.times(turns, scalar(-32)));
  const shifted = writer.op('Div', [x, power2(writer, lowerBits)]);
  const isDefined = writer.op('Equal', [turns, literal(0)]);
  // The kernel takes what is left for more than half of it, but of negative numbers.
  const isNegative = writer.op('Less', [x, literal(0)]);
  const beyond = doubles.sum(
    doubles.floor(shifted),
    writer.op('Where', [isNegative, literal(0), literal(1)]),
  );
  return writer.op('Where', [isDefined, doubles.round(shifted), beyond]);
}
