/** What sweeps of fixtures stand on: everything before the first trial, and trials in this process. */
import { fileURLToPath } from 'node:url';
import { analyze, type AnalyzeRequest } from '../../../src/commands/analyze.js';
import { effectBasis, type EffectBasis } from '../../../src/commands/sweep/effects.js';
import { LocalRunner } from '../../../src/commands/sweep/trials/local-runner.js';
import type { SweepRequest } from '../../../src/commands/sweep/request.js';
import { opened, prepared, type Prepared } from '../../../src/commands/sweep/prepared.js';
import { SharedTrials } from '../../../src/commands/sweep/trials/shared-trials.js';
import { SCHEMES } from '../../../src/quant/presets.js';
import type { Scheme } from '../../../src/quant/scheme.js';
import { NO_SELECTION, type Selection } from '../../../src/quant/select.js';
import type { MeasuredReport } from '../../../src/report/evaluated.js';
import type { Report } from '../../../src/report/report.js';
import { withExtents } from '../../../src/run/samples.js';
import { UNWATCHED } from '../../support/measured-networks.js';
import { UNJUDGED } from '../../support/requests.js';

export function fixture(path: string): string {
  return fileURLToPath(new URL(`../../../fixtures/${path}`, import.meta.url));
}

export interface SweptGround {
  readonly prepared: Prepared;
  readonly trials: SharedTrials;
  readonly basis: EffectBasis;
}

export interface Asked {
  readonly model: string;
  readonly calib: string;
  /** With labels beside them. */
  readonly eval?: string;
  readonly scheme?: Scheme;
  readonly selection?: Selection;
  readonly samples?: number;
}

export const DIGITS: Asked = {
  model: fixture('digits/digits.onnx'),
  calib: fixture('digits/calib'),
  samples: 8,
};

function dataOf({ samples }: Asked): AnalyzeRequest['data'] {
  return {
    preprocessing: { preset: 'unit' },
    shapes: new Map(),
    skipUnreadable: false,
    ...(samples === undefined ? {} : { samples }),
  };
}

export async function sweptGround(asked: Asked): Promise<SweptGround> {
  const { model, calib, selection = NO_SELECTION } = asked;
  const request: SweepRequest = {
    model,
    calib: [calib],
    eval: asked.eval === undefined ? [] : [asked.eval],
    data: dataOf(asked),
    ...(asked.scheme === undefined ? {} : { scheme: asked.scheme }),
    selection,
    accuracy: UNJUDGED.accuracy,
    parts: new Set(),
    groups: new Map(),
    to: 'float',
    exports: [],
    processes: 1,
    threads: 1,
    timestamp: false,
  };
  const ready = await prepared(await opened(request), request, UNWATCHED);
  const { simulated, ends, extents, evaluation } = ready;
  const measured = evaluation ?? ready.calib;
  const samples = withExtents(measured, extents);
  const trials = new SharedTrials(
    new LocalRunner({
      graph: simulated.simulation.graph,
      ends,
      samples,
      ...(evaluation === undefined
        ? {}
        : { evaluation: { dataset: measured, samples, request: UNJUDGED.accuracy } }),
      threads: 1,
    }),
  );
  const score = evaluation !== undefined;
  const [quantized] = await trials.run([{ id: 'everything', lane: simulated.lane }], { noise: true, score });
  if (quantized === undefined) throw new Error('nothing came of the whole network');
  return { prepared: ready, trials, basis: effectBasis(quantized, score ? 'higher' : undefined) };
}

/** The command itself, on the same samples. */
export async function analyzed(
  asked: Asked,
  changes: Pick<Partial<AnalyzeRequest>, 'scheme' | 'selection'>,
): Promise<Report> {
  return analyze(
    {
      model: asked.model,
      calib: [asked.calib],
      eval: [],
      data: dataOf(asked),
      scheme: asked.scheme ?? SCHEMES['ort']!,
      selection: asked.selection ?? NO_SELECTION,
      channels: [],
      ladder: false,
      ...UNJUDGED,
      threads: 1,
      timestamp: false,
      ...changes,
    },
    UNWATCHED,
  );
}

/** At the output of that name; undefined where nothing is lost. */
export function outputSqnr({ tensors }: Pick<MeasuredReport, 'tensors'>, name: string): number | undefined {
  const row = tensors.find(({ tensor }) => tensor === name);
  if (row?.cumulative === undefined) throw new Error(`${name} was not measured`);
  return row.cumulative.sqnrDb;
}
