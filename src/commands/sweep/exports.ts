/** Files for the tools that will do what a sweep has decided. */
import { readFile } from 'node:fs/promises';
import type { LoadedModel } from '../../loader/index.js';
import type { SweepReport } from '../../report/sweep-report.js';
import type { Decision } from './export/decision.js';
import { EXPORTERS } from './export/index.js';
import { exportQdq } from './export/qdq.js';
import type { SweepRequest } from './request.js';

export interface WrittenExport {
  readonly file: string;
  readonly content: string | Uint8Array;
}

/**
 * Before anything is run.
 *
 * @throws UsageError for a tool that does not read such models, or knows no such scheme
 */
export function checkExports(
  asked: SweepRequest['exports'],
  decision: Pick<Decision, 'graph' | 'scheme'>,
): void {
  for (const { kind } of asked) if (kind !== 'qdq') EXPORTERS[kind].check(decision);
}

/**
 * Before the first trial.
 *
 * @param plain everything quantized
 * @throws UnsupportedError where no ONNX model can carry it
 */
export async function checkModelExport(
  asked: SweepRequest['exports'],
  loaded: LoadedModel,
  plain: Pick<Decision, 'graph' | 'lane'>,
): Promise<void> {
  if (asked.some(({ kind }) => kind === 'qdq')) exportQdq(plain, await readFile(loaded.path));
}

export async function exportsOf(
  asked: SweepRequest['exports'],
  loaded: LoadedModel,
  decision: Decision,
): Promise<{ written: WrittenExport; reported: SweepReport['exports'][number] }[]> {
  return Promise.all(
    asked.map(async ({ kind, file }) => {
      const { content, note, lost } =
        kind === 'qdq' ? exportQdq(decision, await readFile(loaded.path)) : EXPORTERS[kind].make(decision);
      return { written: { file, content }, reported: { kind, file, note, lost } };
    }),
  );
}
