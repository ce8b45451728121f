/**
 * One line on stderr that says how far a run is, and how long it will take. Only on a terminal that is looked at: in a log it would be noise. It is redrawn between
 * samples, since the runtime blocks the event loop while it works.
 */
import { performance } from 'node:perf_hooks';
import type { Watch } from '../run/samples.js';
import { isRedrawable } from './screen.js';

const REDRAW_MS = 100;
/** Back to the start of the line, and clear it. */
const CLEAR = '\r\u001b[K';

interface Pass {
  readonly title: string;
  /** What is counted in it. */
  readonly counted: string;
}

const PASSES: Readonly<Record<string, Pass>> = {
  ranges: { title: 'calibrating: ranges', counted: 'samples' },
  histograms: { title: 'calibrating: histograms', counted: 'samples' },
  measure: { title: 'measuring', counted: 'samples' },
  values: { title: 'counting values', counted: 'samples' },
  evaluate: { title: 'evaluating', counted: 'samples' },
  preprocessings: { title: 'trying other preprocessing', counted: 'ways' },
};

/** Of a sweep: one network after another, each over all samples. */
function passNamed(name: string): Pass {
  return Object.hasOwn(PASSES, name) ? (PASSES[name] as Pass) : { title: name, counted: 'networks' };
}

export interface Progress {
  readonly watch: Watch;
  /** Removes the line. */
  done(): void;
}

/** `quiet` wins over everything; `verbose` leaves a line for every pass, on a terminal or not. */
export function progressOn(
  stream: NodeJS.WriteStream,
  { quiet, verbose }: { readonly quiet: boolean; readonly verbose: boolean },
  environment: Parameters<typeof isRedrawable>[1] = process.env,
): Progress {
  const isDrawn = isRedrawable(stream, environment);
  if (quiet || (!isDrawn && !verbose)) return { watch: () => undefined, done: () => undefined };
  let started = 0;
  let drawn = 0;
  return {
    watch(name, done, total) {
      const now = performance.now();
      const { title, counted } = passNamed(name);
      if (done === 0) started = now;
      if (verbose && done === total) {
        stream.write(
          `${isDrawn ? CLEAR : ''}${title}: ${total} ${counted}, ${((now - started) / 1000).toFixed(1)} s\n`,
        );
      } else if (isDrawn && (done === 0 || now - drawn >= REDRAW_MS)) {
        drawn = now;
        const left = done > 0 ? `, ${duration(((now - started) / done) * (total - done))} left` : '';
        stream.write(`${CLEAR}${title} ${done}/${total}${left}`);
      }
    },
    done() {
      if (isDrawn) stream.write(CLEAR);
    },
  };
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
