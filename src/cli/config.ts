/**
 * Flags from a file: `--config FILE`, else qdbg.config.{json,js,mjs} in this folder or the nearest one above. Every flag has a
 * key of the same name in camel case (`perAxis`, `skipUnreadable`); flags on the command line win.
 */
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Command, Option } from '@commander-js/extra-typings';
import { lilconfig } from 'lilconfig';
import { UsageError } from '../errors.js';

/** Sets what the file says and the command line does not. Values go through the same checks as flags. */
export async function applyConfig(command: Command, file: string | undefined): Promise<string | undefined> {
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
    const option = command.options.find((candidate) => candidate.attributeName() === key);
    if (option === undefined || key === 'config') problems.push(`${key}: ${command.name()} has no such flag`);
    else if (
      command.getOptionValueSource(key) === undefined ||
      command.getOptionValueSource(key) === 'default'
    ) {
      problems.push(...apply(command, option, key, value, dirname(filepath)));
    }
  }
  if (problems.length > 0) {
    throw new UsageError(`${filepath} has settings that cannot be used`, {
      places: problems,
      hint: `qdbg ${command.name()} --help lists the flags`,
    });
  }
  return filepath;
}

async function search(file: string | undefined): Promise<{ config: unknown; filepath: string } | undefined> {
  const names = ['qdbg.config.json', 'qdbg.config.js', 'qdbg.config.mjs'];
  const finder = lilconfig('qdbg', { searchPlaces: names, stopDir: homedir() });
  try {
    const found = await (file === undefined ? finder.search() : finder.load(resolve(file)));
    return found === null ? undefined : { config: found.config as unknown, filepath: found.filepath };
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new UsageError(`cannot read ${file ?? 'the configuration'}: ${reason}`, {
      hint: '--config FILE',
      cause,
    });
  }
}

/** Keys whose values are paths: relative to the file that says them. */
const PATHS = new Set(['calib', 'eval']);

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
      const given = PATHS.has(key) ? relocated(text, folder) : text;
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

function relocated(source: string, folder: string): string {
  const [, name = '', path = source] = /^([^=/\\]+=)?(.*)$/s.exec(source) ?? [];
  return path === 'random' ? source : `${name}${resolve(folder, path)}`;
}
