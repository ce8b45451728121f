/** `qdbg report`: a document that a run has stored, to be rendered again, or the shards of one run, to be put together. */
import { QdbgError, UsageError } from '../errors.js';
import type { AnyReport } from '../report/any-report.js';
import type { Watch } from '../run/samples.js';
import { storedReport } from './report-file.js';
import type { StoredShard } from './shards/compatible.js';
import type { MergeOptions } from './shards/merged.js';

export interface StoredRun {
  readonly command: AnyReport['command'];
  /** Files that are read to put it together. */
  readonly models: readonly string[];
  report(watch: Watch): Promise<AnyReport>;
  /**
   * What went wrong with it in the user's words: parts that do not fit together show when they are rendered.
   *
   * @throws the error, or what stands for it
   */
  readonly explained: (error: unknown) => never;
}

/** @throws UsageError when a file is no document, or several are not shards of one run */
export async function storedRun(files: readonly string[], options: MergeOptions): Promise<StoredRun> {
  const documents = await Promise.all(files.map(storedReport));
  const [first] = documents;
  if (first === undefined)
    throw new UsageError('qdbg report needs a document', { hint: 'qdbg report run.json' });
  const explained = (error: unknown): never => inUsersWords(error, files);
  const isShard = 'shard' in first && first.shard !== undefined;
  if (documents.length === 1 && !(isShard && first.shard.count === 1)) {
    requireNoMerging(options);
    return { command: first.command, models: [], report: () => Promise.resolve(first), explained };
  }
  const { shardsOf } = await import('./shards/stored-shards.js');
  const shards = shardsOf(documents, files);
  const { mergedShards } = await import('./shards/merged.js');
  return {
    command: 'analyze',
    models: modelsOf(shards, options),
    report: (watch) => mergedShards(shards, options, watch),
    explained,
  };
}

function modelsOf(shards: readonly StoredShard[], { model }: MergeOptions): readonly string[] {
  return model === undefined ? shards.slice(0, 1).map(({ state }) => state.request.model) : [model];
}

/** @throws UsageError for flags that would be ignored */
function requireNoMerging({ model, eval: samples, metric }: MergeOptions): void {
  const given = Object.entries({ '--model': model, '--eval': samples, '--metric': metric })
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag);
  if (given.length === 0) return;
  throw new UsageError(`${given.join(', ')}: one document is rendered as it is`, {
    hint: 'qdbg report with all shards of a run',
  });
}

/** Renderers go by what a run writes; a file that somebody has changed can have lists that do not belong together. */
function inUsersWords(error: unknown, files: readonly string[]): never {
  if (error instanceof QdbgError || !(error instanceof Error)) throw error;
  throw new UsageError(`${files.join(' ')}: its parts do not fit together`, {
    places: [error.message],
    hint: 'the file as the run wrote it',
    cause: error,
  });
}
