/** One bad (or odd) input and what the program makes of it. */
export interface Row {
  /** A sentence on what is wrong. */
  readonly name: string;
  /** Command line; paths relative to the folder of the workspace. */
  readonly args: readonly string[];
  /** What the message must say; absent where the input is odd but good, and the exit code then 0. */
  readonly says?: readonly (string | RegExp)[];
}

/** `analyze MODEL --calib DATA ...` that is refused. */
export function refused(
  name: string,
  command: string | readonly string[],
  ...says: (string | RegExp)[]
): Row {
  return { name, args: analyze(command), says };
}

/** `analyze MODEL --calib DATA ...` that runs. */
export function fine(name: string, command: string | readonly string[]): Row {
  return { name, args: analyze(command) };
}

function analyze(command: string | readonly string[]): string[] {
  const [model = '', data = '', ...more] = typeof command === 'string' ? command.split(' ') : command;
  return ['analyze', model, '--calib', data, ...more];
}
