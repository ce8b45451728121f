/** Where text goes and how it may look there. */
export interface Screen {
  /** Columns. */
  readonly width: number;
  readonly color: boolean;
}

const NARROWEST = 60;
const WIDEST = 160;
/** A pipe or a CI log has no width; most viewers show this much. */
const PIPE_WIDTH = 110;

/** https://no-color.org: any value of NO_COLOR that is not empty turns colour off. */
export function screenOf(stream: NodeJS.WriteStream, color: boolean): Screen {
  const plain = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  const width = stream.isTTY ? stream.columns : PIPE_WIDTH;
  return { width: Math.min(Math.max(width, NARROWEST), WIDEST), color: color && !plain && stream.isTTY };
}
