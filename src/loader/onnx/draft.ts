/**
 * The graph of a file, checked, in names. Names are unique in ONNX, so passes that replace nodes work on them; ids are
 * given out last.
 */
import { LoadError } from '../../errors.js';
import type { ConstantData, Origin } from '../../ir/graph.js';
import type { DynamicQuantizer, LaneFault, QuantParams, StoredNames } from '../../ir/lane.js';
import type { AttributeProto, GraphProto } from '../../onnx/proto.js';
import { isGraph, plainAttr } from './attribute.js';
import type { PlainAttr } from './attribute.js';
import { constantValue } from './constant.js';
import type { ExternalFiles } from './external.js';
import { labelOf } from './inline.js';
import type { FileNode } from './inline.js';
import type { Problems } from '../problems.js';
import { freeNames } from './rewrite.js';
import { denseData } from './sparse.js';
import { tensorData } from '../../onnx/tensor.js';
import { topologicalOrder } from './topological-order.js';
import { valueTypes } from './value-type.js';
import type { ValueType } from './value-type.js';
import { domainOf } from './versions.js';

export interface DraftNode {
  readonly op: string;
  readonly domain: string;
  readonly attrs: ReadonlyMap<string, PlainAttr>;
  readonly graphs: ReadonlyMap<string, GraphProto>;
  /** '' = omitted. */
  readonly inputs: readonly string[];
  /** '' = omitted. */
  readonly outputs: readonly string[];
  /** Names that the nested graphs read from around the node. */
  readonly captures: readonly string[];
  readonly origin: Origin;
  /** Quantizers that only this node sees, by input slot. */
  readonly quantizers?: ReadonlyMap<number, QuantParams | DynamicQuantizer>;
  /** Why a node that quantizes, dequantizes or computes with codes stays one. */
  readonly unfolded?: string;
}

export interface Draft {
  /** In topological order. */
  readonly nodes: readonly DraftNode[];
  readonly constants: ReadonlyMap<string, ConstantData>;
  /** Without those that are constants. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly types: ReadonlyMap<string, ValueType>;
  /** Undefined for a model that nothing quantizes. */
  readonly quantization?: DraftQuantization;
}

/** What becomes the lane of the file. Names are those of the folded graph; some may not be in it any more. */
export interface DraftQuantization {
  readonly tensors: ReadonlyMap<string, QuantParams>;
  readonly codes: ReadonlyMap<string, ConstantData>;
  readonly stored: ReadonlyMap<string, StoredNames>;
  /** Of the parameters themselves: every tensor that has them has these faults. */
  readonly faults: ReadonlyMap<QuantParams, readonly Pick<LaneFault, 'kind' | 'message'>[]>;
  /** Tensors that the file does not have. */
  readonly inner: ReadonlySet<string>;
}

/** Levels of graphs within graphs. */
const DEPTH_LIMIT = 100;
/** Nodes of a cycle that a message names. */
const CYCLE_SHOWN = 10;

/** Label of a node for the user. */
export function draftLabel({ origin }: DraftNode): string {
  return origin.name !== '' ? origin.name : `${origin.op}#${origin.index}`;
}

/**
 * Reads tensors, attributes and types, and checks that every value is defined exactly once and before it is read.
 * What is wrong goes to `problems`.
 */
export function draftOf(
  graph: GraphProto,
  fileNodes: readonly FileNode[],
  files: ExternalFiles,
  problems: Problems,
): Draft {
  const reader = new DraftReader(files, problems);
  reader.readInitializers(graph);
  const nodes = fileNodes.flatMap((node) => reader.readNode(node));
  const { constants, definitions } = reader;

  const inputs: string[] = [];
  for (const { name } of graph.input ?? []) {
    // Before IR version 4, initializers had to be listed as inputs too.
    if (definitions.get(name ?? '') === 'an initializer') continue;
    reader.define(name ?? '', 'a graph input');
    inputs.push(name ?? '');
  }
  const outputs = (graph.output ?? []).map(({ name }) => name ?? '');
  if (outputs.length === 0) problems.add('the graph has no outputs');
  for (const output of outputs) {
    if (!definitions.has(output))
      problems.add(`graph output ${JSON.stringify(output)} is defined by nothing`);
  }
  for (const node of nodes) {
    const check = (name: string): void => {
      if (name === '' || definitions.has(name)) return;
      problems.add(
        `${draftLabel(node)} (${node.origin.op}) reads ${JSON.stringify(name)}, which nothing defines`,
      );
    };
    node.inputs.forEach(check);
    node.captures.forEach(check);
  }
  const sorted = topologicalOrder(nodes);
  if (sorted.cycle.length > 0) {
    const shown = sorted.cycle.slice(0, CYCLE_SHOWN).map(draftLabel).join(' -> ');
    const more = sorted.cycle.length > CYCLE_SHOWN ? ` and ${sorted.cycle.length - CYCLE_SHOWN} more` : '';
    problems.add(`nodes need each other's outputs: ${shown}${more}`);
  }
  return { nodes: sorted.order, constants, inputs, outputs, types: valueTypes(graph, problems) };
}

