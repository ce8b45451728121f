/** Channels that one network has in another order: a Concat of the same operands in another order, and weights behind it made for that. */
import { intAttr } from '../../ir/graph.js';
import { dimsOf } from './axes.js';
import { kernelCorrelation } from './correlation.js';
import type { Kernel } from './kernel.js';
import type { Matching } from './matching.js';
import type { Region, Skeleton, Unit } from './units.js';

export interface Reordered {
  /** Results of the candidate that have the elements of the reference's result in an order that no view describes. */
  readonly regions: ReadonlySet<Region>;
  /** The reference's unit with the features of its kernel in the order of the candidate's, by unit of the candidate that reads them. */
  readonly readers: ReadonlyMap<number, Unit>;
}

/** The channel of the reference's tensor that each channel of the candidate's is. */
type Order = readonly number[];

/** Channels of all results together whose order is followed: extents come from files. */
const MOST_CHANNELS = 1_000_000;
/** Operators with one operand that do the same to every channel. */
const CHANNELWISE: ReadonlySet<string> = new Set(['maximum', 'mean', 'Resize', 'InstanceNormalization']);
/** Weights that follow the channels correlate at least so, and so much more than in the order of the reference. */
const FOLLOWS = 0.5;
const MARGIN = 0.2;

/** Only where the weights behind them follow: channels in an order that nothing expects are a fault, and are compared as they are. */
export function reorderedChannels(matching: Matching): Reordered {
  const orders = ordersOf(matching);
  const readers = new Map<number, Unit>();
  const followed = new Set<Region>();
  if (orders.size === 0) return { regions: followed, readers };
  for (const b of matching.candidate.units.toReversed()) {
    const a = matching.ofCandidate(b.index);
    for (const { region } of a === undefined ? [] : b.operands) {
      const order = orders.get(region);
      if (a === undefined || order === undefined) continue;
      const turned = withFeatures(a, b, order);
      if (turned !== undefined && follows(a, turned, b)) readers.set(b.index, turned);
      if (readers.has(b.index) || b.regions.some((each) => followed.has(each))) followed.add(region);
    }
  }
  return { regions: followed, readers };
}

/** By result of the candidate; only those whose order is another one. */
function ordersOf(matching: Matching): ReadonlyMap<Region, Order> {
  const orders = new Map<Region, Order>();
  let budget = MOST_CHANNELS;
  for (const b of matching.candidate.units) {
    const a = matching.ofCandidate(b.index);
    const [result, source] = [b.regions[0], b.operands[0]?.region];
    if (a?.kind !== b.kind || result === undefined || source === undefined) continue;
    const known = CHANNELWISE.has(b.kind) ? orders.get(source) : undefined;
    const order = b.kind === 'Concat' ? joinedOrder(matching, a, b, orders, budget) : known;
    if (order === undefined) continue;
    orders.set(result, order);
    if (order !== known) budget -= order.length;
  }
  return orders;
}

/** Undefined where the order is the same, cannot be told, or has more than so many channels. */
function joinedOrder(
  matching: Matching,
  a: Unit,
  b: Unit,
  known: ReadonlyMap<Region, Order>,
  most: number,
): Order | undefined {
  const [blocks, blocksThere] = [blocksOf(matching.reference, a), blocksOf(matching.candidate, b)];
  if (blocks === undefined || blocksThere?.length !== blocks.length) return undefined;
  const key = (unit: number, { region, extent }: Block): string => `${unit}.${region.slot} ${extent}`;
  const free = new Map<string, Block[]>();
  for (const block of blocks.toReversed()) {
    const name = key(block.region.unit, block);
    const same = free.get(name);
    if (same === undefined) free.set(name, [block]);
    else same.push(block);
  }
  const twins = blocksThere.map((block) => {
    const twin = matching.ofCandidate(block.region.unit);
    return twin === undefined ? undefined : free.get(key(twin.index, block))?.pop();
  });
  const isSame = twins.every(
    (twin, at) => twin === blocks[at] && !known.has(blocksThere[at]?.region as Region),
  );
  const total = blocks.reduce((sum, { extent }) => sum + extent, 0);
  if (isSame || total > most || !twins.every((twin) => twin !== undefined)) return undefined;
  return twins.flatMap(({ start, extent }, at) => {
    const within = known.get(blocksThere[at]?.region as Region);
    return Array.from({ length: extent }, (_, channel) => start + (within?.[channel] ?? channel));
  });
}

interface Block {
  readonly region: Region;
  readonly start: number;
  readonly extent: number;
}

/** What a Concat of channels joins; undefined for other axes and where a constant is joined. */
function blocksOf({ graph, axes }: Skeleton, { node, operands, regions }: Unit): Block[] | undefined {
  const root = regions[0]?.root;
  const digits = root === undefined ? undefined : axes[root];
  if (node === undefined || digits === undefined || operands.length !== node.inputs.length) return undefined;
  const axis = intAttr(node, 'axis') ?? 0;
  const at = axis < 0 ? axis + digits.length : axis;
  if (digits[at]?.every(({ label }) => label === 'C') !== true) return undefined;
  let start = 0;
  return operands.map(({ tensor, region }) => {
    const extent = dimsOf(graph, tensor)?.[at] ?? 0;
    start += extent;
    return { region, start: start - extent, extent };
  });
}

/** The unit with the input features of its kernel in that order of channels; undefined where its kernel has no such features. */
function withFeatures(a: Unit, b: Unit, order: Order): Unit | undefined {
  const { kernel } = a;
  if (kernel === undefined || a.kind !== b.kind || !hasChannels(kernel, order.length)) return undefined;
  const taps = kernel.features / order.length;
  const featureOffset = kernel.featureOffset.map(
    (_, i) => kernel.featureOffset[(order[Math.floor(i / taps)] ?? 0) * taps + (i % taps)] ?? 0,
  );
  return { ...a, kernel: { ...kernel, featureOffset } };
}

/** Whether the sorted features are so many channels with the taps of each behind it. */
function hasChannels({ storage, features }: Kernel, channels: number): boolean {
  const digits = storage.filter(({ label }) => label !== 'M');
  const [own, ...others] = digits.filter(({ label }) => label === 'C');
  return (
    digits.every(({ label }) => label === 'C' || label.startsWith('S')) &&
    others.length === 0 &&
    own?.extent === channels &&
    features % channels === 0
  );
}

function follows(a: Unit, turned: Unit, b: Unit): boolean {
  const [plain, other] = [kernelCorrelation(a, b, 'named') ?? 0, kernelCorrelation(turned, b, 'named') ?? 0];
  return other >= FOLLOWS && other > plain + MARGIN;
}
