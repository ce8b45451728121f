/**
 * Node data for Google's Model Explorer: the SQNR of every layer, to be laid over its drawing of the network. A file holds one number
 * of each node: https://github.com/google-ai-edge/model-explorer, node_data_builder.py. It names no graph, so that it goes with the
 * one that is open.
 *
 * Nodes are found by what adapters call them: those of TFLite by the names of their output tensors, those of ONNX (the adapter
 * model-explorer-onnx) by their own names. That adapter makes up names for nodes without one: such nodes stay without a number.
 */
import { UsageError } from '../errors.js';
import { BROKEN_DB, CLOSE_DB } from './close.js';
import type { MeasuredReport } from './evaluated.js';
import type { ReportedNode } from './report-graph.js';
import type { ReportedModel } from './report.js';
import type { SweepReport } from './sweep-report.js';

/** As in the JSON report. `alone`: at the outputs, with only this layer quantized. */
export type NodeNumber = 'self' | 'local' | 'cumulative' | 'alone';

interface NodeData {
  readonly name: string;
  readonly results: Readonly<Record<string, NodeValue>>;
  /** Colours of values up to each, ascending. */
  readonly thresholds: readonly {
    readonly value: number;
    readonly bgColor: string;
    readonly textColor: string;
  }[];
}

interface NodeValue {
  readonly value: number | string;
  readonly bgColor?: string;
  readonly textColor?: string;
}

interface Measured {
  readonly sqnrDb?: number | undefined;
  readonly exact?: true | undefined;
}

const TEXT = '#1f2328';
const BEST = '#7fc8a9';
/** dB, from bad to good; told apart also by those who do not tell red from green. */
const COLORS: readonly (readonly [upTo: number, color: string])[] = [
  [BROKEN_DB, '#f2777a'],
  [CLOSE_DB, '#f7b267'],
  [30, '#f6e27f'],
  [40, '#cfe8d5'],
  [1000, BEST],
];

/** @throws UsageError when not one layer has the number */
export function renderModelExplorer(report: MeasuredReport | SweepReport, number: NodeNumber): string {
  const values = new Map<string, Measured>();
  for (const [keys, measured] of rowsOf(report, number)) {
    for (const key of keys) values.set(key, worse(values.get(key), measured));
  }
  if (values.size === 0) {
    throw new UsageError(`--report model-explorer: no layer has a ${number} SQNR in this report`, {
      hint: '--report json=FILE',
    });
  }
  const data: NodeData = {
    name: `${number} SQNR, dB`,
    results: Object.fromEntries([...values].map(([key, measured]) => [key, valueOf(measured)])),
    thresholds: COLORS.map(([value, bgColor]) => ({ value, bgColor, textColor: TEXT })),
  };
  return `${JSON.stringify(data, undefined, 1)}\n`;
}

/** What each layer has, by the names under which adapters may know its node. */
function* rowsOf(
  report: MeasuredReport | SweepReport,
  number: NodeNumber,
): Generator<readonly [keys: readonly string[], measured: Measured]> {
  const keysOf = adapterKeys(report);
  if (report.command === 'sweep') {
    for (const { name, tensor, alone } of report.layers) {
      const measured = { sqnrDb: alone?.outputSqnrDb, exact: alone?.exact };
      if (number === 'alone' && isMeasured(measured)) yield [keysOf(name, tensor), measured];
    }
    return;
  }
  for (const row of report.tensors) {
    const { node, tensor, role } = row;
    // Constants are part of the node that reads them, and inputs have no node.
    if (number === 'alone' || role === 'weight' || role === 'bias' || role === 'input') continue;
    const measured = row[number];
    if (measured !== undefined && isMeasured(measured)) yield [keysOf(node, tensor), measured];
  }
}

function adapterKeys({
  graph,
  models,
}: MeasuredReport | SweepReport): (node: string, tensor: string | undefined) => readonly string[] {
  if (measuredModel(models)?.format === 'tflite')
    return (_, tensor) => (tensor === undefined ? [] : [tensor]);
  const nodes = new Map<string, ReportedNode>();
  const writers = new Map<string, ReportedNode>();
  for (const node of graph?.nodes ?? []) {
    nodes.set(node.node, node);
    for (const output of node.outputs) writers.set(output, node);
  }
  return (name, tensor) => {
    const node = (tensor === undefined ? undefined : writers.get(tensor)) ?? nodes.get(name);
    return node?.members ?? [name];
  };
}

/** The file that rows of tensors are of. */
function measuredModel(models: readonly ReportedModel[]): ReportedModel | undefined {
  return models.find(({ role }) => role !== 'reference') ?? models[0];
}

function isMeasured({ sqnrDb, exact }: Measured): boolean {
  return sqnrDb !== undefined || exact === true;
}

/** Of several outputs of a node. */
function worse(a: Measured | undefined, b: Measured): Measured {
  return a === undefined || (b.sqnrDb ?? Infinity) < (a.sqnrDb ?? Infinity) ? b : a;
}

function valueOf({ sqnrDb }: Measured): NodeValue {
  return sqnrDb === undefined
    ? { value: 'exact', bgColor: BEST, textColor: TEXT }
    : { value: Number(sqnrDb.toFixed(2)) };
}
