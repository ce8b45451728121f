/** Layers of inspected models as CSV, one row each in graph order, model after model. */
import { csvLines, type Cell } from './csv.js';
import type { ForecastLayer, InspectedModel, InspectReport, Layer } from './inspect-report.js';

interface Row {
  readonly model: InspectedModel;
  readonly layer: Layer;
  readonly forecast: ForecastLayer | undefined;
}

const CELLS: Readonly<Record<string, (row: Row) => Cell>> = {
  model: ({ model }) => model.path,
  order: ({ layer }) => layer.order,
  node: ({ layer }) => layer.node,
  op: ({ layer }) => layer.op,
  shape: ({ layer }) => layer.shape?.map((dim) => dim ?? '?').join('x'),
  parameters: ({ layer }) => layer.parameters,
  macs: ({ layer }) => layer.macs,
  macs_share: ({ model, layer }) =>
    layer.macs === undefined || (model.macs.total ?? 0) === 0
      ? undefined
      : layer.macs / (model.macs.total ?? 1),
  weight: ({ layer }) => layer.weight?.tensor,
  weight_dtype: ({ layer }) => layer.weight?.dtype,
  weight_shape: ({ layer }) => layer.weight?.shape.join('x'),
  weight_axis: ({ layer }) => layer.weight?.axis,
  weight_min: ({ layer }) => layer.weight?.min,
  weight_max: ({ layer }) => layer.weight?.max,
  weight_spread: ({ layer }) => layer.weight?.spread,
  outlier_channels: ({ layer }) => layer.weight?.outlierChannels.length,
  // Only of layers that one int8 scale would leave channels of with few levels.
  few_level_channels: ({ forecast }) => forecast?.fewLevelChannels.length,
  fewest_levels: ({ forecast }) => forecast?.fewestLevels,
  per_tensor_sqnr_db: ({ forecast }) => forecast?.perTensorSqnrDb,
  per_axis_sqnr_db: ({ forecast }) => forecast?.perAxisSqnrDb,
};

export function renderInspectCsv({ models }: Pick<InspectReport, 'models'>): string {
  const rows = models.flatMap((model) => {
    const forecasts = new Map(model.forecast.layers.map((entry) => [entry.tensor, entry]));
    return model.layers.map((layer) => {
      const row = { model, layer, forecast: forecasts.get(layer.weight?.tensor ?? '') };
      return Object.values(CELLS).map((cellOf) => cellOf(row));
    });
  });
  return csvLines([Object.keys(CELLS), ...rows]);
}
