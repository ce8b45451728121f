/** What only a comparison of two files has: the ladder, the alignment, constants, and other runs of the candidate. */
import type { JSX } from 'preact';
import { usePage } from '../frame/page-context.js';
import { CompareAlignment } from './compare-alignment.js';
import { CompareConstants } from './compare-constants.js';
import { CompareLadder } from './compare-ladder.js';
import { CompareOtherRuns } from './compare-other-run.js';

/** Which step breaks the candidate: before the layers, which tell where. */
export function CompareSteps(): JSX.Element | null {
  const { report } = usePage().document;
  if (report.command !== 'compare') return null;
  return (
    <>
      <CompareLadder report={report} />
      <CompareOtherRuns report={report} />
    </>
  );
}

/** What belongs to what: for those who doubt the numbers above. */
export function ComparePairs(): JSX.Element | null {
  const { report } = usePage().document;
  if (report.command !== 'compare') return null;
  return (
    <>
      <CompareConstants report={report} />
      <CompareAlignment report={report} />
    </>
  );
}
