import type { CompareReport } from './compare-report.js';
import type { DoctorReport } from './doctor-report.js';
import type { InspectReport } from './inspect-report.js';
import type { Report } from './report.js';
import type { SweepReport } from './sweep-report.js';

/** The document of any command; its `command` says of which. */
export type AnyReport = Report | InspectReport | CompareReport | DoctorReport | SweepReport;
