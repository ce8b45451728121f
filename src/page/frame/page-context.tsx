/** What all parts of a page share: the document, its layers, and which of them is selected. */
import { createContext, type ComponentChildren, type JSX } from 'preact';
import { useCallback, useContext, useEffect, useMemo, useState } from 'preact/hooks';
import type { PageDocument } from '../../report/html/page-document.js';
import { layersOf, type Layer } from '../layers/layer.js';

export interface PageState {
  readonly document: PageDocument;
  /** In graph order; empty for reports without measured tensors. */
  readonly layers: readonly Layer[];
  /** By name of tensor, by name of node for its first tensor, by name of a constant for the layer that uses it. */
  readonly layerNamed: (name: string) => Layer | undefined;
  /** Name that the address holds, #layer=NAME: of a tensor or a node, known or not. */
  readonly selected: string | undefined;
  /** The layer of that name. */
  readonly layer: Layer | undefined;
  /** Undefined to select none. */
  readonly select: (name: string | undefined) => void;
}

const Context = createContext<PageState | undefined>(undefined);

export function usePage(): PageState {
  const state = useContext(Context);
  if (state === undefined) throw new Error('outside of the page');
  return state;
}

/** Address of a layer in this page. */
export function layerLink(name: string): string {
  return `#layer=${encodeURIComponent(addressed(name))}`;
}

/** Half of a character, as no address can have it. */
function addressed(name: string): string {
  return name.replaceAll(/[\ud800-\udfff]/gu, '\ufffd');
}

function nameInAddress(): string | undefined {
  const coded = /^#layer=(.*)$/s.exec(location.hash)?.[1];
  if (coded === undefined) return undefined;
  try {
    return decodeURIComponent(coded);
  } catch {
    return coded;
  }
}

export function PageProvider({
  document,
  children,
}: {
  readonly document: PageDocument;
  readonly children: ComponentChildren;
}): JSX.Element {
  const layers = useMemo(() => layersOf(document.report), [document]);
  const byName = useMemo(() => {
    const map = new Map<string, Layer>();
    // An input is listed under the operator that reads it, which is not named for it.
    const computed = layers.filter(({ activation }) => activation.role !== 'input');
    for (const layer of computed) {
      for (const name of [layer.node, ...layer.constants.map(({ tensor }) => tensor)])
        if (!map.has(name)) map.set(name, layer);
    }
    const { report } = document;
    for (const { tensor, node } of report.command === 'compare' ? report.constants : []) {
      const layer = map.get(node);
      if (layer !== undefined && !map.has(tensor)) map.set(tensor, layer);
    }
    const nodes = 'graph' in document.report ? (document.report.graph?.nodes ?? []) : [];
    for (const { node, members = [] } of nodes) {
      const layer = map.get(node);
      if (layer !== undefined) for (const name of members) if (!map.has(name)) map.set(name, layer);
    }
    for (const layer of layers) map.set(layer.tensor, layer);
    for (const [name, layer] of [...map]) if (!map.has(addressed(name))) map.set(addressed(name), layer);
    return map;
  }, [document, layers]);
  const [selected, setSelected] = useState(nameInAddress);
  useEffect(() => {
    const follow = (): void => setSelected(nameInAddress());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const select = useCallback((name: string | undefined) => {
    // An empty hash would scroll to the top; a page of its own history entry lets "back" return.
    if (name === undefined) history.pushState(null, '', location.pathname + location.search);
    else if (nameInAddress() !== name) history.pushState(null, '', layerLink(name));
    setSelected(name);
  }, []);
  const state = useMemo(
    (): PageState => ({
      document,
      layers,
      layerNamed: (name) => byName.get(name),
      selected,
      layer: selected === undefined ? undefined : byName.get(selected),
      select,
    }),
    [document, layers, byName, selected, select],
  );
  return <Context.Provider value={state}>{children}</Context.Provider>;
}
