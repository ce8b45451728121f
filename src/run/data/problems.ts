/** Everything that is wrong with the files of a data set, reported at once. */
import { DataError } from '../../errors.js';
import type { Exclusion } from './dataset.js';
import { atMost } from './files.js';

/** Problems of named items, collected until all items have been looked at. */
export class Problems {
  readonly #found: Exclusion[] = [];
  #hint: string | undefined;

  get found(): readonly Exclusion[] {
    return this.#found;
  }

  add(id: string, error: DataError): void {
    this.#found.push({ id, reason: error.message });
    this.#hint ??= error.hint;
  }

  /**
   * @param hint for when the problems themselves bring none.
   * @throws DataError naming every item with a problem, when there is one.
   */
  throwIfAny(total: number, hint?: string): void {
    const [first] = this.#found;
    if (first === undefined) return;
    const chosen = this.#hint ?? hint;
    const details = chosen === undefined ? {} : { hint: chosen };
    const lines = this.#found.map(({ id, reason }) => `${id}: ${reason}`);
    if (lines.length === 1) throw new DataError(lines[0]!, details);
    throw new DataError(`${lines.length} of ${total} files cannot be used`, {
      ...details,
      places: atMost(lines),
    });
  }
}

/** The flag by which unreadable samples are left out. */
export const SKIP_HINT = '--skip-unreadable leaves out what cannot be read';

/**
 * Opens every item. Those that cannot be read are left out if that is allowed.
 *
 * @throws DataError naming every item that cannot be read, unless they may be left out.
 */
export async function openAll<T extends { readonly id: string }, R>(
  items: readonly T[],
  skipUnreadable: boolean,
  open: (item: T) => Promise<R>,
): Promise<{ readonly opened: readonly R[]; readonly excluded: readonly Exclusion[] }> {
  const problems = new Problems();
  const opened: R[] = [];
  for (const item of items) {
    try {
      opened.push(await open(item));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      problems.add(item.id, error);
    }
  }
  if (!skipUnreadable || opened.length === 0) {
    problems.throwIfAny(items.length, opened.length > 0 ? SKIP_HINT : undefined);
  }
  return { opened, excluded: problems.found };
}
