import { toFloat64 } from '../../../ir/elements.js';
import {
  nodeLabel,
  nodeOf,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { realRange } from '../../../quant/input-fingerprint.js';
import { dequantizeLine, isUsable, outputPort, type Port } from '../../../quant/ports.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

export const rawOutput = rule({
  id: 'io.raw-output',
  title: 'Outputs are read as codes, or with the numbers of another output',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Outputs that are integers, each with a scale and zero point of its own; outputs that are codes made into floats without them, in the file, in the reference or in what a device dumped; and codes of one output that are read with the numbers of another.',
    why: 'A score of 0.9 is code 230 or 102. Boxes come out of the picture and every score is beyond its threshold: that looks like a network that quantization has destroyed.',
    instead:
      'Turn the codes of each output into values with its own scale and zero point, which are in the finding and in `qdbg inspect`; or export the network with float outputs.',
    see: ['https://github.com/google-ai-edge/mediapipe/issues/4027', 'io.int-input', 'io.output-order'],
  },
  limits: [
    {
      quantity: "largest value of the reference's output, in ranges of the candidate's",
      unit: 'times',
      error: 4,
      worse: 'higher',
    },
  ],
  check,
});

/** As many times beyond the range of the output's quantizer, whole numbers are no values. */
const BEYOND = 4;
/** Lowest SQNR of an output, dB, below which what is odd about one is what broke it. */
const LOST_DB = 20;

interface Output extends Port {
  readonly tensor: TensorId;
  readonly name: string;
}

function check(evidence: With<'lane'>): Diagnosed[] {
  const { graph, lane } = evidence;
  const outputs = graph.outputs.flatMap((tensor): Output[] => {
    const port = outputPort(graph, lane, tensor);
    return port === undefined || !isUsable(port.params)
      ? []
      : [{ ...port, tensor, name: tensorOf(graph, tensor).name }];
  });
  const found = [
    ...graph.outputs.flatMap((tensor) => castCodes(evidence, tensor)),
    ...outputs.flatMap((output) => [
      ...readWithOther(graph, output, outputs),
      ...codesInReference(evidence, output),
      ...codesInDump(evidence, output),
    ]),
  ];
  return found.length > 0 || evidence.scheme !== undefined ? found : formulasOf(graph, outputs);
}

/** A file that makes its codes floats and leaves out scale and zero point. */
function castCodes({ graph, outputDb = Infinity }: With<'lane'>, tensor: TensorId): Diagnosed[] {
  const quantizer = quantizerOf(graph, tensor);
  if (quantizer === undefined) return [];
  const [scale, point = 0] = [1, 2].map((slot) => numberOf(graph, quantizer.inputs[slot]));
  return [
    {
      rule: 'io.raw-output',
      severity: outputDb < LOST_DB ? 'error' : 'warning',
      subject: subjectOf(graph, tensor),
      message: `output ${tensorOf(graph, tensor).name} is the codes of ${nodeLabel(quantizer)} made into floats, without its scale and zero point`,
      args: { quantizer: nodeLabel(quantizer) },
      fix: {
        title: 'a DequantizeLinear instead of the Cast, or the formula in the application',
        edit: scale === undefined ? 'x = (q - zero_point) * scale' : dequantize(scale, point),
      },
    },
  ];
}

const MOVING: ReadonlySet<string> = new Set([
  ...['Identity', 'Cast', 'Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'],
]);
const DEEPEST = 8;

/** The QuantizeLinear whose codes an output is after a Cast; nodes in between move elements only. */
function quantizerOf(graph: Graph, output: TensorId): Node | undefined {
  const { producer } = topologyOf(graph);
  let tensor = output;
  let isCast = false;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const writer = producer[tensor];
    const node = writer === undefined ? undefined : nodeOf(graph, writer);
    if (node?.op === 'QuantizeLinear') return isCast ? node : undefined;
    const [input] = node?.inputs ?? [];
    if (node === undefined || !MOVING.has(node.op) || input === null || input === undefined) return undefined;
    isCast ||= node.op === 'Cast';
    tensor = input;
  }
  return undefined;
}

/** The only element of a constant. */
function numberOf(graph: Graph, id: TensorId | null | undefined): number | undefined {
  const data = id === null || id === undefined ? undefined : tensorOf(graph, id).data;
  if (data === undefined || data.dims.some((dim) => dim !== 1)) return undefined;
  return toFloat64(data)[0];
}

