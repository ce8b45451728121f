/** A drawing of @observablehq/plot in the page: as wide as its place, named, and to be taken away as SVG or CSV. */
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { csvOf, download, svgText, type Cell } from './download.js';

export interface ChartData {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface ChartProps {
  readonly title: string;
  /** What it says in words, for those who do not see it. */
  readonly description: string;
  /** Name of downloads, without an extension. */
  readonly file: string;
  /** @param width in CSS pixels */
  readonly draw: (width: number) => SVGSVGElement | HTMLElement;
  /** What `draw` depends on. */
  readonly inputs: readonly unknown[];
  /** Numbers behind it. */
  readonly data?: () => ChartData;
  /** Controls and legend above the drawing. */
  readonly children?: ComponentChildren;
}

/** Where nothing has been laid out yet, as in a hidden tab. */
const FIRST_WIDTH = 640;

/** Narrower drawings would have margins alone; the page scrolls instead. */
const LEAST_WIDTH = 160;

export function Chart({ title, description, file, draw, inputs, data, children }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  useLayoutEffect(() => {
    if (place.current === null || width === 0) return;
    const drawn = draw(width);
    const svg = drawn instanceof SVGSVGElement ? drawn : drawn.querySelector('svg');
    // Names of marks would be those of groups without a role, which may have none; the drawing has one name as a whole.
    for (const mark of svg?.querySelectorAll('[aria-label]') ?? []) mark.removeAttribute('aria-label');
    svg?.setAttribute('role', 'img');
    svg?.setAttribute('aria-label', `${title}. ${description}`);
    place.current.replaceChildren(drawn);
  }, [width, title, description, ...inputs]);
  const save = (): void => {
    const svg = place.current?.querySelector('svg');
    if (svg !== null && svg !== undefined) download(`${file}.svg`, 'image/svg+xml', svgText(svg));
  };
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {children}
        <span class="tools">
          <button type="button" class="tool" onClick={save} aria-label={`${title}: save as SVG`}>
            SVG
          </button>
          {data === undefined ? null : (
            <button
              type="button"
              class="tool"
              aria-label={`${title}: save as CSV`}
              onClick={() => {
                const { titles, rows } = data();
                download(`${file}.csv`, 'text/csv', csvOf(titles, rows));
              }}
            >
              CSV
            </button>
          )}
        </span>
      </figcaption>
      <div class="chart-place" ref={place} />
    </figure>
  );
}

/** In whole CSS pixels, followed as the place changes. */
function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const measure = (): void =>
      setWidth(Math.max(LEAST_WIDTH, Math.floor(element.clientWidth) || FIRST_WIDTH));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}
