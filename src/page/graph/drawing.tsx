/** The part of the network that is seen, as elements of an SVG. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { boxOfEdge, overlap, type Network, type Site } from './network.js';
import type { Measure } from './reading.js';
import { BareShapes, EdgeLines, SiteShape } from './shapes.js';
import type { Drawn } from './viewport.js';

export interface DrawingProps {
  readonly network: Network;
  readonly measure: Measure | undefined;
  readonly drawn: Drawn;
  /** Where the reader is, and what is selected in the page. */
  readonly current: Site | undefined;
  readonly selected: Site | undefined;
  readonly found: readonly Site[];
}

/** Rings around found operators; of more, the eye learns nothing. */
const MOST_RINGS = 400;

export function Drawing({ network, measure, drawn, current, selected, found }: DrawingProps): JSX.Element {
  const edgeBoxes = useMemo(() => network.edges.map(boxOfEdge), [network]);
  const lines = useMemo(() => {
    const seen = network.edges.filter((_, i) => overlap(edgeBoxes[i] ?? network.bounds, drawn.box));
    return <EdgeLines edges={seen} withHeads={drawn.detail !== 'shapes'} />;
  }, [network, edgeBoxes, drawn]);
  const shapes = useMemo(() => {
    const { detail } = drawn;
    const seen = network.sites.filter(({ box }) => overlap(box, drawn.box));
    return detail === 'shapes' ? (
      <BareShapes sites={seen} measure={measure} />
    ) : (
      seen.map((site) => <SiteShape key={site.at} site={site} measure={measure} detail={detail} />)
    );
  }, [network, measure, drawn]);
  return (
    <>
      {lines}
      <EdgesOf network={network} site={selected} />
      {shapes}
      {found.slice(0, MOST_RINGS).map((site) => (
        <Ring key={site.at} site={site} kind="found" />
      ))}
      {selected === undefined ? null : <Ring site={selected} kind="selected" />}
      {current === undefined ? null : <Ring site={current} kind="current" />}
    </>
  );
}

function Ring({
  site: { box, kind },
  kind: role,
}: {
  readonly site: Site;
  readonly kind: 'found' | 'selected' | 'current';
}): JSX.Element {
  const away = role === 'current' ? 6.5 : 3;
  const height = box.bottom - box.top + 2 * away;
  return (
    <rect
      class={`ring ${role}`}
      x={box.left - away}
      y={box.top - away}
      width={box.right - box.left + 2 * away}
      height={height}
      rx={kind === 'operator' ? 6 + away : height / 2}
    />
  );
}

/** Lines into and out of the selected operator, which are hard to follow among others. */
function EdgesOf({
  network,
  site,
}: {
  readonly network: Network;
  readonly site: Site | undefined;
}): JSX.Element | null {
  const edges = useMemo(() => site?.edges.flatMap((at) => network.edges[at] ?? []) ?? [], [network, site]);
  if (edges.length === 0) return null;
  return (
    <g class="own-edges">
      <EdgeLines edges={edges} />
    </g>
  );
}