function dequantize(scale: number, point: number): string {
  return dequantizeLine({ scale: Float32Array.of(scale), zeroPoint: Int32Array.of(point) });
}

/** A file that reads the codes of one output with the scale and zero point of another. */
function readWithOther(
  graph: Graph,
  { params, name, tensor }: Output,
  outputs: readonly Output[],
): Diagnosed[] {
  const { read } = params;
  if (read === undefined) return [];
  const other = outputs.find((each) => each.tensor !== tensor && hasSame(each.params, read));
  if (other === undefined || hasSame(params, read)) return [];
  return [
    {
      rule: 'io.raw-output',
      severity: 'error',
      subject: subjectOf(graph, tensor),
      message: `output ${name} is read back with the scale and zero point of output ${other.name} (${short(read.scale[0] ?? 1)}, ${read.zeroPoint[0] ?? 0}); its own are ${short(params.scale[0] ?? 1)}, ${params.zeroPoint[0] ?? 0}`,
      args: { other: other.name, readScale: read.scale[0] ?? 1, readZeroPoint: read.zeroPoint[0] ?? 0 },
      fix: { title: 'read it with its own', edit: dequantizeLine(params) },
      explains: [name],
    },
  ];
}

function hasSame(a: Parameters, b: Parameters): boolean {
  return a.scale[0] === b.scale[0] && a.zeroPoint[0] === b.zeroPoint[0];
}

type Parameters = Pick<QuantParams, 'scale' | 'zeroPoint'>;

/** A reference that gives codes where the candidate gives values. */
function codesInReference(
  { graph, edges = [], reference }: With<'lane'>,
  { params, name, tensor }: Output,
): Diagnosed[] {
  const range = edges.find(({ edge }) => edge.tensor === tensor)?.range;
  if (reference === undefined || range === undefined || range.min === range.max) return [];
  const { min, max } = realRange(params);
  const isWhole = Number.isInteger(range.min) && Number.isInteger(range.max);
  const isCode = range.min >= params.qmin && range.max <= params.qmax;
  const reach = Math.max(Math.abs(min), Math.abs(max));
  if (!isWhole || !isCode || Math.max(-range.min, range.max) < BEYOND * reach) return [];
  return [
    {
      rule: 'io.raw-output',
      severity: 'error',
      subject: subjectOf(graph, tensor),
      message:
        `the reference gives ${short(range.min)} to ${short(range.max)} at output ${name}, whole numbers as ${params.dtype} codes are; ` +
        `the candidate's values are ${short(min)} to ${short(max)}`,
      args: { min: range.min, max: range.max, lowest: min, highest: max },
      fix: { title: "turn the reference's codes into values", edit: dequantizeLine(params) },
    },
  ];
}

/** What a device gave is codes in an array of floats. */
function codesInDump({ graph, actual }: With<'lane'>, { params, name, tensor }: Output): Diagnosed[] {
  const read = actual?.tensors.find((dumped) => dumped.tensor === name)?.read ?? '';
  if (!/codes \(float/.test(read)) return [];
  return [
    {
      rule: 'io.raw-output',
      severity: 'warning',
      subject: subjectOf(graph, tensor),
      message: `what the device gave at output ${name} are ${read}: codes in floats, not the values they stand for`,
      args: { read },
      fix: { title: 'turn them into values before they are used', edit: dequantizeLine(params) },
    },
  ];
}

/** Where several outputs are integers and not alike, what each is to be read with. */
function formulasOf(graph: Graph, outputs: readonly Output[]): Diagnosed[] {
  const codes = outputs.filter(({ form }) => form === 'codes');
  const [first] = codes;
  if (first === undefined || codes.every(({ params }) => hasSame(params, first.params))) return [];
  const formulas = codes.map(({ name, params }) => `${name}: ${dequantizeLine(params)}`);
  return [
    {
      rule: 'io.raw-output',
      severity: 'note',
      subject: subjectOf(graph, first.tensor),
      message: `${codes.length} outputs are codes, each with a scale and zero point of its own: ${formulas.join('; ')}`,
      args: { outputs: codes.length },
    },
  ];
}