const NO_ATTRIBUTES: Pick<DraftNode, 'attrs' | 'graphs'> = { attrs: new Map(), graphs: new Map() };

class DraftReader {
  readonly constants = new Map<string, ConstantData>();
  /** What defines a name, for messages. */
  readonly definitions = new Map<string, string>();
  readonly #files: ExternalFiles;
  readonly #problems: Problems;
  #depth = 0;

  constructor(files: ExternalFiles, problems: Problems) {
    this.#files = files;
    this.#problems = problems;
  }

  define(name: string, by: string): void {
    const known = this.definitions.get(name);
    if (name === '') this.#problems.add(`${by} has no name`);
    else if (known === undefined) this.definitions.set(name, by);
    else this.#problems.add(`${JSON.stringify(name)} is defined twice: as ${known} and as ${by}`);
  }

  readInitializers(graph: GraphProto): void {
    for (const tensor of graph.initializer ?? []) {
      this.#constant(tensor.name ?? '', 'an initializer', (label) => tensorData(tensor, label, this.#files));
    }
    for (const sparse of graph.sparseInitializer ?? []) {
      this.#constant(sparse.values?.name ?? '', 'an initializer', (label) =>
        denseData(sparse, label, this.#files),
      );
    }
  }

  /** No node for a Constant, which becomes a constant. */
  readNode({ proto, index, functionPath }: FileNode): DraftNode[] {
    const label = [...functionPath, labelOf(proto, index)].join('/');
    const op = proto.opType ?? '';
    const domain = domainOf(proto.domain);
    const outputs = proto.output ?? [];
    const by = `an output of ${label} (${op})`;
    if (op === 'Constant' && domain === '' && outputs.length === 1) {
      this.#constant(outputs[0] ?? '', by, () => constantValue(proto.attribute ?? [], label, this.#files));
      return [];
    }
    for (const name of outputs) if (name !== '') this.define(name, by);
    const { attrs, graphs } = this.#attributes(proto.attribute ?? [], label);
    const captures =
      graphs.size === 0 ? [] : [...new Set([...graphs.values()].flatMap((graph) => [...freeNames(graph)]))];
    const origin: Origin = {
      name: proto.name ?? '',
      op,
      index,
      ...(functionPath.length === 0 ? {} : { functionPath }),
    };
    return [{ op, domain, attrs, graphs, inputs: proto.input ?? [], outputs, captures, origin }];
  }

  #constant(name: string, by: string, read: (label: string) => ConstantData): void {
    this.define(name, by);
    const data = this.#problems.attempt(() => read(`tensor ${JSON.stringify(name)}`));
    if (data !== undefined && !this.constants.has(name)) this.constants.set(name, data);
  }

  #attributes(attributes: readonly AttributeProto[], node: string): Pick<DraftNode, 'attrs' | 'graphs'> {
    if (attributes.length === 0) return NO_ATTRIBUTES;
    const attrs = new Map<string, PlainAttr>();
    const graphs = new Map<string, GraphProto>();
    for (const attribute of attributes) {
      const name = attribute.name ?? '';
      const label = `attribute ${JSON.stringify(name)} of ${node}`;
      if (attrs.has(name) || graphs.has(name)) {
        this.#problems.add(`${label} is given twice`);
      } else if (isGraph(attribute)) {
        this.#checkNested(attribute.g ?? {});
        graphs.set(name, attribute.g ?? {});
      } else {
        const attr = this.#problems.attempt(() => plainAttr(attribute, label, this.#files));
        if (attr !== undefined) attrs.set(name, attr);
      }
    }
    return { attrs, graphs };
  }

  /** Nested graphs are passed on as they are; that their tensors are there, and inside the model's folder, is checked. */
  #checkNested(graph: GraphProto): void {
    // Each level costs several frames of the call stack, here and when the graph is written again.
    if (++this.#depth > DEPTH_LIMIT) {
      throw new LoadError(
        `the model is nested too deeply: graphs within graphs, more than ${DEPTH_LIMIT} levels`,
      );
    }
    for (const tensor of graph.initializer ?? []) {
      this.#problems.attempt(() =>
        tensorData(tensor, `tensor ${JSON.stringify(tensor.name ?? '')}`, this.#files),
      );
    }
    (graph.node ?? []).forEach((node, index) => {
      this.#attributes(node.attribute ?? [], labelOf(node, index));
    });
    this.#depth--;
  }
}
