import { nodeLabel, nodeOf, tensorOf, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { toFloat32 } from '../../../ir/elements.js';
import { fileAxis } from '../../../ir/file-axes.js';
import type { Evidence, LaneEvidence } from '../../evidence.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { rule } from '../../rule.js';

/** By how much another axis has to fit the reference better, dB. */
const BETTER_DB = 10;

export const axis = rule({
  id: 'w.axis',
  title: 'Per-axis parameters do not fit the dimension they lie along',
  severity: 'error',
  needs: ['lane'],
  limits: [
    {
      quantity: 'SQNR against the reference with the scales along another axis, above that along their own',
      unit: 'dB',
      error: BETTER_DB,
      worse: 'higher',
    },
  ],
  text: {
    what: "Scales per channel whose number or axis is not that of the output channels of the operator. Where two dimensions are equal, a reference tells: its weights are what the file's codes stand for along the right axis.",
    why: 'The right scale at the wrong channel multiplies every weight by a wrong factor. Runtimes differ in which axis they read.',
    instead:
      'Axis 0 for Conv, 1 for ConvTranspose in ONNX Runtime, the last for MatMul, 3 for a depthwise convolution in TFLite: export again with a version that knows.',
    see: [
      'https://ai.google.dev/edge/litert/models/quantization_spec',
      'https://github.com/microsoft/onnxruntime/pull/19996',
    ],
  },
  check,
});

function check(evidence: LaneEvidence): Diagnosed[] {
  return [...declaredFaults(evidence), ...otherAxes(evidence)];
}

/**
 * Per-axis parameters that do not fit the dimension they are said to lie along. Kernels of TFLite index scales by output channel and
 * never look at the axis that the file names; delegates, converters and other runtimes do.
 */
function declaredFaults({ graph, lane }: LaneEvidence): Finding[] {
  return (lane.faults ?? []).map(({ tensor, kind, message }): Finding => ({
    rule: 'w.axis',
    severity: kind === 'axis' ? 'warning' : 'error',
    subject: subjectOf(graph, tensor),
    message,
    args: { kind },
  }));
}

/** Scales that fit the length of two dimensions, and the reference's weights along the one that the file does not name. */
function otherAxes({ graph, lane, alignment }: LaneEvidence & Pick<Evidence, 'alignment'>): Diagnosed[] {
  const told = new Set<TensorId>();
  return (alignment?.operators ?? []).flatMap(({ candidate: [node], constants }) =>
    constants.flatMap((constant): Diagnosed[] => {
      const { candidate, role } = constant;
      const params = lane.tensors.get(candidate);
      const codes = lane.codes?.get(candidate);
      if (role !== 'weight' || node === undefined || told.has(candidate)) return [];
      if (params?.granularity.kind !== 'per-axis' || codes === undefined) return [];
      const { axis: own } = params.granularity;
      const { dims } = codes;
      const others = dims.flatMap((extent, at) => (at !== own && extent === params.scale.length ? [at] : []));
      if (params.scale.length < 2 || others.length === 0) return [];
      told.add(candidate);
      const wanted = constant.values();
      const stored = toFloat32(codes);
      if (wanted?.length !== stored.length) return [];
      const dbAlong = (at: number): number => sqnrAlong(wanted, stored, dims, params, at);
      const ownDb = dbAlong(own);
      const [best] = others.map((at) => ({ at, db: dbAlong(at) })).sort((a, b) => b.db - a.db);
      if (best === undefined || !(best.db - ownDb > BETTER_DB)) return [];
      const tensor = tensorOf(graph, candidate);
      const named = (at: number): number => fileAxis(tensor, at);
      return [
        {
          rule: 'w.axis',
          severity: 'error',
          subject: { node: nodeLabel(nodeOf(graph, node)), tensor: tensor.name },
          message:
            `the ${params.scale.length} scales lie along axis ${named(own)}, where the weights keep ${ownDb.toFixed(1)} dB of the reference's; ` +
            `along axis ${named(best.at)} they would keep ${best.db.toFixed(1)}: the codes were made for that one`,
          args: { axis: named(own), otherAxis: named(best.at), db: ownDb, otherDb: best.db },
          // That they are not the reference's weights follows from it.
          explains: [tensor.name],
        },
      ];
    }),
  );
}

/** SQNR of the codes against the reference's weights, dB, if the scales lay along that axis. */
function sqnrAlong(
  wanted: Float32Array,
  codes: Float32Array,
  dims: readonly number[],
  { scale, zeroPoint }: QuantParams,
  at: number,
): number {
  const inner = dims.slice(at + 1).reduce((size, dim) => size * dim, 1);
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < codes.length; i++) {
    const channel = Math.floor(i / inner) % scale.length;
    const x = wanted[i]!;
    const e = (codes[i]! - zeroPoint[channel]!) * scale[channel]! - x;
    signal += x * x;
    noise += e * e;
  }
  return 10 * Math.log10(signal / Math.max(noise, Number.MIN_VALUE));
}
