import type { Dim, DType, Shape } from '../../ir/graph.js';
import { toNumber } from '../../onnx/proto.js';
import type { GraphProto, ValueInfoProto } from '../../onnx/proto.js';
import { dtypeName } from '../../ir/onnx-data-type.js';
import type { Problems } from '../problems.js';

/** What a file says of a value. Sequences, optionals and maps have neither type nor shape here. */
export interface ValueType {
  readonly dtype: DType | undefined;
  readonly shape: Shape | undefined;
}

/** Types that the inputs, outputs and value_info of a graph state, by name. */
export function valueTypes(graph: GraphProto, problems: Problems): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const info of [...(graph.input ?? []), ...(graph.output ?? []), ...(graph.valueInfo ?? [])]) {
    const name = info.name ?? '';
    const known = types.get(name);
    if (known?.shape !== undefined) continue;
    const type = valueType(info, problems);
    types.set(name, { dtype: type.dtype ?? known?.dtype, shape: type.shape });
  }
  return types;
}

function valueType(info: ValueInfoProto, problems: Problems): ValueType {
  const tensor = info.type?.tensorType;
  return {
    dtype: dtypeName(tensor?.elemType),
    shape: tensor?.shape?.dim?.map(({ dimValue, dimParam }): Dim => {
      if (dimParam) return dimParam;
      if (dimValue === null || dimValue === undefined) return null;
      const extent = toNumber(dimValue);
      if (!Number.isSafeInteger(extent)) {
        problems.add(
          `value ${JSON.stringify(info.name ?? '')} has an extent of ${extent}; up to 2^53 - 1 is wanted`,
        );
      }
      // Some exporters write -1 for an extent they do not know.
      return extent < 0 ? null : extent;
    }),
  };
}
