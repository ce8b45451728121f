/** Where text goes and how it may look there. */
export interface Screen {
  /** Columns. */
  readonly width: number;
  readonly color: boolean;
  /** Whether bars and plots may be drawn with characters beyond ASCII. */
  readonly unicode: boolean;
}

const NARROWEST = 40;
const WIDEST = 160;
/** A pipe or a CI log has no width; most viewers show this much. */
const PIPE_WIDTH = 110;

type Environment = Readonly<Record<string, string | undefined>>;

/** https://no-color.org: any value of NO_COLOR that is not empty turns colour off. */
export function screenOf(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>,
  color: boolean,
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): Screen {
  const plain = isSet(environment['NO_COLOR']) || environment['TERM'] === 'dumb';
  // A terminal that does not know its size says 0.
  const width = stream.isTTY ? stream.columns || PIPE_WIDTH : PIPE_WIDTH;
  return {
    width: Math.min(Math.max(width, NARROWEST), WIDEST),
    color: color && !plain && stream.isTTY,
    unicode: hasUnicode(stream.isTTY, environment, platform),
  };
}

/**
 * A locale of another encoding says no: LC_ALL before LC_CTYPE before LANG. None at all is common in containers, whose logs are read
 * elsewhere, and says nothing. Of terminals, the console of Linux has no such glyphs, and that of Windows only behind newer programs.
 */
function hasUnicode(isTerminal: boolean, environment: Environment, platform: NodeJS.Platform): boolean {
  const locale = ['LC_ALL', 'LC_CTYPE', 'LANG'].map((name) => environment[name]).find(isSet);
  if (locale !== undefined && !/utf-?8/i.test(locale)) return false;
  if (!isTerminal) return true;
  const { TERM: terminal } = environment;
  if (platform === 'win32')
    return ['WT_SESSION', 'TERM_PROGRAM', 'TERM', 'ConEmuTask'].some((name) => isSet(environment[name]));
  return terminal !== 'linux' && terminal !== 'dumb';
}

/** Whether a line may be drawn over: not in the log of a CI job, which may well look like a terminal. */
export function isRedrawable(
  stream: Pick<NodeJS.WriteStream, 'isTTY'>,
  environment: Environment = process.env,
): boolean {
  const { CI: ci } = environment;
  return stream.isTTY && environment['TERM'] !== 'dumb' && (!isSet(ci) || ci === 'false' || ci === '0');
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}
