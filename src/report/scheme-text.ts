import { plural } from './format.js';
import type { Report } from './report.js';

/** A scheme, or the kinds of quantizers of a file, in one line. */
export function schemeText(scheme: Report['scheme']): string {
  const part = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return String(value);
    const { dtype, symmetric, granularity, observer } = value as {
      dtype: string;
      symmetric: boolean;
      granularity: string;
      observer?: { kind: string };
    };
    const range = observer === undefined ? '' : ` ${observer.kind}`;
    return `${dtype} ${symmetric ? 'symmetric' : 'asymmetric'} ${granularity}${range}`;
  };
  const name = scheme['name'] === 'file' ? "the file's own" : String(scheme['name']);
  return `${name}: activations ${part(scheme['activations'])}, weights ${part(scheme['weights'])}, bias ${String(scheme['bias'])}`;
}

/** What was assumed of a file whose ranges start at exactly zero. */
export function impliedText(count: number): string {
  return (
    `assumed: ${plural(count, 'layer')} without an activation function ${count === 1 ? 'has' : 'have'} one, since the range of the ` +
    'integers starts at 0 (RELU) or goes from 0 to 6 (RELU6)'
  );
}
