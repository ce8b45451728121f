import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { short } from '../../wording.js';
import { COARSE_NOISE, comparedWeights, isOther, noiseOf } from './not-same-model.js';

export const coarseScale = rule({
  id: 'w.coarse-scale',
  title: 'The scale of a weight is coarser than its values need',
  severity: 'error',
  needs: ['reference', 'compared'],
  text: {
    what: "Weights that are the reference's, rounded to so few codes that less than 10 dB of them are left, in most channels.",
    why: 'The layer computes with weights that are mostly rounding error. Types of 2 to 4 bits do that by themselves.',
    instead: 'Make the scale again from the weights (max|w| / 127), or give the layer more bits.',
    see: ['w.per-tensor-spread', 'w.outlier-within-channel'],
  },
  check,
});

function check(evidence: With<'compared'>): Diagnosed[] {
  const { graph } = evidence;
  return comparedWeights(evidence).weights.flatMap((weight): Diagnosed[] => {
    const noise = isOther(weight) ? 0 : noiseOf(weight);
    const poor = weight.channels.filter(({ relativeNoise = 0 }) => relativeNoise > COARSE_NOISE).length;
    // Single poor channels under one scale are what w.per-tensor-spread is about.
    if (noise <= COARSE_NOISE || poor < weight.channels.length / 2) return [];
    const db = -10 * Math.log10(noise);
    const { dtype = 'int8' } = weight.quant ?? {};
    return [
      {
        rule: 'w.coarse-scale',
        severity: /^u?int[24]$/.test(dtype) ? 'warning' : 'error',
        subject: {
          node: nodeLabel(nodeOf(graph, weight.node)),
          tensor: tensorOf(graph, weight.candidate).name,
        },
        message: `the scale of the ${dtype} weights is too large for them: rounding leaves ${short(db)} dB`,
        args: { sqnrDb: db, dtype },
        ...remedy(evidence, {
          title: 'make the scale again from the weights',
          onnx: 'scale = np.abs(w).max() / 127, and quantize the weights again',
          tflite: 'convert again from the float weights',
          change: { constants: [{ tensor: weight.candidate }] },
        }),
      },
    ];
  });
}
