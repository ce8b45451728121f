/** The network that a report is about. */
import type { ReportedGraph } from '../report-graph.js';
import type { PageReport } from './page-document.js';

/** The one that the page draws: of several models side by side the first. */
export function drawnGraph(report: PageReport): ReportedGraph | undefined {
  switch (report.command) {
    case 'inspect':
      return report.models[0]?.graph;
    case 'analyze':
    case 'compare':
    case 'doctor':
    case 'sweep':
      return report.graph;
  }
}
