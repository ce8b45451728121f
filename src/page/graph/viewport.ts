/** What of the drawing is seen: zoom and pan that leave the page its scrolling, and the part that is worth drawing. */
import { select } from 'd3-selection';
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior, type ZoomTransform } from 'd3-zoom';
import type { RefObject } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Box } from './network.js';
import type { Detail } from './shapes.js';

const LARGEST_ZOOM = 3;
/** From here on, all labels can be read. */
export const READABLE_ZOOM = 0.62;
const NUMBERS_ZOOM = 0.28;

/** Elements that are in the page: those in the box, with as much detail as can be read. */
export interface Drawn {
  readonly detail: Detail;
  readonly box: Box;
}

export interface ViewControls {
  readonly fit: () => void;
  readonly zoomTo: (zoom: number) => void;
  readonly zoomBy: (factor: number) => void;
  /** In CSS pixels; positive x shows what lies to the right. */
  readonly panBy: (x: number, y: number) => void;
  /** In the middle, at this zoom or at what it is. */
  readonly centre: (x: number, y: number, zoom?: number) => void;
  /** Moves only as far as is needed to see it well. */
  readonly reveal: (box: Box) => void;
}

export interface Viewport extends ViewControls {
  readonly frame: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<SVGGElement | null>;
  readonly drawn: Drawn | undefined;
  /** A point of the window in the drawing. */
  readonly pointAt: (clientX: number, clientY: number) => readonly [x: number, y: number];
}

/**
 * @param begin places the drawing when its size is first known
 * @param onView told what is seen, and at which zoom, at every move
 * @param onResize told when the place for it is another
 */
export function useViewport(
  bounds: Box,
  begin: (controls: ViewControls, fitting: number) => void,
  onView: (seen: Box, zoom: number) => void,
  onResize: () => void,
): Viewport {
  const frame = useRef<HTMLDivElement>(null);
  const content = useRef<SVGGElement>(null);
  const behaviour = useRef<ZoomBehavior<HTMLDivElement, unknown>>(undefined);
  const transform = useRef<ZoomTransform>(zoomIdentity);
  const [drawn, setDrawn] = useState<Drawn>();
  // What listeners call must be that of the last drawing.
  const latest = useRef({ begin, onView, onResize });
  latest.current = { begin, onView, onResize };

  const controls = useMemo((): ViewControls => {
    const size = (): readonly [number, number] => [
      frame.current?.clientWidth ?? 0,
      frame.current?.clientHeight ?? 0,
    ];
    const apply = (next: ZoomTransform): void => {
      if (frame.current !== null) behaviour.current?.transform(select(frame.current), next);
    };
    const centre = (x: number, y: number, k = transform.current.k): void => {
      const [width, height] = size();
      const mx = within(x, bounds.left, bounds.right, width / k);
      const my = within(y, bounds.top, bounds.bottom, height / k);
      apply(zoomIdentity.translate(width / 2 - mx * k, height / 2 - my * k).scale(k));
    };
    const middle = (): [number, number] => {
      const [width, height] = size();
      return transform.current.invert([width / 2, height / 2]);
    };
    return {
      fit: () =>
        centre(
          (bounds.left + bounds.right) / 2,
          (bounds.top + bounds.bottom) / 2,
          fitting(bounds, ...size()),
        ),
      zoomTo: (k) => centre(...middle(), k),
      zoomBy: (factor) => centre(...middle(), clampZoom(transform.current.k * factor, bounds, ...size())),
      panBy: (x, y) => {
        const { k } = transform.current;
        const [mx, my] = middle();
        centre(mx + x / k, my + y / k);
      },
      centre,
      reveal: (box) => {
        const [width, height] = size();
        const seen = seenOf(transform.current, width, height);
        const { k } = transform.current;
        const isSeen =
          k >= NUMBERS_ZOOM &&
          box.left >= seen.left &&
          box.right <= seen.right &&
          box.top >= seen.top &&
          box.bottom <= seen.bottom;
        if (isSeen) return;
        centre((box.left + box.right) / 2, (box.top + box.bottom) / 2, Math.max(k, READABLE_ZOOM));
      },
    };
  }, [bounds]);

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const state = { placed: false };
    const moved = ({ transform: next, sourceEvent }: D3ZoomEvent<HTMLDivElement, unknown>): void => {
      transform.current = next;
      const [width, height] = [element.clientWidth, element.clientHeight];
      // Jumps glide, so that the eye keeps its place; what follows a hand does not lag behind it.
      element.classList.toggle('gliding', state.placed && !(sourceEvent instanceof Event));
      if (content.current !== null)
        content.current.style.transform = `translate(${next.x}px,${next.y}px) scale(${next.k})`;
      const seen = seenOf(next, width, height);
      latest.current.onView(seen, next.k);
      setDrawn((before) => drawnFor(seen, next.k, before));
    };
    const engaged = engagement(element);
    const made = zoom<HTMLDivElement, unknown>()
      .clickDistance(4)
      .filter((event: Event) => mayMove(event, engaged.isEngaged()))
      .on('zoom', moved);
    behaviour.current = made;
    select(element).call(made).on('dblclick.zoom', null);
    const measure = (): void => {
      const [width, height] = [element.clientWidth, element.clientHeight];
      if (width === 0 || height === 0) return;
      const least = fitting(bounds, width, height);
      made.scaleExtent([Math.min(least, READABLE_ZOOM), LARGEST_ZOOM]);
      made.translateExtent([
        [bounds.left - width / 2, bounds.top - height / 2],
        [bounds.right + width / 2, bounds.bottom + height / 2],
      ]);
      if (state.placed) {
        made.transform(select(element), transform.current);
        latest.current.onResize();
        return;
      }
      latest.current.begin(controls, least);
      state.placed = true;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
      engaged.end();
      select(element).on('.zoom', null);
    };
  }, [bounds, controls]);

  const pointAt = (clientX: number, clientY: number): readonly [number, number] => {
    const { left = 0, top = 0 } = frame.current?.getBoundingClientRect() ?? {};
    return transform.current.invert([clientX - left, clientY - top]);
  };
  return { frame, content, drawn, pointAt, ...controls };
}

