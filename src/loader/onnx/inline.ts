/**
 * Model-local functions, expanded where they are called.
 * https://github.com/onnx/onnx/blob/main/docs/IR.md#functions
 */
import { LoadError, UnsupportedError } from '../../errors.js';
import { overloadOf, withFields } from '../../onnx/proto.js';
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from '../../onnx/proto.js';
import {
  attributeValues,
  defaultsOf,
  definedNames,
  functionKey,
  functionLabel,
  resolveReference,
  undefinedReads,
} from './function-definition.js';
import { FreshNames } from './fresh-names.js';
import type { Problems } from '../problems.js';
import { allNames, nestedGraphs, rewriteNode, Scope } from './rewrite.js';
import type { Rewrite } from './rewrite.js';
import { domainLabel, domainOf, opsetsOf } from './versions.js';

/** A node of the main graph after expansion, and where it came from. */
export interface FileNode {
  readonly proto: NodeProto;
  /** Position in the file's main graph: of the node, or of the outermost call it was expanded from. */
  readonly index: number;
  /** Labels of the calls it was expanded from, outermost first. */
  readonly functionPath: readonly string[];
}

/** Functions that call functions multiply: a short file can describe more nodes than there are atoms. */
const EXPANSION_LIMIT = 1_000_000;
const DEPTH_LIMIT = 100;
/** Part of a call's path that goes into the names of its values. */
const PREFIX_LENGTH = 200;

/** Label of a node for the user: its own name, or operator and position. */
export function labelOf(node: NodeProto, index: number): string {
  return node.name ? node.name : `${node.opType ?? ''}#${index}`;
}

/**
 * Nodes of the main graph with every call of a model-local function replaced by the function's nodes, in nested graphs
 * too. Operator sets that only functions import are added to `opsets`.
 *
 * @throws LoadError when functions call each other in a circle or are called wrongly.
 * @throws UnsupportedError when a function needs another opset than the model, or the expansion has no sensible end.
 */
export function inlineFunctions(
  model: ModelProto,
  graph: GraphProto,
  opsets: Map<string, number>,
  problems: Problems,
): FileNode[] {
  const nodes = graph.node ?? [];
  const functions = model.functions ?? [];
  if (functions.length === 0) return nodes.map((proto, index) => ({ proto, index, functionPath: [] }));
  const inliner = new Inliner(functions, opsets, allNames(graph), problems);
  return nodes.flatMap((proto, index) => inliner.expandTopLevel(proto, index));
}

interface Call {
  readonly definition: FunctionProto;
  readonly label: string;
  /** Labels from the outermost call to this one. */
  readonly path: string;
}

type Emit = (node: NodeProto, calls: readonly Call[]) => void;

class Inliner {
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #opsets: Map<string, number>;
  readonly #names: FreshNames;
  readonly #problems: Problems;
  /** Attribute defaults of the functions that were called so far. */
  readonly #defaults = new Map<FunctionProto, readonly AttributeProto[]>();
  #size = 0;

  constructor(
    functions: readonly FunctionProto[],
    opsets: Map<string, number>,
    taken: Set<string>,
    problems: Problems,
  ) {
    const byKey = new Map<string, FunctionProto>();
    for (const definition of functions) {
      const key = functionKey(definition.domain, definition.name, overloadOf(definition));
      if (byKey.has(key)) problems.add(`${functionLabel(definition)} is defined twice`);
      byKey.set(key, definition);
    }
    this.#functions = byKey;
    this.#opsets = opsets;
    this.#names = new FreshNames(taken);
    this.#problems = problems;
  }

