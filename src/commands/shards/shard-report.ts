/** The document of one shard: its own numbers, which decide nothing, and what the others are put together with. */
import { createHash } from 'node:crypto';
import type { Report } from '../../report/report.js';
import { calibrationState, type CalibrationState } from '../../run/calibration-state.js';
import { sumsState } from '../../run/measure-state.js';
import { processor } from '../../run/original/cpu.js';
import type { PreparedAnalysis } from '../analyze.js';
import type { Ran } from '../analyze-run.js';
import { laneDigest } from '../sweep/trials/lane-digest.js';
import { storedRequest, type OfAllSamples, type ShardState } from './shard-state.js';
import { textOfState } from './state-text.js';
import type { ShardWindow } from './window.js';

/** @param report of the shard's own samples */
export async function shardReport(
  prepared: PreparedAnalysis,
  ran: Ran & { readonly window: ShardWindow },
  extents: ReadonlyMap<string, readonly number[]>,
  report: Report,
): Promise<Report> {
  const { window, calibration, seen, part } = ran;
  const { momentum } = prepared.passes;
  const ranges = calibrationState(seen, momentum);
  const isSplit = seen !== calibration;
  const accuracy = part.state?.();
  const { calib, eval: evaluation } = report.data;
  if (calib === undefined) throw new RangeError('an analysis without calibration data');
  const state: ShardState = {
    request: storedRequest(prepared.request),
    extents: [...extents].map(([input, dims]) => ({ input, dims })),
    data: {
      calib: bare(calib, part.assumed.length, evaluation === undefined),
      ...(evaluation === undefined ? {} : { eval: bare(evaluation, part.assumed.length, true) }),
    },
    isSmoke: ran.isSmoke,
    laneDigest: laneDigest(ran.lane),
    rangesDigest: digestOf(ranges),
    processor: (await processor()).text,
    sums: sumsState(ran.sums),
    counts: isSplit ? ranges.counts : [],
    ...(accuracy === undefined ? {} : { accuracy }),
    noAccuracy: part.notMeasured,
    ...(window.index === 1 ? { once: onceOf(prepared, ran, isSplit ? ranges : undefined) } : {}),
  };
  const { index, count, from, to, all } = window;
  const { schemaVersion, tool, command, ...rest } = report;
  const name = `shard ${index} of ${count}`;
  return {
    schemaVersion,
    tool,
    command,
    shard: { index, count, samples: { from, to, all }, state: textOfState(state) },
    ...rest,
    verdict: {
      ...report.verdict,
      summary: `${name}, ${to - from} of ${all} samples, which decides nothing: ${report.verdict.summary}`,
    },
    notMeasured: [
      ...report.notMeasured,
      {
        subject: 'the gate',
        reason: `${name}: qdbg report with the documents of all shards decides`,
      },
    ],
  };
}

/** What was assumed of labels is told when all shards are there. */
function bare<D extends { readonly assumed: readonly unknown[] }>(
  data: D,
  more: number,
  isMeasured: boolean,
): D {
  return isMeasured && more > 0 ? { ...data, assumed: data.assumed.slice(0, -more) } : data;
}

function onceOf(
  { passes: { momentum } }: PreparedAnalysis,
  { calibration, studies }: Ran,
  seen: CalibrationState | undefined,
): OfAllSamples {
  const { calib, data, outputs, saturation } = studies;
  return {
    calibration: calibrationState(calibration, momentum),
    ...(seen === undefined ? {} : { seen: { ...seen, counts: [] } }),
    ...(calib === undefined ? {} : { calib }),
    ...(data === undefined ? {} : { eval: data }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(saturation === undefined ? {} : { saturation }),
  };
}

/** Of the ranges: histograms are counted over them. */
function digestOf({ edges }: CalibrationState): string {
  const ranges = edges.map(({ tensor, min, max, nonFinite }) => [tensor, min, max, nonFinite]);
  return createHash('sha256').update(JSON.stringify(ranges)).digest('hex');
}
