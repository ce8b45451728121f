/** Constants of codes that are cut to a narrower range where they are read: exporters of fewer bits than a byte write Clip behind them. */
import { toFloat64, toInts } from '../../../ir/elements.js';
import type { ConstantData } from '../../../ir/graph.js';
import { lazyData } from '../../../onnx/tensor.js';
import type { Draft, DraftNode } from '../draft.js';

const ARRAYS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array } as const;

/** The draft with every such Clip as a constant; itself where there is none. */
export function withCutConstants(draft: Draft): Draft {
  const constants = new Map(draft.constants);
  const nodes = draft.nodes.filter((node) => {
    const cut = cutConstant(node, constants);
    if (cut !== undefined) constants.set(node.outputs[0] ?? '', cut);
    return cut === undefined;
  });
  return nodes.length === draft.nodes.length ? draft : { ...draft, nodes, constants };
}

function cutConstant(
  { op, domain, inputs, outputs }: DraftNode,
  constants: ReadonlyMap<string, ConstantData>,
): ConstantData | undefined {
  const [name = '', low = '', high = ''] = inputs;
  const data = op === 'Clip' && domain === '' ? constants.get(name) : undefined;
  if (data === undefined || !(data.dtype in ARRAYS) || outputs.length !== 1) return undefined;
  const limits = [low, high].map((limit) => (limit === '' ? undefined : constants.get(limit)));
  if ((low !== '' && limits[0] === undefined) || (high !== '' && limits[1] === undefined)) return undefined;
  const type = ARRAYS[data.dtype as keyof typeof ARRAYS];
  return lazyData(data.dtype, data.dims, () => {
    const [least = -Infinity, most = Infinity] = limits.map((limit) =>
      limit === undefined ? undefined : toInts(limit)[0],
    );
    const { buffer } = type.from(toFloat64(data).map((code) => Math.min(most, Math.max(least, code))));
    return new Uint8Array(buffer);
  });
}
