/**
 * Layout of a network of any size, in time that grows with its size alone: ranks by the longest way from the inputs, barycentres for
 * the order within a rank, least squares for the places. Written out because elkjs, which draws small networks, takes seconds for
 * a thousand operators and overflows the stack at ten thousand, and what else there is for JavaScript is slower.
 */
import type { Boxes, Placement, Point } from './graph-boxes.js';
import { nearestInOrder } from './nearest-in-order.js';

const GAP = 24;
const LINE_GAP = 12;
const RANK_GAP = 34;
/** Places where lines pass ranks, of all lines together; the longest lines go straight where that is not enough. */
const MOST_BENDS = 80_000;
const ORDER_ROUNDS = 3;
const PLACE_ROUNDS = 4;

/** A box, or a place where a line passes a rank. */
interface Item {
  readonly width: number;
  readonly height: number;
  readonly rank: number;
  readonly above: number[];
  readonly below: number[];
  readonly isLine: boolean;
}

/** @param order all boxes, each after those that it reads of; links against it, as in graphs that are not in order, only get lines */
export function layered({ boxes, links }: Boxes, order: readonly number[]): Placement {
  const ranks = ranksOf({ boxes, links }, order);
  const items = boxes.map(({ width, height }, at): Item => ({
    width,
    height,
    rank: ranks[at] ?? 0,
    above: [],
    below: [],
    isLine: false,
  }));
  const ways = waysOf({ boxes, links }, ranks, items);
  const rows = rowsOf(items, order);
  arrange(rows, items);
  const x = placesOf(rows, items);
  const y = heightsOf(rows, items);
  const middle = ({ rank }: Item): number => y[rank]?.middle ?? 0;
  return {
    centres: boxes.map((_, at) => [x[at] ?? 0, middle(items[at]!)]),
    lines: links.map(({ from, to }, at) => {
      const [start, end] = [items[from]!, items[to]!];
      const isDown = start.rank < end.rank;
      const bends = (ways[at] ?? []).flatMap((bend): Point[] => {
        const { top, bottom } = y[items[bend]!.rank]!;
        return [
          [x[bend] ?? 0, top],
          [x[bend] ?? 0, bottom],
        ];
      });
      return [
        [x[from] ?? 0, middle(start) + (isDown ? start.height / 2 : 0)],
        ...bends,
        [x[to] ?? 0, middle(end) - (isDown ? end.height / 2 : 0)],
      ];
    }),
  };
}

/** Longest way from what reads nothing; what reads nothing stands right above its first reader. */
function ranksOf({ boxes, links }: Boxes, order: readonly number[]): number[] {
  const turns = new Array<number>(boxes.length).fill(0);
  for (const [turn, box] of order.entries()) turns[box] = turn;
  const sources = boxes.map((): number[] => []);
  const readers = boxes.map((): number[] => []);
  for (const { from, to } of links) {
    if ((turns[from] ?? 0) >= (turns[to] ?? 0)) continue;
    sources[to]!.push(from);
    readers[from]!.push(to);
  }
  const ranks = new Array<number>(boxes.length).fill(0);
  for (const box of order) {
    ranks[box] = sources[box]!.reduce((rank, source) => Math.max(rank, (ranks[source] ?? 0) + 1), 0);
  }
  for (const box of order) {
    if (sources[box]!.length > 0 || readers[box]!.length === 0) continue;
    const first = readers[box]!.reduce((rank, reader) => Math.min(rank, ranks[reader] ?? 0), Infinity);
    ranks[box] = Math.max(0, first - 1);
  }
  return ranks;
}

