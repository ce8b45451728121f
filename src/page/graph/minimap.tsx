/** All of the network in a corner, and where in it the reader is. A long network is squeezed: it shows where colours change. */
import type { JSX, RefObject, TargetedPointerEvent } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Box, Network } from './network.js';
import { STEPS } from './ramp.js';
import type { Measure } from './reading.js';
import { stepAt } from './shapes.js';

const LONG = 2.2;

/** In CSS pixels. */
export function minimapSize(
  { left, right, top, bottom }: Box,
  frameWidth: number,
  frameHeight: number,
): readonly [width: number, height: number] {
  const ratio = (bottom - top) / (right - left);
  if (ratio > LONG) return [Math.min(84, frameWidth / 6), frameHeight - 16];
  if (ratio < 1 / LONG) return [Math.min(360, frameWidth / 2), 60];
  const size = Math.min(130, frameWidth / 4);
  return ratio > 1 ? [size / ratio, size] : [size, size * ratio];
}

export function Minimap({
  network,
  measure,
  size: [width, height],
  window,
  onMove,
}: {
  readonly network: Network;
  readonly measure: Measure | undefined;
  readonly size: readonly [width: number, height: number];
  /** Rectangle that follows what is seen. */
  readonly window: RefObject<SVGRectElement | null>;
  readonly onMove: (x: number, y: number) => void;
}): JSX.Element {
  const { bounds } = network;
  const [wide, high] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const paths = useMemo(() => {
    // At least three pixels by two, or they vanish.
    const [leastX, leastY] = [(3 * wide) / width, (2 * high) / height];
    const byStep = Array.from({ length: STEPS + 1 }, () => '');
    for (const site of network.sites) {
      const w = Math.max(leastX, site.box.right - site.box.left);
      const h = Math.max(leastY, site.box.bottom - site.box.top);
      const slot = stepAt(site, measure) ?? STEPS;
      byStep[slot] =
        (byStep[slot] ?? '') +
        `M${Math.round(site.x - w / 2)},${Math.round(site.y - h / 2)}h${Math.round(w)}v${Math.round(h)}h${-Math.round(w)}z`;
    }
    // The worst last, so that no neighbour covers it.
    return [STEPS, ...Array.from({ length: STEPS }, (_, i) => i)].map((slot) => ({
      slot,
      d: byStep[slot] ?? '',
    }));
  }, [network, measure, width, height, wide, high]);
  const move = (event: TargetedPointerEvent<SVGSVGElement>): void => {
    if (event.buttons !== 1) return;
    const place = event.currentTarget.getBoundingClientRect();
    onMove(
      bounds.left + ((event.clientX - place.left) / place.width) * wide,
      bounds.top + ((event.clientY - place.top) / place.height) * high,
    );
  };
  return (
    <svg
      class="minimap"
      aria-hidden="true"
      width={width}
      height={height}
      viewBox={`${bounds.left} ${bounds.top} ${wide} ${high}`}
      preserveAspectRatio="none"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
      }}
      onPointerMove={move}
    >
      {paths.map(({ slot, d }) => (
        <path key={slot} d={d} style={{ fill: slot === STEPS ? 'var(--line)' : `var(--ramp-${slot})` }} />
      ))}
      <rect class="window" ref={window} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
