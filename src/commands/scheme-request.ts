/** The user's words about a scheme -> Scheme. */
import { readFileSync, statSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { overrideScheme, SCHEMES, type SchemeOverrides } from '../quant/presets.js';
import { parseScheme } from '../quant/scheme-file.js';
import type { Scheme } from '../quant/scheme.js';

/** What the usual toolchain of a format does. */
const DEFAULT_SCHEMES = { onnx: 'ort', tflite: 'tflite' } as const;

const LARGEST_FILE = 1 << 20;

/** The scheme for a model of which the user said nothing but the overrides. */
export function defaultScheme(format: keyof typeof DEFAULT_SCHEMES, overrides: SchemeOverrides): Scheme {
  return schemeFrom(DEFAULT_SCHEMES[format], overrides);
}

/** `name` is that of a preset or a path of a JSON file. */
export function schemeFrom(name: string, overrides: SchemeOverrides): Scheme {
  return overrideScheme(presetNamed(name) ?? parseScheme(readJson(name), name), overrides);
}

/** Only names of presets: `constructor` is a property of every object. */
function presetNamed(name: string): Scheme | undefined {
  return Object.hasOwn(SCHEMES, name) ? SCHEMES[name] : undefined;
}

function readJson(path: string): unknown {
  const stat = statSync(path, { throwIfNoEntry: false });
  const hint = `--scheme ${Object.keys(SCHEMES).join(' | ')} | FILE.json`;
  if (stat?.isFile() !== true)
    throw new UsageError(`--scheme ${path} is neither a scheme's name nor a file`, { hint });
  if (stat.size > LARGEST_FILE)
    throw new UsageError(`--scheme ${path} has ${stat.size} bytes; a scheme has at most ${LARGEST_FILE}`, {
      hint,
    });
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new UsageError(
      `--scheme ${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      { hint, cause },
    );
  }
}
