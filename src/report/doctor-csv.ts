/** Findings of `qdbg doctor` as CSV, one row each, worst first. */
import { csvLines, type Cell } from './csv.js';
import type { DoctorReport } from './doctor-report.js';

type Finding = DoctorReport['findings'][number];

const CELLS: Readonly<Record<string, (finding: Finding) => Cell>> = {
  severity: ({ severity }) => severity,
  rule: ({ rule }) => rule,
  node: ({ subject }) => subject.node,
  tensor: ({ subject }) => subject.tensor,
  message: ({ message }) => message,
  fix_title: ({ fix }) => fix?.title,
  fix_edit: ({ fix }) => fix?.edit,
  fix_tensor: ({ fix }) => fix?.measured?.tensor,
  fix_before_db: ({ fix }) => fix?.measured?.beforeDb,
  fix_after_db: ({ fix }) => fix?.measured?.afterDb,
  fix_samples: ({ fix }) => fix?.measured?.samples,
  args: ({ args }) => JSON.stringify(args),
};

export function renderDoctorCsv({ findings }: Pick<DoctorReport, 'findings'>): string {
  const rows = findings.map((finding) => Object.values(CELLS).map((cellOf) => cellOf(finding)));
  return csvLines([Object.keys(CELLS), ...rows]);
}
