import type { ErrorMeasurement } from '../../../diff/measurement.js';
import { measuredInputs } from '../../../diff/measured-inputs.js';
import { nodeOf, tensorOf, topologyOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { isHarmless } from '../../harm.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf, writersOf } from '../../subject.js';
import { percent } from '../../wording.js';
import { wereTrained } from '../../weights-moved.js';

/** What taking out the mean error gives the operator, dB. */
const GAIN_DB = 3;
/** Local SQNR, dB, above which 3 dB more are not wanted. */
const WANTED_DB = 25;
/** Clipping has one sign, too, and no correction mends it: see act.clipped. */
const CLIPPED = 0.5;
const FEWEST_VALUES = 256;

export const biasShift = rule({
  id: 'act.bias-shift',
  title: 'The error of a layer has a sign: correcting its bias would remove most of it',
  severity: 'warning',
  needs: ['lane', 'edges'],
  limits: [
    {
      quantity: 'local SQNR that a corrected bias would give',
      unit: 'dB',
      warning: GAIN_DB,
      worse: 'higher',
    },
  ],
  text: {
    what: 'Layers with weights whose local error has a mean so large that taking it out would raise their SQNR by more than 3 dB.',
    why: 'Rounding errors of few weights (a depthwise kernel has nine) do not average out: times an input that is never negative they shift the output by a constant. All samples have that shift, and the layers behind it add it up.',
    instead:
      'Bias correction: subtract the mean error from the bias (NNCF and AIMET do it, Model Compression Toolkit by default); or AdaRound, which rounds the weights so that there is none.',
    see: ['https://arxiv.org/abs/1906.04721', 'https://arxiv.org/abs/2004.10568', 'w.per-tensor-spread'],
  },
  check,
});

const WEIGHTED: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

function check(evidence: With<'edges'>, told: readonly Diagnosed[]): Diagnosed[] {
  const { graph, edges, compared } = evidence;
  // Weights that were trained further have other means, and rightly so.
  if (compared !== undefined && wereTrained({ ...evidence, compared })) return [];
  const harmless = isHarmless(edges);
  const measured = new Set(edges.map(({ edge }) => edge.tensor));
  const isTold = toldAbout(graph, measured, told);
  return edges.flatMap(({ edge, errors }): Diagnosed[] => {
    const local = errors.get('local');
    if (
      local?.sqnrDb === undefined ||
      local.sqnrDb >= WANTED_DB ||
      edge.count < FEWEST_VALUES ||
      local.noise.clip > CLIPPED
    )
      return [];
    if (!isOfWeights(graph, edge.tensor, measured)) return [];
    const share = shareOf(local);
    const gainDb = -10 * Math.log10(Math.max(1 - share, Number.EPSILON));
    if (gainDb < GAIN_DB) return [];
    return [
      {
        rule: 'act.bias-shift',
        severity: harmless || isTold(edge.tensor) ? 'note' : 'warning',
        subject: subjectOf(graph, edge.tensor),
        message:
          `${percent(share)} of the error of this layer is a constant shift: a corrected bias would raise its local SQNR ` +
          `from ${local.sqnrDb.toFixed(1)} to ${(local.sqnrDb + gainDb).toFixed(1)} dB`,
        args: { biasShare: share, gainDb, localSqnrDb: local.sqnrDb },
        ...remedy(evidence, {
          title: 'correct the bias, or round the weights with the data',
          onnx: 'nncf.quantize(model, dataset, fast_bias_correction=True)',
          tflite:
            'mct.ptq.keras_post_training_quantization(...), which corrects biases, before the converter',
        }),
      },
    ];
  });
}

/** A bias has a value for each channel: shifts of either sign are corrected together. */
function shareOf({ biasShare, channelBiasShare = 0 }: ErrorMeasurement): number {
  return Math.max(biasShare, channelBiasShare);
}

/** Whether something serious is said of what writes a tensor, of its weights, or of what it reads: a shift follows from that. */
function toldAbout(
  graph: Graph,
  measured: ReadonlySet<TensorId>,
  told: readonly Diagnosed[],
): (tensor: TensorId) => boolean {
  const serious = told.filter(({ severity }) => severity !== 'note');
  const names = new Set(
    serious.flatMap(({ subject: { node, tensor }, explains = [] }) => [
      ...[node, tensor].filter((name) => name !== undefined),
      ...explains,
    ]),
  );
  return (tensor) => {
    const writer = topologyOf(graph).producer[tensor];
    const read = writer === undefined ? [] : measuredInputs(graph, writer, measured);
    return (
      [tensor, ...read].some((id) => names.has(tensorOf(graph, id).name)) ||
      [...writersOf(graph, tensor, measured)].some((label) => names.has(label))
    );
  };
}

/** Operators that are computed together with the layer before them. Nothing bounds what they give, or at one end. */
const FUSED: ReadonlySet<string> = new Set([
  ...['Relu', 'Clip', 'LeakyRelu', 'PRelu', 'Add', 'BatchNormalization', 'Mul'],
  ...['Identity', 'Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze'],
]);

/** Whether an operator with weights writes the tensor, itself or through what is fused with it. */
function isOfWeights(graph: Graph, tensor: TensorId, measured: ReadonlySet<TensorId>): boolean {
  const { producer } = topologyOf(graph);
  const pending = [tensor];
  for (const id of pending) {
    const writer = producer[id];
    if (writer === undefined) continue;
    const { op, inputs } = nodeOf(graph, writer);
    if (WEIGHTED.has(op)) return true;
    if (!FUSED.has(op)) continue;
    const unmeasured = inputs.filter((input) => input !== null && !measured.has(input));
    for (const input of unmeasured) if (input !== null && !pending.includes(input)) pending.push(input);
  }
  return false;
}
