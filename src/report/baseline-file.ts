/** Reads a baseline: a file that anybody may have edited, merged or made up. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { BASELINE_VERSION, type Baseline } from './baseline.js';

/** Of the text: a network of ten thousand layers has 2 MB. */
export const MOST_BASELINE_BYTES = 16e6;

const text = z.string().max(10_000);
const level = z.union([z.number(), z.literal('exact')]).optional();
const count = z.number().int().min(0);
const data = z.strictObject({ sha256: text, samples: count });
const part = z.strictObject({ quantized: z.number().min(0), total: z.number().min(0) });

const baselineFile = z.strictObject({
  schemaVersion: z.literal(BASELINE_VERSION),
  tool: z.strictObject({ name: z.literal('qdbg'), version: text, runtime: text.optional() }),
  command: z.enum(['analyze', 'compare']),
  models: z
    .array(z.strictObject({ role: z.enum(['reference', 'candidate', 'model']), sha256: text }))
    .max(100),
  data,
  calibration: data.optional(),
  preprocessing: text.optional(),
  scheme: text,
  processor: text.optional(),
  accuracy: z
    .strictObject({
      metric: text,
      samples: count,
      reference: z.number().optional(),
      candidate: z.number().optional(),
    })
    .optional(),
  coverage: z.strictObject({ ops: part, macs: part }),
  layers: z
    .array(
      z.strictObject({
        tensor: text,
        node: text,
        op: text,
        order: count,
        shape: text,
        cumulativeDb: level,
        localDb: level,
      }),
    )
    .max(100_000),
  findings: z
    .array(
      z.strictObject({
        rule: text,
        subject: z.strictObject({ node: text.optional(), tensor: text.optional() }),
      }),
    )
    .max(100_000),
});

const NEW_ONE = '--update-baseline writes a new one';

/**
 * @param json text of the file
 * @param source its name, for messages
 * @throws UsageError when it is no baseline, with everything that is wrong
 */
export function parseBaseline(json: string, source: string): Baseline {
  if (json.length > MOST_BASELINE_BYTES) {
    throw new UsageError(`${source} is no baseline: it has more than ${MOST_BASELINE_BYTES / 1e6} MB`, {
      hint: NEW_ONE,
    });
  }
  const value = jsonOf(json, source);
  const version = field(value, 'schemaVersion');
  if (field(value, 'verdict') !== undefined && field(value, 'tensors') !== undefined) {
    throw new UsageError(`${source} is a report, not a baseline`, { hint: NEW_ONE });
  }
  if (typeof version === 'number' && version > BASELINE_VERSION) {
    throw new UsageError(
      `${source} was written by a newer qdbg: its form is ${version}, this one reads ${BASELINE_VERSION}`,
      { hint: 'npm install --save-dev qdbg@latest' },
    );
  }
  const parsed = baselineFile.safeParse(value);
  if (parsed.success) return parsed.data as Baseline;
  throw new UsageError(`${source} is no baseline`, {
    places: parsed.error.issues.map(
      ({ path, message }) => `${path.length === 0 ? 'baseline' : path.map(String).join('.')}: ${message}`,
    ),
    hint: NEW_ONE,
  });
}

function jsonOf(json: string, source: string): unknown {
  try {
    return JSON.parse(json.startsWith('\uFEFF') ? json.slice(1) : json);
  } catch (cause) {
    const isUnmerged = /^(<<<<<<<|>>>>>>>) /m.test(json);
    throw new UsageError(
      isUnmerged
        ? `${source} has conflict markers of a merge`
        : `${source} is no baseline: ${json.trim() === '' ? 'it is empty' : 'it is not JSON'}`,
      { hint: NEW_ONE, cause },
    );
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
