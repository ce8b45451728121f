import { deserialize, serialize } from 'node:v8';
import { beforeAll, describe, expect, it } from 'vitest';
import { chunksOf } from '../../../src/commands/sweep/trials/chunks.js';
import { LaneCosts } from '../../../src/commands/sweep/trials/lane-cost.js';
import { laneDigest } from '../../../src/commands/sweep/trials/lane-digest.js';
import { SharedObjects } from '../../../src/commands/sweep/trials/shared-objects.js';
import { packed, unpacked } from '../../../src/commands/sweep/trials/wire.js';
import { ladderProgram } from '../../../src/compile/ladder-program.js';
import { FLOAT_LANE, type Lane, type QuantParams } from '../../../src/ir/lane.js';
import { lastBias, sweptDigits, withConstant, type Swept } from '../../support/swept.js';

const ROOM = { nodes: 1e9, bytes: 1e15 };

let swept: Swept;
let lanes: readonly Lane[];
beforeAll(async () => {
  swept = await sweptDigits({ samples: 4 });
  lanes = swept.trials.map(({ lane }) => lane);
});

const chunked = (options: Partial<Parameters<typeof chunksOf>[3]>): ReturnType<typeof chunksOf> =>
  chunksOf(swept.ground.graph, swept.ground.ends, lanes, {
    processes: 1,
    fetched: false,
    limits: ROOM,
    ...options,
  });

/** Quantizers of their own objects, as of a lane that was made anew. */
const copied = (lane: Lane): Lane => {
  const params = ({ scale, zeroPoint, ...rest }: QuantParams): QuantParams => ({
    ...rest,
    scale: Float32Array.from(scale),
    zeroPoint: Int32Array.from(zeroPoint),
  });
  const all = <K>(map: ReadonlyMap<K, QuantParams>) =>
    new Map([...map].map(([key, of]) => [key, params(of)] as const));
  return { ...lane, tensors: all(lane.tensors), uses: all(lane.uses) };
};

const nodesOf = (of: readonly Lane[]): number =>
  ladderProgram(swept.ground.graph, of, swept.ground.ends, undefined, { guarded: false, mostRanked: 0 }).model
    .nodeCount;

describe('chunks', () => {
  it('are one where there is room, and hold every lane once, in order, where there is not', () => {
    expect(chunked({}).map(({ start, end }) => [start, end])).toEqual([[0, lanes.length]]);
    for (const nodes of [1, 60, 150, 300]) {
      const chunks = chunked({ limits: { ...ROOM, nodes } });
      expect(chunks[0]!.start).toBe(0);
      expect(chunks.at(-1)!.end).toBe(lanes.length);
      chunks.slice(1).forEach(({ start }, at) => expect(start).toBe(chunks[at]!.end));
    }
    expect(chunked({ limits: { ...ROOM, nodes: 1 } })).toHaveLength(lanes.length);
  });

  it('are smaller where memory is less, and where outputs are handed out', () => {
    const few = chunked({ limits: { ...ROOM, bytes: 20_000 } }).length;
    expect(few).toBeGreaterThan(1);
    expect(chunked({ limits: { ...ROOM, bytes: 10_000 } }).length).toBeGreaterThan(few);
    // 10 classes of 4 bytes, of float and of each lane.
    const handedOut = chunked({ fetched: true, limits: { ...ROOM, bytes: 400 } });
    expect(handedOut.length).toBeGreaterThanOrEqual(lanes.length / 9);
  });

  it('cost about the same where there are several processes, one for each', () => {
    const costs = chunked({ processes: 2 }).map(({ cost }) => cost);
    expect(costs).toHaveLength(2);
    const [whole] = chunked({});
    expect(Math.max(...costs)).toBeLessThan(0.75 * whole!.cost);
    expect(Math.min(...costs)).toBeGreaterThan(0.4 * Math.max(...costs));
    expect(chunked({ processes: 1000 }).length).toBeLessThanOrEqual(lanes.length / 4);
  });

  it('tell how many nodes lanes share within a fifth of what is compiled', () => {
    const { graph, ends } = swept.ground;
    const costs = new LaneCosts(graph, ends);
    const half = lanes.length / 2;
    for (const some of [lanes.slice(0, 1), lanes.slice(0, half), lanes.slice(half), lanes]) {
      const pieces = new Set([...costs.float, ...some.flatMap((lane) => costs.lane(lane))]);
      const told = [...pieces].reduce((sum, piece) => sum + costs.nodes[piece]!, 0);
      const compiled = nodesOf(some);
      expect(told / compiled).toBeGreaterThan(0.8);
      expect(told / compiled).toBeLessThan(1.35);
    }
  });

  it('of a lane that is there twice cost it once', () => {
    const { graph, ends } = swept.ground;
    const [first] = lanes as [Lane];
    const twice = [first, copied(first)];
    const [chunk] = chunksOf(graph, ends, twice, { processes: 1, fetched: false, limits: ROOM });
    const [once] = chunksOf(graph, ends, [first], { processes: 1, fetched: false, limits: ROOM });
    expect(chunk!.cost).toBe(once!.cost);
  });
});

