/** When an output no longer says anything about the input. */

/** What of an output over several samples says so. */
export interface OutputMovement {
  readonly samples: number;
  /** Elements that clearly differ between samples in float. */
  readonly moving: number;
  /** Of those, the ones that do not as integers. */
  readonly stuck: number;
  /** Of the class with the largest score, bits, over all rows that choose. */
  readonly answers?: {
    readonly count: number;
    readonly entropy: { readonly float: number; readonly quantized: number };
  };
}

/** Share of the moving elements. */
export const STUCK_SHARE = 0.95;
/** Of the entropy of the float network's answers. */
export const ENTROPY_SHARE = 0.2;
/** Bits: below, the float network itself gives nearly always the same answer. */
const LEAST_ENTROPY = 0.5;
/** Fewer answers may all be the same by accident. */
const FEWEST_ANSWERS = 8;

/** 'values': the elements stand still. 'answers': they move, but not enough to change the class with the largest score. */
export type Collapse = 'values' | 'answers';

/** Undefined where the output follows the input, and where too little was seen to say. */
export function collapseOf({ samples, moving, stuck, answers }: OutputMovement): Collapse | undefined {
  if (samples < 2) return undefined;
  if (moving > 0 && stuck >= STUCK_SHARE * moving) return 'values';
  if (answers === undefined || answers.count < FEWEST_ANSWERS) return undefined;
  const { float, quantized } = answers.entropy;
  return float >= LEAST_ENTROPY && quantized < ENTROPY_SHARE * float ? 'answers' : undefined;
}
