/** Label files that are text. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { DataError } from '../../errors.js';
import { reasonOf, statOf } from '../data/files.js';

/** 512 MiB, less the few bytes that the longest string of V8 lacks. */
const MAX_BYTES = 2 ** 29 - 24;

/**
 * The text of a UTF-8 file, without a byte order mark.
 *
 * @throws DataError when there is no such file, it is too large, or its bytes are no UTF-8 text.
 */
export async function readText(path: string, maxBytes = MAX_BYTES): Promise<string> {
  const name = basename(path);
  const stats = await statOf(path).catch((cause: unknown) => {
    throw new DataError(`${path}: ${(cause as Error).message}`, { cause });
  });
  if (!stats.isFile()) throw new DataError(`${path} is not a file`);
  if (stats.size > maxBytes) {
    throw new DataError(`${name} has ${stats.size} bytes; text of up to ${maxBytes} is read`);
  }
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new DataError(`${path}: ${reasonOf(cause)}`, { cause });
  });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${name} is not UTF-8 text`, { cause });
  }
  if (text.includes('\0')) throw new DataError(`${name} is not text: it holds zero bytes`);
  return text;
}

/** @throws DataError saying where the text stops being JSON. */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    const isCut = /end of JSON|Unterminated/i.test(message);
    // The message repeats the text around the place, which may be long or hold control characters.
    const reason = isCut ? 'it ends too early' : firstLine(message);
    throw new DataError(`${name} is not JSON: ${reason}`, {
      hint: '--labels FILE that is whole, or --labels none',
      cause,
    });
  }
}

function firstLine(message: string): string {
  return message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 120);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value out of a file as a message shows it: lists and objects by what they directly hold, they may be nested without end. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) {
    const isPlain = value.length <= 4 && value.every((cell) => typeof cell !== 'object' || cell === null);
    return isPlain ? `[${value.map(shownValue).join(', ')}]` : `a list of ${value.length}`;
  }
  if (isRecord(value)) return `an object of ${Object.keys(value).slice(0, 5).join(', ').slice(0, 60)}`;
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
