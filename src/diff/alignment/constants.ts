/** Weights and biases of units that belong together. */
import { tensorOf, type Graph, type TensorId } from '../../ir/graph.js';
import type { AlignedConstant } from './alignment.js';
import { viewBetween } from './axes.js';
import { correlationOf, kernelCorrelation, type FeatureOrder } from './correlation.js';
import { floatsOf } from './elementwise.js';
import type { Kernel } from './kernel.js';
import type { Skeleton, Unit } from './units.js';

const RECURRENT: ReadonlySet<string> = new Set(['GRU', 'LSTM', 'RNN']);

export function alignedConstants(
  reference: Skeleton,
  a: Unit,
  candidate: Skeleton,
  b: Unit,
): AlignedConstant[] {
  if (a.kernel !== undefined && b.kernel !== undefined) {
    return [weight(a, a.kernel, b, b.kernel), ...bias(a, b, candidate.graph)];
  }
  return b.node !== undefined && RECURRENT.has(b.node.op)
    ? recurrent(reference.graph, a, candidate.graph, b)
    : [];
}

function weight(a: Unit, from: Kernel, b: Unit, to: Kernel): AlignedConstant {
  const traced = viewBetween(from.storage, to.storage);
  const order: FeatureOrder = traced === undefined ? 'plain' : 'named';
  const view = traced === undefined ? viewBetween(plain(from), plain(to)) : traced;
  const correlation = kernelCorrelation(a, b, order);
  return {
    reference: from.tensor,
    candidate: to.tensor,
    role: 'weight',
    ...(view === null || view === undefined ? {} : { view }),
    ...(correlation === undefined ? {} : { correlation }),
    values: () => counterpart(a, from, b, to, order),
  };
}

/** With input features as one axis, in the order in which they are stored. */
function plain({ storage }: Kernel): Kernel['storage'] {
  return storage.map((digit, i) =>
    digit.label === 'M' ? digit : { ...digit, label: `F${i > 0 && storage[0]?.label === 'M' ? i : i + 1}` },
  );
}

/** The reference's weights as the candidate's tensor would have them: its order, without what its network has folded elsewhere. */
function counterpart(
  a: Unit,
  from: Kernel,
  b: Unit,
  to: Kernel,
  order: FeatureOrder,
): Float32Array | undefined {
  const values = floatsOf(from.data);
  if (values === undefined || from.features !== to.features || from.channels !== to.channels)
    return undefined;
  const [fromF, toF] =
    order === 'named' ? [from.featureOffset, to.featureOffset] : [from.plainOffset, to.plainOffset];
  const result = new Float32Array(to.data.dims.reduce((product, dim) => product * dim, 1));
  for (let m = 0; m < to.channels; m++) {
    const ratio = (a.folded?.scale[m] ?? 1) / (b.folded?.scale[m] ?? 1);
    // A channel that is multiplied with 0 in the candidate has no value that would tell.
    const factor = Number.isFinite(ratio) ? ratio : 1;
    const [start, target] = [from.channelOffset[m] ?? 0, to.channelOffset[m] ?? 0];
    for (let f = 0; f < toF.length; f++) {
      result[target + (toF[f] ?? 0)] = (values[start + (fromF[f] ?? 0)] ?? 0) * factor;
    }
  }
  return result;
}

function bias(a: Unit, b: Unit, graph: Graph): AlignedConstant[] {
  const [left, right] = [a.folded, b.folded];
  if (left?.bias === undefined || right?.bias === undefined) return [];
  const [shift, shiftThere] = [left.shift, right.shift];
  if (shift === undefined || shiftThere === undefined) return [];
  const correlation = correlationOf(shift, shiftThere);
  return [
    {
      reference: left.bias,
      candidate: right.bias,
      role: 'bias',
      ...(correlation === undefined ? {} : { correlation }),
      values: () => {
        const count = tensorOf(graph, right.bias as TensorId).data?.dims.reduce((n, dim) => n * dim, 1);
        if (count !== shift.length) return undefined;
        return Float32Array.from(
          shift,
          (value, m) => (value - (right.biasShift[m] ?? 0)) / (right.biasScale[m] || 1),
        );
      },
    },
  ];
}

/** Weights, recurrence and bias have one order in ONNX. */
function recurrent(reference: Graph, a: Unit, candidate: Graph, b: Unit): AlignedConstant[] {
  return [1, 2, 3].flatMap((slot): AlignedConstant[] => {
    const [from, to] = [a.node?.inputs[slot] ?? undefined, b.node?.inputs[slot] ?? undefined];
    if (from === undefined || to === undefined) return [];
    const [left, right] = [tensorOf(reference, from).data, tensorOf(candidate, to).data];
    const [values, others] = [left && floatsOf(left), right && floatsOf(right)];
    if (values === undefined || others === undefined || values.length !== others.length) return [];
    const correlation = correlationOf(values, others);
    return [
      {
        reference: from,
        candidate: to,
        role: slot === 3 ? 'bias' : 'weight',
        ...(correlation === undefined ? {} : { correlation }),
        values: () => values,
      },
    ];
  });
}
