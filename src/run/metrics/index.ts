/** Metrics by name. */
import { UsageError } from '../../errors.js';
import { agreement } from './agreement.js';
import { auc } from './auc.js';
import { boxMetric } from './boxes.js';
import { cosine, mae, psnr, rmse } from './distances.js';
import { kl } from './kl.js';
import { maskMetric } from './masks.js';
import type { Metric } from './metric.js';
import { topMetric } from './top.js';
import { loadUserMetric } from './user-metric.js';

const METRICS: readonly Metric[] = [
  topMetric(1),
  topMetric(5),
  maskMetric('miou'),
  maskMetric('pixel-accuracy'),
  boxMetric('map'),
  boxMetric('map50'),
  boxMetric('map75'),
  auc,
  rmse,
  mae,
  cosine,
  psnr,
  agreement,
  kl,
];

export const METRIC_NAMES: readonly string[] = METRICS.map(({ name }) => name);

const MODULE = /[\\/]|\.[cm]?[jt]s$/;

/**
 * @param name - one of METRIC_NAMES, or the path of a module with a metric of the user's own
 * @throws UsageError when there is no such metric or no such file
 * @throws DataError when the file is no metric
 */
export async function metricNamed(name: string): Promise<Metric> {
  const metric = METRICS.find((known) => known.name === name);
  if (metric !== undefined) return metric;
  if (MODULE.test(name)) return loadUserMetric(name);
  throw new UsageError(
    `--metric ${name}: there is no such metric; there are ${METRIC_NAMES.join(', ')}, or a file ./my-metric.js`,
    {
      hint: `--metric ${nearest(name) ?? METRIC_NAMES.join('|')}`,
    },
  );
}

/** top-1, mAP, mAP@.5, m_iou ... as they are spelled elsewhere. */
function nearest(name: string): string | undefined {
  const letters = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const wanted = letters(name);
  const aliases: ReadonlyMap<string, string> = new Map([
    ['accuracy', 'top1'],
    ['acc', 'top1'],
    ['iou', 'miou'],
    ['map5', 'map50'],
    ['ap', 'map'],
    ['ap50', 'map50'],
    ['rocauc', 'auc'],
  ]);
  return METRIC_NAMES.find((known) => letters(known) === wanted) ?? aliases.get(wanted);
}
