/** All operators that are lowered, by name. */
import { ACTIVATION_RULES } from './activation.js';
import { COMPARE_RULES } from './compare.js';
import { CONV_RULES } from './conv.js';
import { CUSTOM_RULES } from './custom.js';
import { DETECTION_RULES } from './detection.js';
import { ELEMENTWISE_RULES } from './elementwise.js';
import { GATHER_RULES } from './gather.js';
import { MATMUL_RULES } from './matmul.js';
import { PAD_RULES } from './pad.js';
import { POOL_RULES } from './pool.js';
import { QUANTIZE_RULES } from './quantize.js';
import { REDUCE_RULES } from './reduce.js';
import { RESIZE_RULES } from './resize.js';
import { SHAPE_RULES } from './shape.js';
import { SLICE_RULES } from './slice.js';
import { SPACE_RULES } from './space.js';
import type { TfliteOperator } from '../model.js';
import type { Rule } from './lowering.js';

const BUILTIN: ReadonlyMap<string, Rule> = new Map(
  [
    CONV_RULES,
    POOL_RULES,
    MATMUL_RULES,
    RESIZE_RULES,
    SPACE_RULES,
    ELEMENTWISE_RULES,
    ACTIVATION_RULES,
    REDUCE_RULES,
    COMPARE_RULES,
    QUANTIZE_RULES,
    SHAPE_RULES,
    SLICE_RULES,
    PAD_RULES,
    GATHER_RULES,
    DETECTION_RULES,
  ].flatMap((rules) => Object.entries(rules)),
);

const CUSTOM: ReadonlyMap<string, Rule> = new Map(Object.entries(CUSTOM_RULES));

/** Undefined for what has no counterpart in ONNX, or is not ours to know. */
export function ruleOf({ op, custom }: TfliteOperator): Rule | undefined {
  return (custom ? CUSTOM : BUILTIN).get(op);
}
