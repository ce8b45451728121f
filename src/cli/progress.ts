/**
 * One line on stderr that says how far a run is. Only on a terminal: in a log it would be noise. It is redrawn between
 * samples, since the runtime blocks the event loop while it works.
 */
import { performance } from 'node:perf_hooks';
import type { Watch } from '../run/samples.js';

const REDRAW_MS = 100;

const PASSES: Readonly<Record<string, string>> = {
  ranges: 'calibrating: ranges',
  histograms: 'calibrating: histograms',
  measure: 'measuring',
};

export interface Progress {
  readonly watch: Watch;
  /** Removes the line. */
  done(): void;
}

export function progressOn(stream: NodeJS.WriteStream, quiet: boolean): Progress {
  if (!stream.isTTY || quiet) return { watch: () => undefined, done: () => undefined };
  let pass = '';
  let started = 0;
  let drawn = 0;
  return {
    watch(name, done, total) {
      const now = performance.now();
      if (name !== pass || done === 1) {
        pass = name;
        started = now;
      }
      if (done < total && now - drawn < REDRAW_MS) return;
      drawn = now;
      const left = done > 1 ? `, ${duration(((now - started) / (done - 1)) * (total - done))} left` : '';
      stream.write(`\r\u001b[K${PASSES[name] ?? name} ${done}/${total}${done < total ? left : ''}`);
    },
    done: () => void stream.write('\r\u001b[K'),
  };
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
