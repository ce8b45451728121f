import { departs } from '../../../diff/other-departure.js';
import { tensorOf, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { realRange } from '../../../quant/input-fingerprint.js';
import { quantizeLine, inputPort, isUsable } from '../../../quant/ports.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { inputSubject, studiedInput } from '../../seen-input.js';
import { short } from '../../wording.js';

export const intInput = rule({
  id: 'io.int-input',
  title: 'An integer input is fed with something else than its codes',
  severity: 'error',
  needs: ['lane'],
  oneOf: ['calib', 'data', 'actual'],
  text: {
    what: 'Of inputs that take integers: data that have two or three different codes (values that were cast, not quantized), whole numbers beyond the range of the values (codes or pixels that were taken for values), and codes that a device reads half the range too high or low.',
    why: 'astype(uint8) of a picture of 0 to 1 leaves black, and a signed model that gets unsigned codes is off by 128. What comes out looks like a network that quantization has destroyed.',
    instead:
      'Quantize with the scale and zero point of this very input, which are in the finding and in `qdbg inspect`; or export the network with float inputs.',
    see: ['https://github.com/tensorflow/tensorflow/issues/53278', 'io.preproc', 'io.raw-output'],
  },
  limits: [
    { quantity: 'different codes of an integer input', unit: 'codes', error: 3, worse: 'lower' },
    {
      quantity: 'largest whole number fed, in ranges of the input',
      unit: 'times',
      error: 2,
      worse: 'higher',
    },
  ],
  check,
});

/** Codes that are left of a picture that was cast, and how far they are apart. */
const FEW_CODES = 3;
const NEAR_CODES = 2;
/** As many times beyond the range of the values, whole numbers are no values. */
const BEYOND = 2;

type Found = Pick<Finding, 'message' | 'args'>;

function check(evidence: With<'lane'>): Finding[] {
  const { graph, lane, scheme } = evidence;
  // A simulation takes floats, whatever its integers would be.
  if (scheme !== undefined) return [];
  return graph.inputs.flatMap((input): Finding[] => {
    const port = inputPort(graph, lane, input);
    if (port?.form !== 'codes' || !isUsable(port.params)) return [];
    const found =
      cast(evidence, input, port.params) ??
      codesAsValues(evidence, input, port.params) ??
      otherSign(evidence, input, port.params);
    if (found === undefined) return [];
    return [
      {
        rule: 'io.int-input',
        severity: 'error',
        subject: inputSubject(graph, input),
        ...found,
        fix: { title: 'quantize with the parameters of this input', edit: quantizeLine(port.params) },
      },
    ];
  });
}

/** Next to nothing is left of values of 0 to 1 or of -1 to 1 when they become integers without being divided by the scale. */
function cast(evidence: With<'lane'>, input: TensorId, params: QuantParams): Found | undefined {
  const seen = studiedInput(evidence, input);
  if (seen === undefined || seen.distinct < 2 || seen.distinct > FEW_CODES) return undefined;
  const [scale = 1] = params.scale;
  const [point = 0] = params.zeroPoint;
  const [low, high] = [seen.min, seen.max].map((value) => Math.round(value / scale) + point) as [
    number,
    number,
  ];
  const isIdentity = scale === 1 && point === 0;
  if (isIdentity || high - low > NEAR_CODES) return undefined;
  return {
    message:
      `the data have ${seen.distinct} different codes, ${low} to ${high}, of ${params.dtype} codes from ` +
      `${params.qmin} to ${params.qmax}: values were cast to integers, not quantized`,
    args: { distinct: seen.distinct, low, high },
  };
}

/** Pixels or codes in an array of floats. */
function codesAsValues(evidence: With<'lane'>, input: TensorId, params: QuantParams): Found | undefined {
  const seen = studiedInput(evidence, input);
  if (seen?.isWhole !== true || seen.distinct <= FEW_CODES) return undefined;
  const made = realRange(params);
  const reach = Math.max(Math.abs(made.min), Math.abs(made.max));
  const isByte = seen.min >= -128 && seen.max <= 255;
  if (!isByte || Math.max(-seen.min, seen.max) <= BEYOND * reach) return undefined;
  const what = seen.min >= params.qmin && seen.max <= params.qmax ? 'codes' : 'pixels';
  return {
    message:
      `the data are whole numbers, ${short(seen.min)} to ${short(seen.max)}; as values this input takes ` +
      `${short(made.min)} to ${short(made.max)} (scale ${short(params.scale[0] ?? 1)}, zero point ${params.zeroPoint[0] ?? 0}): ` +
      `${what === 'codes' ? `${params.dtype} codes` : 'pixels'} were taken for values`,
    args: { min: seen.min, max: seen.max, lowest: made.min, highest: made.max },
  };
}

/** A dump of the input in codes of the other sign, and a network that goes wrong behind it. */
function otherSign({ graph, actual }: With<'lane'>, input: TensorId, params: QuantParams): Found | undefined {
  const { name } = tensorOf(graph, input);
  const dumped = actual?.tensors.find(({ tensor }) => tensor === name);
  const read = dumped?.read ?? '';
  const isOff = read.includes('half the range too') || read.includes('read with the other sign');
  if (!isOff || actual?.tensors.some((other) => other !== dumped && departs(other)) !== true)
    return undefined;
  return {
    message: `the codes that the device has at this input are ${read}; ${params.dtype} codes from ${params.qmin} to ${params.qmax} are wanted, and what is computed from them differs`,
    args: { read },
  };
}
