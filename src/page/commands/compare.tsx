/** What only a comparison of two files has: the ladder, the alignment, constants, and other runs of the candidate. */
import type { JSX } from 'preact';
import { usePage } from '../frame/page-context.js';
import { CompareAlignment } from './compare-alignment.js';
import { CompareConstants } from './compare-constants.js';
import { CompareLadder } from './compare-ladder.js';
import { CompareOtherRuns } from './compare-other-run.js';

export function CompareSections(): JSX.Element | null {
  const { report } = usePage().document;
  if (report.command !== 'compare') return null;
  return (
    <>
      <CompareLadder report={report} />
      <CompareOtherRuns report={report} />
      <CompareAlignment report={report} />
      <CompareConstants report={report} />
    </>
  );
}
