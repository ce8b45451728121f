/** What a sweep has shown: the decision, what each part of the network costs, experiments, the search, and fixes. */
import type { JSX } from 'preact';
import { usePage } from '../frame/page-context.js';
import { SweepDecision } from './sweep-decision.js';
import { SweepExperiments } from './sweep-experiments.js';
import { SweepFixes } from './sweep-fixes.js';
import { SweepSearch } from './sweep-search.js';
import { SweepUnits } from './sweep-units.js';

export function SweepSections(): JSX.Element | null {
  const { report } = usePage().document;
  if (report.command !== 'sweep') return null;
  return (
    <>
      <SweepDecision report={report} />
      <SweepSearch report={report} />
      <SweepUnits
        report={report}
        units={report.layers}
        id="sweep-layers"
        title="Layers"
        noun="layer"
        order="layers in graph order"
      />
      <SweepUnits
        report={report}
        units={report.groups}
        id="sweep-groups"
        title="Operator types and groups"
        noun="group"
        order="operator types, then named groups"
      />
      <SweepExperiments report={report} />
      <SweepFixes report={report} />
    </>
  );
}
