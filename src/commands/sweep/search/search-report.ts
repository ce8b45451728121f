/** A search as reports have it. */
import { exceeds } from '../../../diff/gate/margin.js';
import type { Effect, ReportedSearch, SearchedPoint } from '../../../report/sweep-report.js';
import type { DropTarget } from './drop-target.js';
import { paretoFront, type TradeOff } from './pareto.js';
import type { LayerSet, Loss } from './set-book.js';
import type { SearchResult } from './set-search.js';

/** One set that was evaluated. */
export interface FoundPoint {
  readonly set: LayerSet;
  /** Of its layers. */
  readonly names: readonly string[];
  readonly macsShare: number;
  readonly extraBytes: number;
  readonly effect: Effect;
}

export interface FoundSearch {
  readonly to: ReportedSearch['to'];
  readonly target: DropTarget;
  /** As the points of the result. */
  readonly points: readonly FoundPoint[];
  readonly result: SearchResult;
}

export function reportedSearch(found: FoundSearch): ReportedSearch {
  const { to, target, points, result } = found;
  const front = paretoFront(points.map((point) => tradeOff(point, target)));
  const { chosen, best } = result;
  return {
    to,
    target: target.text,
    points: points.map((point, at) => reportedPoint(point, target, front[at] === true)),
    ...(chosen === undefined ? { best } : { chosen }),
    stopped: stoppedBecause(found),
  };
}

/** Among points that meet the target and cannot be told from float, differences are noise, and nothing to pay for. */
function tradeOff({ macsShare, extraBytes, names, effect }: FoundPoint, target: DropTarget): TradeOff {
  const cost = { macsShare, extraBytes, layers: names.length };
  const loss = target.lossOf(effect);
  if (loss === undefined) return cost;
  return { ...cost, loss: loss.isNoise && meets(loss, target) ? 0 : loss.value };
}

function meets({ value }: Loss, { limit }: DropTarget): boolean {
  return !exceeds(value, limit);
}

function reportedPoint(
  { names, macsShare, extraBytes, effect }: FoundPoint,
  target: DropTarget,
  isPareto: boolean,
): SearchedPoint {
  const loss = target.lossOf(effect);
  const { drop, interval } = target.dropOf(effect);
  return {
    layers: names,
    macsShare,
    extraBytes,
    effect,
    ...(drop === undefined ? {} : { drop }),
    ...(interval === undefined ? {} : { dropInterval: interval }),
    ...(loss?.interval !== undefined && !exceeds(loss.interval[1], target.limit) ? { isCertain: true } : {}),
    meetsTarget: loss !== undefined && meets(loss, target),
    isPareto,
  };
}

function stoppedBecause({ to, target, points, result }: FoundSearch): string {
  const { chosen, best, end, evaluations } = result;
  const left = target.told(points[best]!.effect);
  const all = to === 'float' ? 'all layers in float' : 'all layers at 16 bits';
  switch (end) {
    case 'met already':
      return `everything quantized is within the target already (${left})`;
    case 'no layers':
      return 'nothing is quantized';
    case 'nothing to spare':
      return `target met (${left}), and no layer can be spared${doubt(points[best]!, target)}`;
    case 'met within noise':
      return `target met (${left}); what everything quantized loses is within noise, and so is what each layer gives back: more samples would tell`;
    case 'budget':
      return chosen === undefined
        ? `${evaluations} evaluations are used up; the best set found leaves ${left}`
        : `target met (${left}); ${evaluations} evaluations are used up, and something cheaper may do${doubt(points[best]!, target)}`;
    case 'within noise':
      return `target not met, and what is left (${left}) is within noise: more samples would tell`;
    case 'unreachable':
      return `target not met, not even with ${all}; the best set found leaves ${left}`;
  }
}

function doubt({ effect }: FoundPoint, target: DropTarget): string {
  const interval = target.lossOf(effect)?.interval;
  return interval === undefined || !exceeds(interval[1], target.limit)
    ? ''
    : '; with these samples the drop may also be more than the target';
}
