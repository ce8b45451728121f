/** One line for each rule, for programs that list findings by rule. */
const RULES: Readonly<Record<string, string>> = {
  'act.clipped': 'The range of an activation cuts values off.',
  'act.concat-shared-scale': 'Joined tensors share a scale that is too coarse for one of them.',
  'act.non-finite': 'The network computes NaN or infinite values.',
  'act.outlier-channel': 'One channel takes the range of an activation from all others.',
  'act.outlier-range': 'A few outliers take the range of an activation; the bulk has few levels.',
  'act.requantize-clip': 'Codes are written and read with different parameters.',
  'act.shifted-range': 'The range of an activation lies beside its values.',
  'act.wide-range': 'The range of an activation is much wider than its values.',
  'base.graph-changed': 'The exported graph computes another function than the reference.',
  'rt.u8s8-saturation': 'Sums of 8-bit products saturate on this processor.',
  'io.output-order': 'Outputs are at other places than in the reference, or missing.',
  'io.preproc': 'The quantizer of an input does not fit the data: another preprocessing.',
  'base.op-differs': 'An operator computes something else than in the reference.',
  'q.degenerate': 'Quantization parameters that no quantizer can work with.',
  'rt.mismatch': 'The runtime or the device computes something else than the file says.',
  'w.axis': 'Per-axis parameters do not fit the dimension they lie along.',
  'w.bias-overflow': 'A bias was cut off when it was quantized.',
  'w.coarse-scale': 'The scale of a weight is coarser than its values need.',
  'w.not-same-model': 'The weights are not those of the reference.',
  'w.per-tensor-spread': 'One scale serves channels of very unlike range.',
  'w.spec': 'Parameters break the specification of the integer kernels.',
  'gate.max-drop': 'The candidate loses more than is allowed.',
  'gate.min-sqnr': 'An SQNR is lower than is asked for.',
  'gate.min-samples': 'Fewer samples were evaluated than are asked for.',
  'gate.fail-on': 'Findings of a severity that fails the gate.',
  'gate.baseline': 'The run is worse than its baseline.',
};

/** What a rule is about; of one that is not listed, its id. */
export function ruleText(id: string): string {
  return Object.hasOwn(RULES, id) ? (RULES[id] ?? id) : id;
}