describe('lanes with objects in common', () => {
  it('share in the program what their contents share, and not less than with the objects of one lane', () => {
    const half = lanes.slice(lanes.length / 2);
    const apart = half.map(copied);
    const joined = new SharedObjects().lanes(apart);
    expect(nodesOf(joined)).toBe(nodesOf(half));
    expect(nodesOf(joined)).toBeLessThan(nodesOf(apart));
  });

  it('come out of a message with the same contents and as many objects', () => {
    const { graph } = swept.ground;
    const own = withConstant(graph, lanes[0]!, lastBias(graph), (values) => void (values[0] = 7));
    const { data, id } = graph.tensors.find((tensor) => tensor.data !== undefined)!;
    const of = { ...lanes[1]!, values: new Map([[id, data!]]) };
    const trials = [...lanes, own, { ...own, name: 'again' }, of].map((lane, at) => ({ id: `t${at}`, lane }));
    const message: unknown = deserialize(serialize(packed(graph, trials)));
    const back = unpacked(graph, message as ReturnType<typeof packed>);
    expect(back.map((trial) => laneDigest(trial.lane))).toEqual(trials.map(({ lane }) => laneDigest(lane)));
    const objects = (all: readonly { lane: Lane }[]): number =>
      new Set(all.flatMap(({ lane }) => [...lane.tensors.values(), ...lane.uses.values()])).size;
    expect(objects(back)).toBe(objects(trials));
    const values = (at: number): unknown => [...(back.at(at)!.lane.values ?? [])][0]?.[1];
    expect(values(-3)).toBe(values(-2));
    expect(values(-1)).toBe(data);
    expect(nodesOf(back.slice(0, lanes.length).map(({ lane }) => lane))).toBe(nodesOf(lanes));
  });

  it('are the same objects in the next message', () => {
    const shared = new SharedObjects();
    const [first] = shared.lanes(lanes.slice(0, 1)) as [Lane];
    const [second] = shared.lanes([copied(lanes[0]!)]) as [Lane];
    expect(
      [...second.tensors.values()].every((params, at) => params === [...first.tensors.values()][at]),
    ).toBe(true);
  });

  it('have other digests when anything that counts differs', () => {
    const { graph } = swept.ground;
    const [lane] = lanes as [Lane];
    const [[tensor, params]] = [...lane.tensors] as [[never, QuantParams]];
    const changed = (change: Partial<QuantParams>): Lane => ({
      ...lane,
      tensors: new Map([...lane.tensors, [tensor, { ...params, ...change }]]),
    });
    const others: Lane[] = [
      changed({ qmin: params.qmin + 1 }),
      changed({ dtype: 'int16' }),
      changed({ scale: Float32Array.from(params.scale, (scale) => scale * 2) }),
      changed({ zeroPoint: Int32Array.from(params.zeroPoint, (point) => point + 1) }),
      { ...lane, arithmetic: 'tflite' },
      { ...lane, uses: new Map([...lane.uses, ['0:0', params]]) },
      withConstant(graph, lane, lastBias(graph), (values) => void (values[0] = 7)),
      FLOAT_LANE,
    ];
    const digests = [lane, ...others].map(laneDigest);
    expect(new Set(digests).size).toBe(digests.length);
    expect(laneDigest({ ...copied(lane), name: 'another' })).toBe(laneDigest(lane));
  });
});
