/**
 * Flags from a file: `--config FILE`, else qdbg.config.{json,js,mjs} in this folder or the nearest one above. Every flag has a
 * key of the same name in camel case (`perAxis`, `skipUnreadable`); flags on the command line win.
 */
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Command, Option } from '@commander-js/extra-typings';
import { lilconfig } from 'lilconfig';
import type { Suppression } from '../commands/gate-request.js';
import { UsageError } from '../errors.js';

/** A configuration module has this long to export its settings. */
const MOST_SECONDS = 10;

export interface AppliedConfig {
  readonly file: string;
  /** Findings that are accepted. */
  readonly suppressions: readonly Suppression[];
  /** Networks that a sweep also tries, as the file says them; whoever runs them reads them. */
  readonly experiments?: unknown;
  /** Name -> patterns of layers that a sweep looks at as one, likewise. */
  readonly groups?: unknown;
}

/** Not a flag: a list of findings that are accepted, each with its reason. */
const SUPPRESS = 'suppress';
/** Nor are these, of `qdbg sweep`. */
const SWEPT = ['experiments', 'groups'] as const;

/** Sets what the file says and the command line does not. Values go through the same checks as flags. */
export async function applyConfig(
  command: Command,
  file: string | undefined,
): Promise<AppliedConfig | undefined> {
  const found = await search(file);
  if (found === undefined) return undefined;
  const { config, filepath } = found;
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new UsageError(`${filepath} holds no settings: it must be an object of flags`, {
      hint: '{ "preset": "imagenet" }',
    });
  }
  const problems: string[] = [];
  for (const [key, value] of Object.entries(config)) {
    if (key === SUPPRESS || SWEPT.some((own) => own === key)) continue;
    if (key === 'updateBaseline') {
      // In a file it would switch the comparison off for good.
      problems.push(`${key}: a flag of the command line only, --update-baseline`);
      continue;
    }
    const option = optionOf(command, key);
    if (option === undefined || key === 'config') {
      // One file serves all commands.
      const others = command.parent?.commands ?? [];
      if (key === 'config' || others.every((other) => optionOf(other, key) === undefined))
        problems.push(`${key}: ${command.name()} has no such flag`);
    } else if (!isDecided(command, key)) {
      problems.push(...apply(command, option, key, value, dirname(filepath)));
    }
  }
  for (const [one, other] of OPPOSITES) {
    if ([one, other].every((key) => command.getOptionValue(key) === true))
      problems.push(`${one} and ${other}: only one of them can hold`);
  }
  if (problems.length > 0) {
    throw new UsageError(`${filepath} has settings that cannot be used`, {
      places: problems,
      hint: `qdbg ${command.name()} --help lists the flags`,
    });
  }
  const { parseSuppressions } = await import('../commands/gate-request.js');
  const accepted = SUPPRESS in config ? parseSuppressions(config[SUPPRESS], filepath) : [];
  const settings = new Map<string, unknown>(Object.entries(config));
  const [experiments, groups] = SWEPT.map((key) => settings.get(key));
  return {
    file: filepath,
    suppressions: accepted,
    ...(experiments === undefined ? {} : { experiments }),
    ...(groups === undefined ? {} : { groups }),
  };
}

const OPPOSITES = [
  ['perAxis', 'perTensor'],
  ['symmetric', 'asymmetric'],
] as const;

/** Flags that speak of the same thing: one of them on the command line overrules all of them in the file. */
const TOGETHER: readonly (readonly string[])[] = [...OPPOSITES, ['observer', 'percentile', 'momentum']];

function optionOf(command: Pick<Command, 'options'>, key: string): Option | undefined {
  return command.options.find((option) => option.attributeName() === key);
}

/** Whether the command line has said it. */
function isDecided(command: Command, key: string): boolean {
  const same = TOGETHER.find((group) => group.includes(key)) ?? [key];
  return same.some((other) => command.getOptionValueSource(other) === 'cli');
}

