/** Metrics as everybody writes them; others are their own names. */
const NAMES: Readonly<Record<string, string>> = {
  top1: 'top-1',
  top5: 'top-5',
  miou: 'mIoU',
  map: 'mAP@[.5:.95]',
  map50: 'mAP@.5',
  'pixel-accuracy': 'pixel accuracy',
  auc: 'ROC AUC',
  rmse: 'RMSE',
  mae: 'MAE',
  psnr: 'PSNR',
  kl: 'KL divergence',
};

export function metricName(metric: string): string {
  return Object.hasOwn(NAMES, metric) ? (NAMES[metric] ?? metric) : metric;
}
