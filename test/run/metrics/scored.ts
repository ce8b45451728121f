/** Samples as the sample loop hands them to scorers. */
import { readFileSync } from 'node:fs';
import type { BoxesTruth, Truth } from '../../../src/run/labels/truth.js';
import type { Metric, MetricResult, ScorerOptions } from '../../../src/run/metrics/metric.js';
import {
  FILLING,
  type BoxesPrediction,
  type MaskPrediction,
  type PredictedBox,
  type Placement,
  type Prediction,
} from '../../../src/run/predictions/prediction.js';

export function fixture<T>(name: string): T {
  const url = new URL(`../../../fixtures/metrics/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

export interface Given {
  readonly truth?: Truth;
  readonly predictions: readonly Prediction[];
  readonly placement?: Placement;
}

export async function scored(
  metric: Metric,
  samples: readonly Given[],
  options: Partial<ScorerOptions> = {},
): Promise<MetricResult> {
  const scorer = metric.scorer({ networks: samples[0]?.predictions.length ?? 1, ...options });
  for (const [index, { truth, predictions, placement = FILLING }] of samples.entries())
    await scorer.add({
      id: `s${index}`,
      index,
      ...(truth === undefined ? {} : { truth }),
      predictions,
      placement,
    });
  return scorer.result();
}

export function scores(...values: readonly number[]): Prediction {
  return { kind: 'scores', scores: Float64Array.from(values) };
}

export function values(...data: readonly number[]): Prediction {
  return { kind: 'values', data: Float64Array.from(data) };
}

export function label(of: number): Truth {
  return { kind: 'class', label: of };
}

export function boxes(...rows: readonly (readonly number[])[]): BoxesPrediction {
  const list = rows.map(([x0, y0, x1, y1, of, score]): PredictedBox => ({
    x0: x0!,
    y0: y0!,
    x1: x1!,
    y1: y1!,
    label: of!,
    score: score!,
  }));
  return { kind: 'boxes', boxes: list, nonFinite: 0 };
}

export function truthBoxes(...rows: readonly (readonly number[])[]): BoxesTruth {
  const list = rows.map(([x0, y0, x1, y1, of, crowd]) => ({
    x0: x0!,
    y0: y0!,
    x1: x1!,
    y1: y1!,
    label: of!,
    crowd: crowd === 1,
  }));
  return { kind: 'boxes', boxes: list };
}

export function maskOf(rows: readonly (readonly number[])[]): MaskPrediction {
  return {
    kind: 'mask',
    width: rows[0]!.length,
    height: rows.length,
    data: Uint16Array.from(rows.flat()),
    ties: 0,
    nonFinite: 0,
  };
}

export function truthMask(rows: readonly (readonly number[])[]): Truth {
  return {
    kind: 'mask',
    width: rows[0]!.length,
    height: rows.length,
    data: Uint16Array.from(rows.flat()),
  };
}
