/** Flags of `qdbg sweep` as typed, and what the configuration file says beside them -> its request. */
import { availableParallelism } from 'node:os';
import type { SweepPart, SweepRequest } from '../commands/sweep/request.js';
import { UsageError } from '../errors.js';
import type { SweepOptions } from './program.js';
import { accuracyRequest, dataRequest, schemeRequest, requireWhole } from './requests.js';

/** What stands elsewhere than in the flags. */
export interface SweepSettings {
  /** Where an option was set, in the user's words. */
  readonly sourceOf: (option: string) => string;
  /** Of the configuration file: its name, and what it says. */
  readonly config?: { readonly file: string; readonly experiments?: unknown; readonly groups?: unknown };
}

const MOST_GROUPS = 256;

export async function sweepRequest(
  model: string,
  options: SweepOptions,
  { sourceOf, config }: SweepSettings,
): Promise<SweepRequest> {
  const { SWEEP_PARTS } = await import('../commands/sweep/request.js');
  requireWhole(
    options,
    'every trial is of all samples; --processes and --resume split a sweep by its trials',
  );
  const calib = options.calib ?? [];
  const parts = new Set<SweepPart>(options.run ?? SWEEP_PARTS);
  if (options.targetDrop === undefined) {
    if (options.run?.includes('search') === true) {
      throw new UsageError('--run search: how much may be lost?', { hint: '--target-drop 1pt' });
    }
    parts.delete('search');
  } else if (options.run !== undefined && !parts.has('search')) {
    throw new UsageError(`--target-drop ${options.targetDrop} is of the search, and --run leaves it out`, {
      hint: `--run ${[...parts, 'search'].join()}`,
    });
  }
  if (options.to !== undefined && !parts.has('search')) {
    throw new UsageError(`--to ${options.to} is of the search, which has no target`, {
      hint: '--target-drop 1pt',
    });
  }
  return {
    model,
    calib,
    eval: options.eval ?? [],
    data: dataRequest(options, calib),
    ...(await schemeRequest(options)),
    selection: { only: options.only ?? [], skip: options.skip ?? [] },
    accuracy: {
      ...accuracyRequest(options, options.targetDrop !== undefined && (options.eval ?? []).length > 0),
      // A sweep shows numbers alone.
      pictures: 0,
      tellsAgreement: true,
    },
    parts,
    groups: groupsOf(options.group ?? [], config),
    ...(config?.experiments === undefined
      ? {}
      : { experiments: { value: config.experiments, source: config.file } }),
    ...(options.targetDrop === undefined
      ? {}
      : { target: { text: options.targetDrop, source: sourceOf('targetDrop') } }),
    to: options.to ?? 'float',
    ...(options.resume === undefined ? {} : { resume: options.resume }),
    exports: options.export ?? [],
    processes: options.processes ?? availableParallelism(),
    threads: options.threads ?? 1,
    timestamp: options.timestamp === true,
  };
}

/** @throws UsageError with everything that is wrong */
function groupsOf(flags: readonly string[], config: SweepSettings['config']): Map<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  const problems: string[] = [];
  const add = (name: string, patterns: readonly string[], source: string): void => {
    if (name.trim() === '' || patterns.length === 0 || patterns.some((pattern) => pattern.trim() === ''))
      problems.push(`${source}: a name and patterns are wanted`);
    else if (groups.has(name)) problems.push(`${source}: there is a group ${name} already`);
    else groups.set(name, patterns);
  };
  for (const flag of flags) {
    const split = flag.indexOf('=');
    add(flag.slice(0, Math.max(0, split)), flag.slice(split + 1).split(','), `--group ${flag}`);
  }
  const said = config?.groups;
  if (said !== undefined) {
    if (typeof said !== 'object' || said === null || Array.isArray(said)) {
      problems.push(`groups: an object of names and patterns is wanted, not ${JSON.stringify(said)}`);
    } else {
      for (const [name, value] of Object.entries(said) as [string, unknown][]) {
        const list: readonly unknown[] = Array.isArray(value) ? value : [value];
        const texts = list.filter((item): item is string => typeof item === 'string');
        if (texts.length < list.length) problems.push(`groups.${name}: patterns are text`);
        // The command line wins.
        else if (!groups.has(name)) add(name, texts, `groups.${name}`);
      }
    }
  }
  if (groups.size > MOST_GROUPS) problems.push(`${groups.size} groups; at most ${MOST_GROUPS} are wanted`);
  if (problems.length === 0) return groups;
  throw new UsageError(problems.length === 1 ? 'a group cannot be used' : 'groups cannot be used', {
    places: problems,
    hint: "--group 'head=head/*,op:Softmax'",
  });
}