  expandTopLevel(node: NodeProto, index: number): FileNode[] {
    const expanded: FileNode[] = [];
    const proto = this.#containsCall(node) ? this.#withExpandedGraphs(node) : node;
    this.#expand(proto, index, [], (inner, calls) => {
      expanded.push({ proto: inner, index, functionPath: calls.map(({ label }) => label) });
    });
    return expanded;
  }

  #definitionOf(node: NodeProto): FunctionProto | undefined {
    return this.#functions.get(functionKey(node.domain, node.opType, overloadOf(node)));
  }

  #containsCall(node: NodeProto): boolean {
    return nestedGraphs(node).some((graph) =>
      (graph.node ?? []).some(
        (inner) => this.#definitionOf(inner) !== undefined || this.#containsCall(inner),
      ),
    );
  }

  /** A node of the main graph with the calls in its nested graphs expanded; no name of the file changes. */
  #withExpandedGraphs(node: NodeProto): NodeProto {
    const rewrite: Rewrite = {
      local: (name) => name,
      attribute: (attribute) => attribute,
      node: (inner) => this.#expandNested(inner, []),
    };
    return rewriteNode(node, new Scope(new Map()), rewrite);
  }

  #expandNested(node: NodeProto, calls: readonly Call[]): NodeProto[] {
    const expanded: NodeProto[] = [];
    if (calls.length > 0) this.#growByNode(node);
    this.#expand(node, 0, calls, (inner, innerCalls) => {
      // Runtimes refuse two nodes of one name in one graph, and two calls of one function would make them.
      const name = innerCalls.length > 0 ? inner.name : '';
      expanded.push(name ? withFields(inner, { name: this.#fresh(name, innerCalls) }) : inner);
    });
    return expanded;
  }

  #expand(node: NodeProto, index: number, calls: readonly Call[], emit: Emit): void {
    const definition = this.#definitionOf(node);
    if (definition === undefined) {
      emit(node, calls);
      return;
    }
    const label = labelOf(node, index);
    const parent = calls.at(-1);
    const path = parent === undefined ? label : `${parent.path}/${label}`;
    this.#expandCall(
      definition,
      node,
      [...calls, { definition, label, path: path.slice(0, PREFIX_LENGTH) }],
      emit,
    );
  }

  #expandCall(definition: FunctionProto, call: NodeProto, calls: readonly Call[], emit: Emit): void {
    this.#check(definition, calls);
    const { names, copies } = this.#bindValues(definition, call, calls);
    const defaults = this.#defaults.get(definition) ?? [];
    this.#grow(defaults.length);
    const values = attributeValues(defaults, call);
    const rewrite: Rewrite = {
      local: (name) => this.#fresh(name, calls),
      attribute: (attribute) => resolveReference(attribute, values),
      node: (inner) => this.#expandNested(inner, calls),
    };
    const scope = new Scope(names);
    definition.node?.forEach((node, index) => {
      this.#growByNode(node);
      this.#expand(rewriteNode(node, scope, rewrite), index, calls, emit);
    });
    for (const copy of copies) emit(copy, calls);
  }

  /** Names of the function's values in the caller's graph, and the copies that outputs without a node of their own need. */
  #bindValues(
    definition: FunctionProto,
    call: NodeProto,
    calls: readonly Call[],
  ): { names: Map<string, string>; copies: NodeProto[] } {
    const inputs = definition.input ?? [];
    const outputs = definition.output ?? [];
    const given = { inputs: call.input ?? [], outputs: call.output ?? [] };
    if (given.inputs.length > inputs.length || given.outputs.length > outputs.length) {
      throw new LoadError(
        `${calls.at(-1)?.path ?? ''} calls ${functionLabel(definition)} (${inputs.length} inputs, ` +
          `${outputs.length} outputs) with ${given.inputs.length} inputs and ${given.outputs.length} outputs`,
      );
    }
    this.#grow(inputs.length + outputs.length);
    const names = new Map<string, string>(inputs.map((formal, i) => [formal, given.inputs[i] ?? '']));
    const copies: NodeProto[] = [];
    outputs.forEach((formal, i) => {
      const actual = given.outputs[i] || this.#fresh(formal, calls);
      const source = names.get(formal);
      if (source === undefined) names.set(formal, actual);
      // An output that is an input, or listed before, has no node that writes it.
      else copies.push({ opType: 'Identity', input: [source], output: [actual] });
    });
    for (const name of definedNames(definition)) {
      if (!names.has(name)) names.set(name, this.#fresh(name, calls));
    }
    return { names, copies };
  }

  #check(definition: FunctionProto, calls: readonly Call[]): void {
    if (calls.slice(0, -1).some((outer) => outer.definition === definition)) {
      throw new LoadError(`${functionLabel(definition)} calls itself`, {
        places: [calls.at(-1)?.path ?? ''],
      });
    }
    if (calls.length > DEPTH_LIMIT) {
      throw new UnsupportedError(`functions of the model call each other more than ${DEPTH_LIMIT} deep`);
    }
    if (this.#defaults.has(definition)) return;
    this.#defaults.set(definition, defaultsOf(definition));
    for (const name of undefinedReads(definition)) {
      this.#problems.add(
        `${functionLabel(definition)} reads ${JSON.stringify(name)}, which it does not define`,
      );
    }
    this.#importOpsets(definition);
  }

  #importOpsets(definition: FunctionProto): void {
    const used = new Set((definition.node ?? []).map((node) => domainOf(node.domain)));
    for (const [domain, version] of opsetsOf(definition.opsetImport ?? [], functionLabel(definition))) {
      if (!used.has(domain)) continue;
      const ofModel = this.#opsets.get(domain);
      if (ofModel === undefined) this.#opsets.set(domain, version);
      else if (ofModel !== version) {
        throw new UnsupportedError(
          `${functionLabel(definition)} uses ${domainLabel(domain)} opset ${version}, the model opset ${ofModel}; ` +
            'one opset is supported',
        );
      }
    }
  }

  #fresh(name: string, calls: readonly Call[]): string {
    this.#grow(1);
    return this.#names.next(`${calls.at(-1)?.path ?? ''}/${name}`);
  }

  #growByNode(node: NodeProto): void {
    this.#grow(1 + (node.input?.length ?? 0) + (node.output?.length ?? 0) + (node.attribute?.length ?? 0));
  }

  #grow(by: number): void {
    this.#size += by;
    if (this.#size > EXPANSION_LIMIT) {
      throw new UnsupportedError(
        `the functions of the model expand to more than ${EXPANSION_LIMIT} nodes and values`,
      );
    }
  }
}
