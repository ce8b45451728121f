/** The page: the answer first, then the evidence, the selected layer beside it. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PageDocument } from '../report/html/page-document.js';
import { AccuracySection } from './accuracy/accuracy-section.js';
import { PicturesSection } from './accuracy/pictures.js';
import { ComparePairs, CompareSteps } from './commands/compare.js';
import { InspectSections } from './commands/inspect.js';
import { SweepSections } from './commands/sweep.js';
import { PageProvider, usePage } from './frame/page-context.js';
import { ThemeButton } from './frame/theme-button.js';
import { GraphSection } from './graph/graph-section.js';
import { LayerPanel } from './layers/layer-panel.js';
import { LayerTable } from './layers/layer-table.js';
import { SqnrSection } from './layers/sqnr-section.js';
import { BasisSection } from './summary/basis.js';
import { FindingsSection } from './summary/findings.js';
import { GateSection } from './summary/gate.js';
import { Verdict } from './summary/verdict.js';

export function App({ document }: { readonly document: PageDocument }): JSX.Element {
  return (
    <PageProvider document={document}>
      <a class="skip" href="#verdict">
        Skip to the verdict
      </a>
      <Header />
      <div class="columns">
        <main>
          <Verdict />
          <FindingsSection />
          <GateSection />
          <SweepSections />
          <CompareSteps />
          <SqnrSection />
          <AccuracySection />
          <PicturesSection />
          <GraphSection />
          <LayerTable />
          <ComparePairs />
          <InspectSections />
          <BasisSection />
        </main>
        <LayerPanel />
      </div>
    </PageProvider>
  );
}

function Header(): JSX.Element {
  const { document } = usePage();
  const { tool, command } = document.report;
  return (
    <header class="top">
      <p class="brand">
        <strong>qdbg</strong> <span class="quiet">{command}</span>
      </p>
      <Contents />
      <ThemeButton />
      <span class="quiet version">{tool.version}</span>
    </header>
  );
}

/** Links to the sections that there are. */
function Contents(): JSX.Element {
  const [entries, setEntries] = useState<readonly { readonly id: string; readonly title: string }[]>([]);
  useEffect(() => {
    const sections = [...globalThis.document.querySelectorAll<HTMLElement>('main > .section')];
    setEntries(
      sections.map(({ id, firstElementChild }) => ({ id, title: firstElementChild?.textContent ?? id })),
    );
  }, []);
  return (
    <nav class="contents" aria-label="Sections">
      <ul>
        {entries.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`}>{title}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
