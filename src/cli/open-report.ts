/** `--open`: shows a report that was written in the user's browser. */
import { resolve } from 'node:path';
import { HTML_FILE } from './html-file.js';
import type { Target } from './targets.js';

/** The reports with an HTML one among them, which `--open` is about. */
export function withHtml(targets: readonly Target[]): Target[] {
  return targets.some(isPage) ? [...targets] : [...targets, { reporter: 'html', file: HTML_FILE }];
}

/** The report that `--open` shows: the first HTML one in a file. */
export function pageIn(targets: readonly Target[]): string | undefined {
  return targets.find(isPage)?.file;
}

function isPage({ reporter, file }: Target): boolean {
  return reporter === 'html' && file !== undefined;
}

/** @returns why it cannot be shown; the report is written all the same */
export async function openPage(file: string): Promise<string | undefined> {
  const { default: open } = await import('open');
  try {
    await open(resolve(file));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
