/** Decoders of the user's own: `--decode ./decode.js`. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataError, QdbgError, UsageError } from '../../errors.js';
import type { DecodeContext, Decoder, NetworkOutput, Prediction, PredictionKind } from './prediction.js';
import { KINDS, checkedPrediction, isKind } from './user-prediction.js';

/** Numbers in an array of any type. */
export type UserNumbers = ArrayLike<number>;

export interface UserBox {
  /** Edges as shares of the width and height of the model's input, from its upper left corner; they may lie outside 0..1. */
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** Class of the model, a whole number from 0. */
  readonly label: number;
  /** Larger for surer. */
  readonly score: number;
}

/** What a decoder returns for one sample. */
export type UserPrediction =
  /** A score for each class, larger for more likely. */
  | { readonly kind: 'scores'; readonly scores: UserNumbers }
  /** The class, a whole number from 0. */
  | { readonly kind: 'class'; readonly label: number }
  /** The class of each of width x height cells over the model's input, row by row. */
  | {
      readonly kind: 'mask';
      readonly width: number;
      readonly height: number;
      readonly data: UserNumbers;
      /** Classes that the network tells apart. */
      readonly classes?: number;
      /** Cells whose largest score several classes share. */
      readonly ties?: number;
      /** Cells with scores that are not finite. */
      readonly nonFinite?: number;
    }
  /** Detections after non-maximum suppression; `nonFinite` counts those left out for values that are not finite. */
  | { readonly kind: 'boxes'; readonly boxes: readonly UserBox[]; readonly nonFinite?: number }
  /** Numbers to be compared one by one. */
  | { readonly kind: 'values'; readonly data: UserNumbers };

/**
 * Turns the outputs of one sample into a prediction. It may be asynchronous. Outputs are copies, in the order of the model
 * file, row-major, quantized ones as real values.
 */
export type UserDecode = (
  outputs: readonly NetworkOutput[],
  context: DecodeContext,
) => UserPrediction | Promise<UserPrediction>;

/** Default export of a module for `--decode`: the function alone, with `export const kind` beside it, or both in an object. */
export type UserDecoder = UserDecode | { readonly decode: UserDecode; readonly kind?: PredictionKind };

/** What is not the name of a decoder: `./decode.js`, `/home/me/decode.mjs`, `decode.ts`. */
export function isModulePath(decode: string): boolean {
  return /^\.{0,2}[/\\]|\.[cm]?[jt]s$/i.test(decode);
}

/** Milliseconds for one sample. A loop that never gives up the thread cannot be stopped from within the process. */
const PATIENCE_MS = 60_000;

/**
 * @param path of the module, relative to the working directory.
 * @param wanted kinds that labels and metric can use; the first is the module's where it does not say.
 * @throws UsageError when there is no such file
 * @throws DataError when it cannot be loaded, exports no decoder, or one of a kind that is not wanted
 */
export async function loadUserDecoder(
  path: string,
  wanted: readonly PredictionKind[] | undefined,
  patienceMs = PATIENCE_MS,
): Promise<Decoder> {
  const { decode, kind: said } = await exported(path, patienceMs);
  if (said !== undefined && !isKind(said)) {
    throw new DataError(`${path} exports the kind ${shown(said)}; it can be ${KINDS.join(', ')}`);
  }
  if (said !== undefined && wanted !== undefined && !wanted.includes(said)) {
    throw new DataError(`${path} exports the kind ${said}; labels and metric take ${wanted.join(' or ')}`, {
      hint: '--metric',
    });
  }
  const kind = said ?? wanted?.[0];
  if (kind === undefined) {
    throw new DataError(`${path} does not say what its predictions are: ${KINDS.join(', ')}`, {
      hint: "export const kind = 'scores';",
    });
  }
  const allowed = said === undefined ? (wanted ?? [kind]) : [said];
  return {
    name: path,
    kind,
    description: `${path}: ${allowed.join(' or ')}`,
    decode: (outputs, context) => called(path, decode, allowed, outputs, context, patienceMs),
  };
}

/** The function and the kind that the module exports. */
async function exported(path: string, patienceMs: number): Promise<{ decode: UserDecode; kind: unknown }> {
  const file = resolve(path);
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new UsageError(`--decode ${path}: there is no such file`, {
      hint: '--decode NAME or the path of a module',
    });
  }
  let module: Record<string, unknown>;
  try {
    module = await within(patienceMs, import(pathToFileURL(file).href) as Promise<Record<string, unknown>>);
  } catch (error) {
    // Node.js does not say where in the file it stumbled; its own check does.
    const hint = error instanceof SyntaxError ? { hint: `node --check ${path}` } : {};
    throw new DataError(`${path} cannot be loaded: ${reason(error)}`, { cause: error, ...hint });
  }
  // CommonJS modules that were compiled from ES modules have their default export within it.
  const own = module['default'];
  const value = isObject(own) && isObject(own['default']) ? own['default'] : own;
  const decode = isObject(value) && typeof value !== 'function' ? value['decode'] : value;
  if (typeof decode !== 'function') {
    const found = value === undefined ? 'no default export' : `the default export ${shown(value)}`;
    throw new DataError(`${path} has ${found}; a function (outputs, context) => prediction is wanted`, {
      hint: 'export default function decode(outputs, context) { … }',
    });
  }
  const kind = (isObject(value) ? value['kind'] : undefined) ?? module['kind'];
  return { decode: decode as UserDecode, kind };
}

async function called(
  path: string,
  decode: UserDecode,
  allowed: readonly PredictionKind[],
  outputs: readonly NetworkOutput[],
  context: DecodeContext,
  patienceMs: number,
): Promise<Prediction> {
  const where = context.sample === undefined ? path : `${path}, sample ${context.sample}`;
  let result: unknown;
  try {
    // Copies: the outputs are measured as well.
    const given = outputs.map(({ name, dims, data }) => ({ name, dims: [...dims], data: data.slice() }));
    result = await within(patienceMs, Promise.resolve(decode(given, context)));
  } catch (error) {
    throw new DataError(`${where}: ${reason(error)}`, { cause: error });
  }
  return checkedPrediction(result, allowed, where);
}

/** @throws QdbgError when it takes longer */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new QdbgError(`it did not answer within ${milliseconds / 1000} s`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a module threw, in one line. */
function reason(error: unknown): string {
  if (error instanceof QdbgError) return error.message;
  if (error instanceof Error) return `it threw ${shown(`${error.name}: ${error.message}`)}`;
  return `it threw ${shown(error)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A value of a user's module in a few words; it may be anything. */
function shown(value: unknown): string {
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'array' : 'object';
  return String(value).replace(/\s+/g, ' ').slice(0, 200);
}
