/** The network, coloured by a number of its layers. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { describeNetwork } from './describe.js';
import { GraphView } from './graph-view.js';
import { Legend } from './legend.js';
import { measuresOf } from './measures.js';
import { graphOf, networkOf } from './network.js';
import { saveGraph, WholeGraph, widthOnPaper } from './whole-graph.js';

export function GraphSection(): JSX.Element | null {
  const { document, layers, layerNamed } = usePage();
  const { report, layout } = document;
  const network = useMemo(() => {
    const graph = graphOf(report);
    return graph === undefined || layout === undefined ? undefined : networkOf(graph, layout);
  }, [report, layout]);
  const measures = useMemo(
    () => (network === undefined ? [] : measuresOf(network.sites, { report, layers, layerNamed })),
    [network, report, layers, layerNamed],
  );
  const [chosen, setChosen] = useState<string>();
  const isPrinted = usePrinting();
  if (network === undefined || network.sites.length === 0) return null;
  const measure = measures.find(({ key }) => key === chosen) ?? measures[0];
  const description = describeNetwork(network, measure);
  const paper = widthOnPaper(network);
  return (
    <Section
      id="graph"
      title="Graph"
      lead="Every operator of the network, in the order of computation from top to bottom. The stronger the colour, the more there is to look at."
    >
      <div class="graph-head">
        {measure === undefined ? null : (
          <label class="graph-choice">
            <span>Coloured by </span>
            <select value={measure.key} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
              {measures.map(({ key, title }) => (
                <option key={key} value={key}>
                  {title}
                </option>
              ))}
            </select>
          </label>
        )}
        <span class="tools">
          <button
            type="button"
            class="tool"
            aria-label="Graph: save as SVG"
            onClick={() => saveGraph(network, measure, description)}
          >
            SVG
          </button>
        </span>
      </div>
      {measure === undefined ? null : (
        <>
          <p class="graph-hint quiet">{measure.hint}</p>
          <Legend measure={measure} network={network} />
        </>
      )}
      <GraphView network={network} measure={measure} description={description} />
      {isPrinted && paper !== undefined ? (
        <div class="graph-paper" style={{ width: `${paper}px` }}>
          <WholeGraph network={network} measure={measure} description={description} />
        </div>
      ) : null}
      {isPrinted && paper === undefined ? (
        <p class="graph-paper">
          The graph is too large for a page. In the report on screen it can be saved as SVG.
        </p>
      ) : null}
    </Section>
  );
}

/** Paper gets a drawing of its own, made when it is needed. */
function usePrinting(): boolean {
  const [isPrinting, setPrinting] = useState(() => matchMedia('print').matches);
  useEffect(() => {
    const media = matchMedia('print');
    const follow = (): void => setPrinting(media.matches);
    const before = (): void => setPrinting(true);
    media.addEventListener('change', follow);
    addEventListener('beforeprint', before);
    addEventListener('afterprint', follow);
    return () => {
      media.removeEventListener('change', follow);
      removeEventListener('beforeprint', before);
      removeEventListener('afterprint', follow);
    };
  }, []);
  return isPrinting;
}
