/** The whole network as one drawing of its own: for paper, and to be taken away. */
import { render, type JSX } from 'preact';
import { download, svgText } from '../frame/download.js';
import type { Network } from './network.js';
import type { Measure } from './reading.js';
import { EdgeLines, SiteShape } from './shapes.js';

export function WholeGraph({
  network,
  measure,
  description,
}: {
  readonly network: Network;
  readonly measure: Measure | undefined;
  readonly description: string;
}): JSX.Element {
  const { left, right, top, bottom } = network.bounds;
  return (
    <svg
      class="whole-graph"
      role="img"
      aria-label={description}
      viewBox={`${left} ${top} ${right - left} ${bottom - top}`}
      width={right - left}
      height={bottom - top}
    >
      <EdgeLines edges={network.edges} />
      {network.sites.map((site) => (
        <SiteShape key={site.at} site={site} measure={measure} detail="all" />
      ))}
    </svg>
  );
}

/** Every operator with its labels, in the colours of the theme. */
export function saveGraph(network: Network, measure: Measure | undefined, description: string): void {
  const place = document.createElement('div');
  place.hidden = true;
  // In the page, since colours are those that the page gives it.
  document.body.append(place);
  try {
    render(<WholeGraph network={network} measure={measure} description={description} />, place);
    const svg = place.querySelector('svg');
    if (svg !== null) download('graph.svg', 'image/svg+xml', svgText(svg));
  } finally {
    render(null, place);
    place.remove();
  }
}

/** A page of paper at its least: CSS pixels between the margins. */
const PAPER = { width: 680, height: 900 };
const LEAST_SCALE = 0.42;

/** Width in CSS pixels at which it fits on one page; undefined where its letters would be too small to read. */
export function widthOnPaper({ bounds }: Network): number | undefined {
  const [width, height] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const scale = Math.min(1, PAPER.width / width, PAPER.height / height);
  return scale < LEAST_SCALE ? undefined : width * scale;
}
