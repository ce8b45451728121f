/** Elements of the constants of a graph, read when a rule asks for them. */
import { QdbgError } from '../../errors.js';
import { elementCount, toFloat64, toInts } from '../elements.js';
import type { ConstantData } from '../graph.js';
import { isFloat } from '../graph.js';
import { MAX_ELEMENTS } from './elements.js';
import type { Element, Value } from './rule.js';
import { MAX_RANK } from './rule.js';

/**
 * Elements of a small constant. Undefined when it is large, is not numeric, or cannot be read: inference then knows
 * less, and whoever needs the constant itself reports what is wrong with it.
 */
export function readElements(data: ConstantData): readonly Element[] | undefined {
  try {
    if (elementCount(data.dims) > MAX_ELEMENTS) return undefined;
    return isFloat(data.dtype) ? Array.from(toFloat64(data)) : toInts(data);
  } catch (error) {
    if (error instanceof QdbgError) return undefined;
    throw error;
  }
}

/** A constant as rules see it. Its bytes, which may lie in another file, are touched only when a rule looks at them. */
export function constantValue(data: ConstantData): Value {
  let elements: readonly Element[] | undefined;
  let read = false;
  return {
    dtype: data.dtype,
    shape: data.dims.length <= MAX_RANK ? data.dims : undefined,
    get elements() {
      if (!read) elements = readElements(data);
      read = true;
      return elements;
    },
  };
}
