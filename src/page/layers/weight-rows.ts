/** Weights and biases as rows of a table. */
import type { Layer, LayerTensor } from './layer.js';

export interface WeightRow {
  /** Unlike every other row's: several layers may read one constant. */
  readonly key: string;
  readonly tensor: string;
  readonly layer: Layer;
  readonly role?: string;
  readonly dtype?: string;
  /** "one", "64, axis 0", "12 blocks of 32". */
  readonly scales?: string;
  readonly self?: LayerTensor['self'];
  /** In int8, of weights. */
  readonly perTensorDb?: number;
  readonly perAxisDb?: number;
  readonly gainDb?: number;
  readonly channels?: number;
  readonly outliers?: number;
  readonly outlierNumbers: readonly number[];
  readonly dead?: number;
}

/** In the order of layers: of each the constants, then weights that were looked at but are not quantized. */
export function weightRows(layers: readonly Layer[]): readonly WeightRow[] {
  return layers.flatMap((layer) => {
    const names = new Set([...layer.constants, ...layer.weights].map(({ tensor }) => tensor));
    return [...names].map((tensor): WeightRow => {
      const constant = layer.constants.find((other) => other.tensor === tensor);
      const weight = layer.weights.find((other) => other.tensor === tensor);
      const scales = constant === undefined ? undefined : scalesText(constant);
      const { perTensorSqnrDb, perAxisSqnrDb } = weight ?? {};
      return {
        key: `${layer.tensor}\n${tensor}`,
        tensor,
        layer,
        outlierNumbers: weight?.outlierChannels ?? [],
        role: constant?.role ?? 'weight',
        dtype: constant?.quant?.dtype ?? 'float',
        ...(scales === undefined ? {} : { scales }),
        ...(constant?.self === undefined ? {} : { self: constant.self }),
        ...(perTensorSqnrDb === undefined ? {} : { perTensorDb: perTensorSqnrDb }),
        ...(perAxisSqnrDb === undefined ? {} : { perAxisDb: perAxisSqnrDb }),
        ...(perTensorSqnrDb === undefined || perAxisSqnrDb === undefined
          ? {}
          : { gainDb: perAxisSqnrDb - perTensorSqnrDb }),
        ...(weight === undefined
          ? {}
          : {
              channels: weight.channelCount,
              outliers: weight.outlierCount ?? weight.outlierChannels.length,
              dead: weight.deadCount ?? weight.deadChannels.length,
            }),
      };
    });
  });
}

function scalesText({ quant }: LayerTensor): string | undefined {
  if (quant === undefined) return undefined;
  const scales = quant.scaleCount ?? quant.scale.length;
  if (quant.blockSize !== undefined) return `${scales}, blocks of ${quant.blockSize}`;
  return scales === 1 ? 'one' : `${scales}${quant.axis === undefined ? '' : `, axis ${quant.axis}`}`;
}
