/** All that is known of the selected layer, beside the page. */
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { LayerName, Name } from '../frame/layer-name.js';
import { usePage } from '../frame/page-context.js';
import { findingsByLayer } from './finding-places.js';
import { LayerFacts, LayerFindings } from './layer-about.js';
import { LayerChannels } from './layer-channels.js';
import { LayerHistogram } from './layer-histogram.js';
import { LayerNumbers, WorstSamples } from './layer-numbers.js';
import { LayerQuantizers } from './layer-quantizer.js';
import { LayerWeights } from './layer-weights.js';
import type { Layer } from './layer.js';
import { nearNames } from './near-names.js';

/** Where there is no room for a column: as in layers.css. */
const NARROW = '(max-width: 1099px)';

export function LayerPanel(): JSX.Element | null {
  const { layers, layer, selected, select } = usePage();
  const isOpen = selected !== undefined && layers.length > 0;
  const panel = useRef<HTMLElement>(null);
  useFocus(panel, isOpen ? selected : undefined);
  useEscape(isOpen, () => select(undefined));
  useCover(isOpen);
  if (!isOpen) return null;
  const position = layer === undefined ? -1 : layers.indexOf(layer);
  return (
    <aside class="layer-panel" ref={panel} aria-labelledby="layer-title">
      <div class="panel-tools">
        <span class="quiet">{position < 0 ? 'Layer' : `Layer ${position + 1} of ${layers.length}`}</span>
        <span class="tools">
          {position < 0 ? null : (
            <>
              <Step to={layers[position - 1]} label="Previous" />
              <Step to={layers[position + 1]} label="Next" />
            </>
          )}
          <button type="button" class="tool" onClick={() => select(undefined)}>
            Close
          </button>
        </span>
      </div>
      <h2 id="layer-title" tabIndex={-1} aria-live="polite">
        <Name name={layer?.tensor ?? selected} longest={200} />
      </h2>
      {layer === undefined ? <Unknown name={selected} /> : <Contents layer={layer} key={layer.tensor} />}
    </aside>
  );
}

function Contents({ layer }: { readonly layer: Layer }): JSX.Element {
  const { document, layers, layerNamed } = usePage();
  const { report } = document;
  const findings = useMemo(
    () => findingsByLayer(layers, 'findings' in report ? report.findings : [], layerNamed),
    [report, layers, layerNamed],
  );
  const compared =
    report.command === 'compare' && layer.activation.role !== 'input'
      ? report.constants.filter(({ node }) => node === layer.node)
      : [];
  return (
    <>
      <LayerFacts layer={layer} />
      <LayerFindings findings={findings.get(layer.tensor) ?? []} />
      <LayerNumbers layer={layer} />
      <LayerHistogram tensor={layer.activation} />
      {layer.weights.map((weight) => (
        <LayerWeights weight={weight} key={weight.tensor} />
      ))}
      <LayerChannels tensor={layer.activation} />
      <LayerQuantizers layer={layer} compared={compared} />
      <WorstSamples layer={layer} />
    </>
  );
}

function Step({ to, label }: { readonly to: Layer | undefined; readonly label: string }): JSX.Element {
  const { select } = usePage();
  return (
    <button
      type="button"
      class="tool"
      aria-disabled={to === undefined}
      onClick={() => {
        if (to !== undefined) select(to.tensor);
      }}
    >
      {label}
    </button>
  );
}

function Unknown({ name }: { readonly name: string }): JSX.Element {
  const { document, layers } = usePage();
  const { report } = document;
  const graph = 'graph' in report ? report.graph : undefined;
  const node = graph?.nodes.find((one) => one.node === name || one.outputs.includes(name));
  if (node !== undefined) {
    return (
      <p>
        {node.op} <Name name={node.node} /> was not measured
        {node.float === undefined ? '.' : `: it is computed in floating point (${node.float}).`}
      </p>
    );
  }
  const near = nearNames(name, [...new Set(layers.flatMap(({ tensor, node: its }) => [tensor, its]))]);
  return (
    <>
      <p role="alert">No layer of this report has that name.</p>
      {near.length === 0 ? null : (
        <>
          <p>Names like it:</p>
          <ul>
            {near.map((one) => (
              <li key={one}>
                <LayerName name={one} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/**
 * The heading takes the focus when a layer is opened by a click, and gives it back to what was clicked. Not where the page was
 * opened at a layer, and not from buttons in the panel, which are pressed again and again.
 */
function useFocus(panel: { readonly current: HTMLElement | null }, selected: string | undefined): void {
  const isFirst = useRef(true);
  const opener = useRef<Element | null>(null);
  useLayoutEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    const active = document.activeElement;
    if (selected === undefined) {
      if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus();
      opener.current = null;
      return;
    }
    if (panel.current?.contains(active) === true) return;
    opener.current = active;
    const heading = panel.current?.querySelector<HTMLElement>('h2');
    heading?.focus({ preventScroll: true });
    panel.current?.scrollTo(0, 0);
  }, [selected]);
}

function useEscape(isOpen: boolean, close: () => void): void {
  useEffect(() => {
    if (!isOpen) return undefined;
    const follow = (event: KeyboardEvent): void => {
      // Escape empties a search field and closes a list first.
      const isField = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === 'Escape' && !event.defaultPrevented && !isField) close();
    };
    addEventListener('keydown', follow);
    return () => removeEventListener('keydown', follow);
  }, [isOpen, close]);
}

/** Where the panel covers the page, the keyboard must not get lost below it. */
function useCover(isOpen: boolean): void {
  useLayoutEffect(() => {
    const main = document.querySelector('main');
    if (main === null || !isOpen) return undefined;
    const narrow = matchMedia(NARROW);
    const follow = (): void => {
      main.inert = narrow.matches;
    };
    follow();
    narrow.addEventListener('change', follow);
    return () => {
      narrow.removeEventListener('change', follow);
      main.inert = false;
    };
  }, [isOpen]);
}
