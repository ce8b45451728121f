/** The drawing with what moves it: wheel and hand, buttons, keys, a field to find an operator by. */
import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { usePage } from '../frame/page-context.js';
import { describeSite } from './describe.js';
import { Drawing } from './drawing.js';
import { FindField } from './find-field.js';
import { Minimap, minimapSize } from './minimap.js';
import {
  neighbour,
  siteAt,
  siteNamed,
  type Box,
  type Direction,
  type Network,
  type Site,
} from './network.js';
import type { Measure } from './reading.js';
import { READABLE_ZOOM, useViewport } from './viewport.js';
import { worstSites } from './worst-sites.js';

const DIRECTIONS: Readonly<Record<string, Direction>> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};
const PAN = 80;
const ZOOM_STEP = 1.4;

export function GraphView({
  network,
  measure,
  description,
}: {
  readonly network: Network;
  readonly measure: Measure | undefined;
  readonly description: string;
}): JSX.Element {
  const { selected: wanted, layer, layers, layerNamed, select } = usePage();
  const [at, setAt] = useState<number>();
  const [hovered, setHovered] = useState<number>();
  const [found, setFound] = useState<readonly Site[]>([]);
  const miniWindow = useRef<SVGRectElement>(null);
  const worst = useMemo(() => worstSites(network, measure), [network, measure]);
  const extreme = measure?.extreme ?? 'worst';
  const [turn, setTurn] = useState(0);
  useEffect(() => setTurn(0), [worst]);

  const selected = useMemo(
    () => (wanted === undefined ? undefined : siteNamed(network, layer?.tensor ?? wanted)),
    [network, wanted, layer],
  );
  const view = useViewport(
    network.bounds,
    (controls, fitting) => {
      if (fitting >= READABLE_ZOOM && selected === undefined) controls.fit();
      else {
        const first = selected ?? worst[0] ?? network.sites[0];
        if (first !== undefined) controls.centre(first.x, first.y, Math.max(fitting, 0.9));
      }
    },
    (seen) => placeWindow(miniWindow.current, seen, network.bounds),
    // What is told of a layer takes place from the drawing, which must not hide that layer.
    () => {
      if (selected !== undefined) view.reveal(selected.box);
    },
  );
  useLayoutEffect(() => {
    if (selected === undefined) return;
    setAt(selected.at);
    view.reveal(selected.box);
  }, [selected]);

  const siteUnder = ({ clientX, clientY, target }: MouseEvent): Site | undefined =>
    target instanceof Element && target.closest('.minimap') !== null
      ? undefined
      : siteAt(network, ...view.pointAt(clientX, clientY));
  const go = (site: Site | undefined): void => {
    if (site === undefined) return;
    setAt(site.at);
    view.reveal(site.box);
  };
  const choose = (site: Site | undefined): void => {
    if (site === undefined) return;
    setAt(site.at);
    const name = site.tensors.find((tensor) => layerNamed(tensor) !== undefined);
    // A report without layers has sections that know operators by their names.
    if (name !== undefined || layers.length === 0) select(name ?? site.tensors[0] ?? site.name);
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = DIRECTIONS[event.key];
    const site = at === undefined ? undefined : network.sites[at];
    if (direction !== undefined && event.shiftKey) {
      const [x, y] = { up: [0, -PAN], down: [0, PAN], left: [-PAN, 0], right: [PAN, 0] }[direction] as [
        number,
        number,
      ];
      view.panBy(x, y);
    } else if (direction !== undefined) {
      go(site === undefined ? (worst[0] ?? network.sites[0]) : neighbour(network, site, direction));
    } else if (event.key === '+' || event.key === '=') view.zoomBy(ZOOM_STEP);
    else if (event.key === '-') view.zoomBy(1 / ZOOM_STEP);
    else if (event.key === '0') view.fit();
    else if (event.key === '1') view.zoomTo(1);
    else if (event.key === 'Home') go(network.sites[0]);
    else if (event.key === 'End') go(network.sites.findLast(({ kind }) => kind === 'operator'));
    else if (event.key === 'Enter' || event.key === ' ') choose(site);
    else return;
    event.preventDefault();
  };
  const [width, height] = [view.frame.current?.clientWidth ?? 0, view.frame.current?.clientHeight ?? 0];
  const shown = hovered ?? at;
  const site = shown === undefined ? undefined : network.sites[shown];
  const current = at === undefined ? undefined : network.sites[at];
  return (
    <div class="graph-view">
      <div class="graph-tools" role="group" aria-label="Move the drawing">
        <FindField network={network} onFound={setFound} onGo={go} />
        {worst.length === 0 ? null : (
          <button
            type="button"
            class="tool"
            onClick={() => {
              go(worst[turn % worst.length]);
              setTurn(turn + 1);
            }}
          >
            {turn === 0
              ? `Go to the ${extreme}`
              : `Next ${extreme} (${(turn % worst.length) + 1} of ${worst.length})`}
          </button>
        )}
        <span class="tools">
          <button type="button" class="tool" aria-label="Zoom in" onClick={() => view.zoomBy(ZOOM_STEP)}>
            +
          </button>
          <button type="button" class="tool" aria-label="Zoom out" onClick={() => view.zoomBy(1 / ZOOM_STEP)}>
            −
          </button>
          <button type="button" class="tool" onClick={view.fit}>
            Fit
          </button>
          <button type="button" class="tool" onClick={() => view.zoomTo(1)}>
            1:1
          </button>
        </span>
      </div>
      <div
        class="graph-frame"
        ref={view.frame}
        tabIndex={0}
        role="application"
        aria-label="Graph of the network"
        aria-describedby="graph-keys"
        onKeyDown={onKeyDown}
        onClick={(event) => choose(siteUnder(event))}
        onDblClick={(event) => {
          const hit = siteUnder(event);
          if (hit !== undefined) view.centre(hit.x, hit.y, 1);
        }}
        onPointerMove={(event) => {
          if (event.buttons === 0) setHovered(siteUnder(event)?.at);
        }}
        onPointerLeave={() => setHovered(undefined)}
      >
        <svg
          class="graph-svg"
          role="img"
          aria-label={`${description} The table of layers has the same numbers.`}
        >
          <g ref={view.content} class="graph-content">
            {view.drawn === undefined ? null : (
              <Drawing
                network={network}
                measure={measure}
                drawn={view.drawn}
                current={current}
                selected={selected}
                found={found}
              />
            )}
          </g>
        </svg>
        {width === 0 ? null : (
          <Minimap
            network={network}
            measure={measure}
            size={minimapSize(network.bounds, width, height)}
            window={miniWindow}
            onMove={(x, y) => view.centre(x, y)}
          />
        )}
      </div>
      <p class="graph-line" role="status">
        {site === undefined ? ' ' : describeSite(network, site, measure)}
      </p>
      <p class="graph-keys quiet" id="graph-keys">
        Click an operator for all that is known of it. Drag to move; Ctrl and wheel, or wheel after a click,
        to zoom. Keys: arrows follow the edges, Enter selects, + and − zoom, 0 fits, Shift and arrows move.
      </p>
    </div>
  );
}

/** Hidden while all of the network is seen. */
function placeWindow(window: SVGRectElement | null, seen: Box, bounds: Box): void {
  const map = window?.ownerSVGElement;
  if (window === null || map === null || map === undefined) return;
  const [left, top] = [Math.max(seen.left, bounds.left), Math.max(seen.top, bounds.top)];
  const [right, bottom] = [Math.min(seen.right, bounds.right), Math.min(seen.bottom, bounds.bottom)];
  const isAll =
    left <= bounds.left + 1 &&
    right >= bounds.right - 1 &&
    top <= bounds.top + 1 &&
    bottom >= bounds.bottom - 1;
  map.classList.toggle('idle', isAll);
  window.setAttribute('x', String(left));
  window.setAttribute('y', String(top));
  window.setAttribute('width', String(Math.max(0, right - left)));
  window.setAttribute('height', String(Math.max(0, bottom - top)));
}
