/** Whether shards are all the shards of one run. */
import { UsageError } from '../../errors.js';
import type { Report } from '../../report/report.js';
import { VERSION } from '../../version.js';
import type { ShardState, StoredRequest } from './shard-state.js';

export interface StoredShard {
  readonly file: string;
  readonly report: Report;
  readonly shard: NonNullable<Report['shard']>;
  readonly state: ShardState;
}

/** Flags by the key of the request that they are in. */
const FLAGS: Readonly<Record<string, string>> = {
  scheme: '--scheme',
  schemeOverrides: '--weights, --activations and their like',
  selection: '--only and --skip',
  channels: '--channels',
  ladder: '--ladder',
  accuracy: '--labels, --metric and their like',
  gate: '--max-drop, --min-sqnr and their like',
  data: '--samples and preprocessing',
};

/**
 * @returns the shards in their order
 * @throws UsageError when one is missing or there twice, or when they are of different runs, with all that differs
 */
export function oneRun(shards: readonly StoredShard[]): readonly [StoredShard, ...StoredShard[]] {
  const sorted = [...shards].sort((a, b) => a.shard.index - b.shard.index);
  const [first, ...others] = sorted;
  if (first === undefined) throw new RangeError('no shards');
  const places = sorted.flatMap((shard) => differences(first, shard));
  if (first.report.tool.version !== VERSION)
    places.push(`they were run by qdbg ${first.report.tool.version}, this is ${VERSION}`);
  if (places.length > 0) {
    throw new UsageError('these are not the shards of one run', {
      places,
      hint: 'the same command in every job, apart from --shard',
    });
  }
  requireAll(sorted, first.shard.count);
  return [first, ...others];
}

function requireAll(sorted: readonly StoredShard[], count: number): void {
  const twice = sorted.filter(({ shard }, i) => sorted[i + 1]?.shard.index === shard.index);
  if (twice.length > 0) {
    throw new UsageError('the same shard is there twice', {
      places: sorted.flatMap(({ file, shard }) =>
        twice.some((other) => other.shard.index === shard.index)
          ? [`${file}: shard ${shard.index} of ${count}`]
          : [],
      ),
      hint: 'qdbg report with one document of each shard',
    });
  }
  const there = new Set(sorted.map(({ shard }) => shard.index));
  // A document can claim any number of shards.
  const missing: number[] = [];
  for (let index = 1; index <= count && missing.length < MOST_NAMED; index++)
    if (!there.has(index)) missing.push(index);
  if (missing.length > 0) {
    const all = count - there.size;
    const more = all > missing.length ? ` and ${all - missing.length} more` : '';
    throw new UsageError(
      `${all === 1 ? 'shard' : 'shards'} ${missing.join(', ')}${more} of ${count} ${all === 1 ? 'is' : 'are'} missing`,
      { hint: `--shard ${missing[0] ?? 1}/${count} --report json=shard${missing[0] ?? 1}.json` },
    );
  }
  let end = 0;
  for (const { file, shard } of sorted) {
    const { from, to, all } = shard.samples;
    if (from !== end || to < from || (shard.index === count && to !== all))
      throw new UsageError(`${file} measures samples ${from} to ${to}, wanted are those from ${end} on`);
    end = to;
  }
}

const MOST_NAMED = 20;

function differences(first: StoredShard, other: StoredShard): string[] {
  const what: [name: string, of: (shard: StoredShard) => string][] = [
    ['number of shards', ({ shard }) => String(shard.count)],
    ['version of qdbg', ({ report }) => report.tool.version],
    ['ONNX Runtime', ({ report }) => String(report.tool.runtime)],
    [
      'model',
      ({ report }) =>
        report.models.map(({ path, sha256 }) => `${path}, sha256 ${sha256.slice(0, 12)}`).join(),
    ],
    ['calibration data', ({ state }) => dataOf(state.data.calib)],
    ['evaluation data', ({ state }) => (state.data.eval === undefined ? 'none' : dataOf(state.data.eval))],
    ['samples in all', ({ shard }) => String(shard.samples.all)],
  ];
  const keys = [...new Set([first, other].flatMap(({ state }) => Object.keys(comparable(state.request))))];
  for (const key of keys) {
    const part = ({ state }: StoredShard): string =>
      JSON.stringify(comparable(state.request)[key]) ?? 'not given';
    what.push([FLAGS[key] ?? key, part]);
  }
  const differing = what.flatMap(([name, of]) => {
    const [own, wanted] = [of(other), of(first)];
    const isSame =
      name === 'model'
        ? hashes(other) === hashes(first)
        : name.endsWith('data')
          ? digest(own) === digest(wanted)
          : own === wanted;
    return isSame ? [] : [`${other.file}: ${name} is ${short(own)}, in ${first.file} it is ${short(wanted)}`];
  });
  if (differing.length > 0 || first.shard.index === other.shard.index) return differing;
  const isCalibrated =
    first.state.laneDigest === other.state.laneDigest &&
    first.state.rangesDigest === other.state.rangesDigest;
  return isCalibrated
    ? []
    : [
        `${other.file}: calibration has given other ranges (on ${other.state.processor}) than in ${first.file} (on ${first.state.processor})`,
      ];
}

/** What may differ from job to job: where files lie, and what changes no number. */
const FREE: ReadonlySet<string> = new Set<keyof StoredRequest>([
  'model',
  'calib',
  'eval',
  'threads',
  'timestamp',
]);

function comparable({ gate, ...request }: StoredRequest): Readonly<Record<string, unknown>> {
  const fixed = Object.entries(request).filter(([key]) => !FREE.has(key));
  // Suppressions expire when the shards are put together.
  return { ...Object.fromEntries(fixed), gate: { ...gate, today: '' } };
}

function hashes({ report }: StoredShard): string {
  return report.models.map(({ sha256 }) => sha256).join();
}

function dataOf({ path, samples, sha256 }: ShardState['data']['calib']): string {
  return `${samples} samples of ${path}, sha256 ${sha256}`;
}

function digest(data: string): string {
  return data.slice(data.lastIndexOf(' ') + 1);
}

const LONGEST = 120;

function short(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
