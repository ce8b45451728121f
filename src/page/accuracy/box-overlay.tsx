/** Boxes over a picture, with class and score. */
import type { JSX } from 'preact';
import type { PicturedBox } from '../../report/report-pictures.js';
import { shortName } from '../frame/layer-name.js';

/** Boxes that a picture has room for; the best are drawn. */
export const MOST_DRAWN = 40;
/** Names that it has room for; of more boxes, the best are named. */
const MOST_NAMED = 8;

/** Degrees between neighbouring classes on the circle of hues: the golden angle keeps any few of them apart. */
const HUE_STEP = 137.5;

function colorOf(label: number): string {
  return `hsl(${Math.round((label * HUE_STEP) % 360)} 90% 65%)`;
}

export function BoxOverlay({
  boxes,
  nameOf,
  width,
  height,
}: {
  readonly boxes: readonly PicturedBox[];
  readonly nameOf: (label: number) => string;
  readonly width: number;
  readonly height: number;
}): JSX.Element {
  const drawn = [...boxes].sort((a, b) => (b.score ?? 1) - (a.score ?? 1)).slice(0, MOST_DRAWN);
  const size = Math.max(8, Math.min(width, height) / 18);
  return (
    <svg class="boxes" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {drawn.map(({ x0, y0, x1, y1, label, score }, at) => (
        <g key={at}>
          <rect
            stroke={colorOf(label)}
            x={x0 * width}
            y={y0 * height}
            width={Math.max(0, x1 - x0) * width}
            height={Math.max(0, y1 - y0) * height}
          />
          {at < MOST_NAMED ? (
            <text
              fill={colorOf(label)}
              x={Math.max(0, x0) * width + 2}
              y={Math.max(size, y0 * height + size)}
              font-size={size}
            >
              {shortName(nameOf(label), 16)}
              {score === undefined ? '' : ` ${score.toFixed(2)}`}
            </text>
          ) : null}
        </g>
      ))}
    </svg>
  );
}