/** Zoom at which all is seen; a small network is not blown up. */
function fitting({ left, right, top, bottom }: Box, width: number, height: number): number {
  return Math.min(1, width / (right - left), height / (bottom - top));
}

/** Middle of a window of that size that shows no more of what is outside than it must. */
function within(middle: number, from: number, to: number, size: number): number {
  if (size >= to - from) return (from + to) / 2;
  return Math.min(to - size / 2, Math.max(from + size / 2, middle));
}

function clampZoom(k: number, bounds: Box, width: number, height: number): number {
  return Math.min(LARGEST_ZOOM, Math.max(k, Math.min(READABLE_ZOOM, fitting(bounds, width, height))));
}

function seenOf(transform: ZoomTransform, width: number, height: number): Box {
  const [left, top] = transform.invert([0, 0]);
  const [right, bottom] = transform.invert([width, height]);
  return { left, top, right, bottom };
}

function detailAt(k: number): Detail {
  return k >= READABLE_ZOOM ? 'all' : k >= NUMBERS_ZOOM ? 'numbers' : 'shapes';
}

/** What to draw, the same object as before while that still serves: small moves then draw nothing anew. */
function drawnFor(seen: Box, k: number, before: Drawn | undefined): Drawn {
  const detail = detailAt(k);
  const serves =
    before?.detail === detail &&
    before.box.left <= seen.left &&
    before.box.right >= seen.right &&
    before.box.top <= seen.top &&
    before.box.bottom >= seen.bottom &&
    // After zooming in, much that is drawn is far away.
    before.box.right - before.box.left <= 4 * (seen.right - seen.left);
  if (before !== undefined && serves) return before;
  const [x, y] = [(seen.right - seen.left) / 2, (seen.bottom - seen.top) / 2];
  return {
    detail,
    box: { left: seen.left - x, right: seen.right + x, top: seen.top - y, bottom: seen.bottom + y },
  };
}

/** Whether the reader is at work in the drawing: from a press in it, or focus by keyboard, until the pointer leaves. */
function engagement(element: HTMLElement): { isEngaged: () => boolean; end: () => void } {
  // A press can move the focus elsewhere, as to what is told of the layer; the hand is still here.
  const state = { isPressed: false, isFocused: false };
  const listeners: Readonly<Record<string, () => void>> = {
    pointerdown: () => (state.isPressed = true),
    focus: () => (state.isFocused = true),
    blur: () => (state.isFocused = false),
    pointerleave: () => (state.isPressed = state.isFocused = false),
  };
  for (const [type, listener] of Object.entries(listeners)) element.addEventListener(type, listener);
  return {
    isEngaged: () => state.isPressed || state.isFocused,
    end: () => {
      for (const [type, listener] of Object.entries(listeners)) element.removeEventListener(type, listener);
    },
  };
}

/** The wheel and one finger scroll the page, unless the reader is at work here. */
function mayMove(event: Event, isEngaged: boolean): boolean {
  if (event instanceof WheelEvent) return event.ctrlKey || isEngaged;
  if (event instanceof MouseEvent) return event.button === 0 && !event.ctrlKey;
  const { touches } = event as TouchEvent;
  return touches.length > 1 || document.activeElement === event.currentTarget;
}
