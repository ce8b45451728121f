/** Documents of shards with what each hands on, read from files that anybody may have changed. */
import { UsageError } from '../../errors.js';
import type { AnyReport } from '../../report/any-report.js';
import { problemsWith } from '../report-check.js';
import type { StoredShard } from './compatible.js';
import type { ShardState } from './shard-state.js';
import { stateOfText } from './state-text.js';

/** @throws UsageError for documents that are no shards, and for shards whose state cannot be read */
export function shardsOf(documents: readonly AnyReport[], files: readonly string[]): StoredShard[] {
  const others = documents.flatMap((document, i) =>
    'shard' in document && document.shard !== undefined
      ? []
      : [`${files[i] ?? ''}: qdbg ${document.command}`],
  );
  if (others.length > 0) {
    throw new UsageError(
      others.length === documents.length
        ? `${documents.length} documents that are no shards: one at a time is rendered`
        : 'shards of a run, and documents that are none',
      { places: others, hint: `qdbg report ${files[0] ?? 'run.json'}` },
    );
  }
  return documents.flatMap((report, i): StoredShard[] => {
    if (report.command !== 'analyze' || report.shard === undefined) return [];
    const file = files[i] ?? '';
    return [{ file, report, shard: report.shard, state: stateIn(report.shard.state, file) }];
  });
}

function stateIn(text: string, file: string): ShardState {
  let state: unknown;
  try {
    state = stateOfText(text);
  } catch (cause) {
    throw new UsageError(`${file}: what this shard hands on cannot be read`, {
      hint: 'the file as qdbg analyze --shard wrote it',
      cause,
    });
  }
  const problems = problemsWith(state, 'ShardState');
  if (problems.length === 0) return state as ShardState;
  throw new UsageError(`${file}: what this shard hands on is not as it should be`, {
    places: problems,
    hint: 'the file as qdbg analyze --shard wrote it',
  });
}