async function search(file: string | undefined): Promise<{ config: unknown; filepath: string } | undefined> {
  const names = ['qdbg.config.json', 'qdbg.config.js', 'qdbg.config.mjs'];
  if (file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    const found = existsSync(file) ? 'is not a file' : 'does not exist';
    throw new UsageError(`--config ${file}: it ${found}; ${names.join(', ')} are looked for without it`, {
      hint: '--config FILE.json',
    });
  }
  const finder = lilconfig('qdbg', { searchPlaces: names, stopDir: homedir() });
  const timer = new AbortController();
  try {
    // A module may wait for something that never comes.
    const late = setTimeout(MOST_SECONDS * 1000, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`it does not answer within ${MOST_SECONDS} s`);
    });
    const found = await Promise.race([
      file === undefined ? finder.search() : finder.load(resolve(file)),
      late,
    ]);
    return found === null ? undefined : { config: found.config as unknown, filepath: found.filepath };
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new UsageError(`cannot read ${file ?? 'the configuration'}: ${reason}`, {
      hint: '--config FILE',
      cause,
    });
  } finally {
    timer.abort();
  }
}

/** Paths are relative to the file that says them. */
const RELOCATED: Readonly<Record<string, (value: string, folder: string) => string>> = {
  calib: relocatedSource,
  data: relocatedSource,
  eval: relocatedSource,
  labels: (value, folder) => (/^name:|^none$/.test(value) ? value : resolve(folder, value)),
  metric: relocatedModule,
  decode: relocatedModule,
  classes: relocatedModule,
  baseline: (value, folder) => resolve(folder, value),
  resume: (value, folder) => resolve(folder, value),
  export: (value, folder) => value.replace(/(?<==).+/s, (file) => resolve(folder, file)),
  actual: (value, folder) => resolve(folder, value),
  scheme: relocatedModule,
  report: (value, folder) => value.replace(/(?<==)(?!-$).+/s, (file) => resolve(folder, file)),
};

function apply(command: Command, option: Option, key: string, value: unknown, folder: string): string[] {
  if (option.isBoolean()) {
    if (typeof value !== 'boolean') return [`${key}: it must be true or false, not ${JSON.stringify(value)}`];
    command.setOptionValueWithSource(key, value, 'config');
    return [];
  }
  if (option.negate) {
    if (typeof value !== 'boolean') return [`${key}: it must be true or false, not ${JSON.stringify(value)}`];
    command.setOptionValueWithSource(key, value, 'config');
    return [];
  }
  const list = Array.isArray(value) ? value : [value];
  const texts = list.filter((item) => typeof item === 'string' || typeof item === 'number').map(String);
  if (texts.length !== list.length)
    return [`${key}: it must be text or a number, not ${JSON.stringify(value)}`];
  let parsed: unknown;
  try {
    const isList = option.flags.includes('LIST');
    for (const text of isList ? [texts.join()] : texts) {
      const given = RELOCATED[key]?.(text, folder) ?? text;
      if (option.argChoices !== undefined && !option.argChoices.includes(given))
        return [`${key}: ${given} is none of ${option.argChoices.join(', ')}`];
      parsed =
        option.parseArg === undefined
          ? given
          : (option.parseArg as (value: string, previous: unknown) => unknown)(given, parsed);
    }
  } catch (error) {
    return [`${key}: ${error instanceof Error ? error.message : String(error)}`];
  }
  command.setOptionValueWithSource(key, parsed, 'config');
  return [];
}

function relocatedSource(source: string, folder: string): string {
  const [, name = '', path = source] = /^([^=/\\]+=)?(.*)$/s.exec(source) ?? [];
  return path === 'random' ? source : `${name}${resolve(folder, path)}`;
}

/** Names have neither a folder nor an ending. */
function relocatedModule(value: string, folder: string): string {
  return /[./\\]/.test(value) ? resolve(folder, value) : value;
}