/** Joins the items of neighbouring ranks; items for the ranks between are added. By link: the items that its line passes. */
function waysOf({ links }: Boxes, ranks: readonly number[], items: Item[]): number[][] {
  const spanOf = (at: number): number => (ranks[links[at]!.to] ?? 0) - (ranks[links[at]!.from] ?? 0);
  const ways = links.map((): number[] => []);
  let left = MOST_BENDS;
  for (const at of [...links.keys()].sort((a, b) => spanOf(a) - spanOf(b) || a - b)) {
    const span = spanOf(at);
    if (span < 1 || span - 1 > left) continue;
    left -= span - 1;
    const { from, to } = links[at]!;
    let before = from;
    for (let rank = (ranks[from] ?? 0) + 1; rank < (ranks[to] ?? 0); rank++) {
      const bend = items.push({ width: 0, height: 0, rank, above: [before], below: [], isLine: true }) - 1;
      items[before]!.below.push(bend);
      ways[at]!.push(bend);
      before = bend;
    }
    items[before]!.below.push(to);
    items[to]!.above.push(before);
  }
  return ways;
}

function rowsOf(items: readonly Item[], order: readonly number[]): number[][] {
  const last = items.reduce((most, { rank }) => Math.max(most, rank), 0);
  const rows = Array.from({ length: last + 1 }, (): number[] => []);
  for (const box of order) rows[items[box]!.rank]!.push(box);
  for (let bend = order.length; bend < items.length; bend++) rows[items[bend]!.rank]!.push(bend);
  return rows;
}

/** Sorts every row by where the neighbours of its items are, downward and upward in turn. */
function arrange(rows: readonly number[][], items: readonly Item[]): void {
  const place = new Float64Array(items.length);
  const number = (row: readonly number[]): void =>
    row.forEach((item, at) => void (place[item] = at - row.length / 2));
  const sort = (row: number[], side: 'above' | 'below'): void => {
    const keys = new Map(row.map((item) => [item, mean(items[item]![side], place) ?? place[item] ?? 0]));
    row.sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
    number(row);
  };
  for (const row of rows) number(row);
  for (let round = 0; round < ORDER_ROUNDS; round++) {
    for (const row of rows) sort(row, 'above');
    if (round < ORDER_ROUNDS - 1) for (const row of rows.toReversed()) sort(row, 'below');
  }
}

function mean(of: readonly number[], place: Float64Array): number | undefined {
  return of.length === 0 ? undefined : of.reduce((sum, item) => sum + (place[item] ?? 0), 0) / of.length;
}

/** x of the middles: each row as near as can be to the middles of the neighbours above, and then below. */
function placesOf(rows: readonly (readonly number[])[], items: readonly Item[]): Float64Array {
  const x = new Float64Array(items.length);
  const settle = (row: readonly number[], wanted: (item: number) => number): void => {
    let offset = 0;
    const offsets = row.map((item, at) => {
      if (at > 0) offset += apart(items[row[at - 1]!]!, items[item]!);
      return offset;
    });
    const places = nearestInOrder(row.map((item, at) => wanted(item) - (offsets[at] ?? 0)));
    row.forEach((item, at) => void (x[item] = (places[at] ?? 0) + (offsets[at] ?? 0)));
  };
  for (let round = 0; round < PLACE_ROUNDS; round++) {
    for (const row of rows) settle(row, (item) => mean(items[item]!.above, x) ?? x[item] ?? 0);
    for (const row of rows.toReversed()) settle(row, (item) => mean(items[item]!.below, x) ?? x[item] ?? 0);
  }
  for (const row of rows) {
    settle(row, (item) => {
      const { above, below } = items[item]!;
      return mean([...above, ...below], x) ?? x[item] ?? 0;
    });
  }
  return x;
}

function apart(a: Item, b: Item): number {
  return (a.width + b.width) / 2 + (a.isLine && b.isLine ? LINE_GAP : GAP);
}

interface RowHeight {
  readonly top: number;
  readonly middle: number;
  readonly bottom: number;
}

function heightsOf(rows: readonly (readonly number[])[], items: readonly Item[]): RowHeight[] {
  let top = 0;
  return rows.map((row) => {
    const height = row.reduce((most, item) => Math.max(most, items[item]!.height), 0);
    const place = { top, middle: top + height / 2, bottom: top + height };
    top += height + RANK_GAP;
    return place;
  });
}
