import type { PageReport } from '../../report/html/page-document.js';

/** Whether anything was run on numbers that no camera or microphone ever gave. */
export function usesRandomData(report: PageReport): boolean {
  if (report.command === 'inspect') return false;
  return Object.values(report.data).some((data) => data?.kind === 'random');
}
