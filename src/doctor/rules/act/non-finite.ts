import { nodeLabel, nodeOf, tensorOf, type TensorId } from '../../../ir/graph.js';
import { normalizationsOf } from '../../../ir/normalizations.js';
import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { joinedMeasurement } from '../../joined.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

/** Local SQNR, dB, below which a division by 0 is seen in what comes out. */
const BROKEN_DB = 20;

/** Which input of an operator must not be 0. */
const NEVER_ZERO: ReadonlyMap<string, number> = new Map([
  ['Div', 1],
  ['Reciprocal', 0],
  ['Log', 0],
]);

export const nonFinite = rule({
  id: 'act.non-finite',
  title: 'The network computes NaN or infinite values',
  severity: 'error',
  needs: ['edges'],
  text: {
    what: 'NaN and infinities on the samples measured: in the float network, or only in the candidate; and divisors that are never 0 in float but become code 0, which the quantizer of the quotient hides.',
    why: 'A range cannot be made of them, and one of them spoils every sum that it enters.',
    instead:
      'Look at the named operator: a division by zero, a logarithm of what is not positive, weights that are NaN; or at the sample.',
    see: ['q.degenerate', 'act.norm-decomposed'],
  },
  limits: [
    {
      quantity: 'local SQNR of a quotient whose divisor becomes 0',
      unit: 'dB',
      error: BROKEN_DB,
      worse: 'lower',
    },
  ],
  check,
});

type Measured = With<'edges'>;

function check(evidence: Measured): Finding[] {
  const found = evidence.reference === undefined ? inFloat(evidence) : asIntegers(evidence);
  return found.length > 0 ? found : byRounding(evidence);
}

/** The float network itself computes NaN or infinite values: only the first edge is named, the rest follows from it. */
function inFloat({ graph, edges }: Measured): Finding[] {
  const first = edges.find((edge) => edge.nonFinite > 0);
  if (first === undefined) return [];
  const { edge } = first;
  const node = edge.producer === undefined ? undefined : nodeLabel(nodeOf(graph, edge.producer));
  return [
    {
      rule: 'act.non-finite',
      severity: 'error',
      subject: { ...(node === undefined ? {} : { node }), tensor: tensorOf(graph, edge.tensor).name },
      message: `the float network computes ${first.nonFinite} NaN or infinite values here, first for ${first.nonFiniteIn ?? 'a sample'}`,
      args: { nonFinite: first.nonFinite, sample: first.nonFiniteIn ?? '' },
    },
  ];
}

/** The candidate computes NaN or infinite values where the reference has numbers: named is the first operator that does so by itself. */
function asIntegers({ graph, edges }: Measured): Finding[] {
  const made = (
    { nonFinite: own, errors }: Measured['edges'][number],
    kind: 'local' | 'cumulative',
  ): number => (errors.get(kind)?.nonFinite ?? 0) - own;
  const first =
    edges.find((edge) => made(edge, 'local') > 0) ?? edges.find((edge) => made(edge, 'cumulative') > 0);
  if (first === undefined) return [];
  const count = Math.max(made(first, 'local'), made(first, 'cumulative'));
  return [
    {
      rule: 'act.non-finite',
      severity: 'error',
      subject: subjectOf(graph, first.edge.tensor),
      message: `the candidate computes ${count} NaN or infinite values here, where the reference has numbers`,
      args: { nonFinite: count },
    },
  ];
}

/**
 * Values that are never 0 in float, but less than half a step from it: as integers they are 0. What comes of dividing by them is NaN or
 * infinite only until the next quantizer, which makes a code of it; what is measured there is what that costs.
 */
function byRounding({ graph, edges }: Measured): Finding[] {
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  // Of a variance, another rule says more.
  const told = new Set(normalizationsOf(graph).flatMap(({ internals, output }) => [...internals, output]));
  return graph.nodes.flatMap(({ op, domain, inputs, outputs }): Finding[] => {
    const at = domain === '' ? NEVER_ZERO.get(op) : undefined;
    const divisor = at === undefined ? undefined : byTensorOf(byTensor, inputs[at]);
    const result = joinedMeasurement(graph, byTensor, outputs[0]);
    const local = result?.errors.get('local');
    if (divisor === undefined || result === undefined || local === undefined || local.exact === true)
      return [];
    const step = stepAcrossZero(divisor);
    if (step === undefined || (local.sqnrDb ?? -Infinity) >= BROKEN_DB || told.has(result.edge.tensor))
      return [];
    const { min, max } = divisor.range;
    return [
      {
        rule: 'act.non-finite',
        severity: 'error',
        subject: subjectOf(graph, result.edge.tensor),
        message:
          `${op === 'Log' ? 'the logarithm is taken of' : 'it divides by'} ${tensorOf(graph, divisor.edge.tensor).name}, which in float is ` +
          `${short(min)} to ${short(max)} and never 0: in steps of ${short(step)} the values nearest to 0 become 0`,
        args: { step, nearest: Math.min(Math.abs(min), Math.abs(max)) },
      },
    ];
  });
}

function byTensorOf(
  byTensor: ReadonlyMap<TensorId, EdgeMeasurement>,
  tensor: TensorId | null | undefined,
): EdgeMeasurement | undefined {
  return tensor === null || tensor === undefined ? undefined : byTensor.get(tensor);
}

/** The step of a quantizer that makes 0 of values which are all on one side of it. */
function stepAcrossZero({ quant, range: { min, max } }: EdgeMeasurement): number | undefined {
  const [step] = quant?.granularity.kind === 'per-tensor' ? quant.scale : [];
  const nearest = min > 0 ? min : max < 0 ? -max : 0;
  return step !== undefined && nearest > 0 && nearest < step / 2 ? step : undefined;
}
