/** qdbg as a library: everything the command line does, with the same types. */
export { analyze, type AnalyzeRequest } from './commands/analyze.js';
export { compare, type CompareRequest } from './commands/compare.js';
export { inspect, type InspectRequest } from './commands/inspect.js';
export { schemeFrom } from './commands/scheme-request.js';
export * from './errors.js';
export { loadModel, type LoadedModel, type LoadOptions } from './loader/index.js';
export { NO_SELECTION, type Selection } from './quant/select.js';
export { SCHEMES } from './quant/presets.js';
export type { ObserverSpec, Scheme, TensorScheme } from './quant/scheme.js';
export { REPORTERS } from './report/index.js';
export type { CompareReport } from './report/compare-report.js';
export type { InspectReport } from './report/inspect-report.js';
export type { Report } from './report/report.js';
export { VERSION } from './version.js';
