/**
 * An ONNX file as a Graph. https://github.com/onnx/onnx/blob/main/docs/IR.md
 */
import { LoadError } from '../../errors.js';
import type { Attr, Graph, Node, NodeId, Tensor, TensorId } from '../../ir/graph.js';
import { inferShapes } from '../../ir/infer/index.js';
import type { Lane } from '../../ir/lane.js';
import type { ModelProto } from '../../onnx/proto.js';
import { bindShapes } from './bind-shapes.js';
import { draftOf } from './draft.js';
import type { Draft, DraftNode } from './draft.js';
import { decodeFile, isStackOverflow } from './envelope.js';
import { ExternalFiles } from './external.js';
import type { ExternalFile } from './external.js';
import { foldBatchNorms } from './fold-batch-norm.js';
import { inlineFunctions } from './inline.js';
import { withImpliedActivations } from './quantized/implied-activations.js';
import { laneOf } from './quantized/lane.js';
import { foldQuantized } from './quantized/pass.js';
import { Problems } from '../problems.js';
import { opaqueGraph } from './subgraph.js';
import type { ValueType } from './value-type.js';
import { checkOpset, domainOf, modelVersions } from './versions.js';

export interface OnnxOptions {
  readonly foldBatchNorm: boolean;
  /** Extents of graph inputs by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

export interface OnnxFile {
  readonly graph: Graph;
  /** What the file says of its quantization; undefined for a float model. */
  readonly lane?: Lane;
  /** Files that hold tensors of the model, in order of first use. */
  readonly externalFiles: readonly ExternalFile[];
}

const MICROSOFT = 'com.microsoft';

/**
 * Reads a model; weights stay where they are, in `bytes` or in files beside the model.
 *
 * @param bytes the whole file; kept, and to be left unchanged.
 * @param path absolute path of the file.
 * @throws LoadError when the model is broken, UnsupportedError when it is beyond qdbg, UsageError when `shapes` does not fit.
 */
export function readOnnx(bytes: Uint8Array, path: string, options: OnnxOptions): OnnxFile {
  try {
    return read(bytes, path, options);
  } catch (cause) {
    if (isStackOverflow(cause)) throw new LoadError('the model is nested too deeply', { cause });
    throw cause;
  }
}

function read(bytes: Uint8Array, path: string, options: OnnxOptions): OnnxFile {
  const model = decodeFile(bytes);
  if (!model.graph) throw new LoadError('not an ONNX model: there is no graph in it');
  const { irVersion, opsets } = modelVersions(model);
  const problems = new Problems();
  const files = new ExternalFiles(path);
  const nodes = inlineFunctions(model, model.graph, opsets, problems);
  checkOpset(opsets);
  let draft = draftOf(model.graph, nodes, files, problems);
  if (!opsets.has('') && draft.nodes.some(({ domain }) => domain === '')) {
    problems.add('the model uses ai.onnx operators, its opset_import does not say of which version');
  }
  problems.throwIfAny();
  draft = foldQuantized(bindShapes(draft, options.shapes), opsets.get('') ?? 0, (given) =>
    inferredTypes(given, opsets, irVersion),
  );
  if (options.foldBatchNorm) draft = foldBatchNorms(draft);
  draft = withImpliedActivations(draft, opsets.get('') ?? 0);
  const { ids, ...parts } = graphParts(draft);
  const inner = [...(draft.quantization?.inner ?? [])].flatMap((name) => ids.get(name) ?? []);
  const graph: Graph = {
    name: model.graph.name ?? '',
    format: 'onnx',
    opsets: usedOpsets(opsets, model, draft),
    irVersion,
    ...parts,
    metadata: new Map((model.metadataProps ?? []).map(({ key, value }) => [key ?? '', value ?? ''])),
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    ...(inner.length === 0 ? {} : { inner: new Set(inner) }),
  };
  const lane = laneOf(draft, ids);
  return { graph, ...(lane === undefined ? {} : { lane }), externalFiles: files.files };
}

/** Without the domains that only named the model's own functions, which no runtime knows. */
function usedOpsets(
  opsets: ReadonlyMap<string, number>,
  model: ModelProto,
  draft: Draft,
): Map<string, number> {
  const ofFunctions = new Set((model.functions ?? []).map(({ domain }) => domainOf(domain)));
  const used = new Set(draft.nodes.map(({ domain }) => domain));
  const kept = [...opsets].filter(
    ([domain]) => domain === '' || used.has(domain) || !ofFunctions.has(domain),
  );
  // A node that writes codes of 16 bits again may bring in the runtime's own operators.
  return new Map(used.has(MICROSOFT) ? [[MICROSOFT, 1], ...kept] : kept);
}

/** Types and shapes of all values, as far as they follow from those of the inputs. */
function inferredTypes(
  draft: Draft,
  opsets: ReadonlyMap<string, number>,
  irVersion: number,
): Map<string, ValueType> {
  const { ids, ...parts } = graphParts(draft);
  const nameless = { name: '', format: 'onnx', metadata: new Map(), producer: '' } as const;
  const { tensors } = inferShapes({ ...nameless, opsets, irVersion, ...parts });
  return new Map([...ids].flatMap(([name, id]) => (tensors[id] === undefined ? [] : [[name, tensors[id]]])));
}

interface GraphParts extends Pick<Graph, 'tensors' | 'nodes' | 'inputs' | 'outputs'> {
  readonly ids: ReadonlyMap<string, TensorId>;
}

function graphParts(draft: Draft): GraphParts {
  const tensors: Tensor[] = [];
  const ids = new Map<string, TensorId>();
  const add = (name: string): void => {
    if (name === '' || ids.has(name)) return;
    const id = tensors.length as TensorId;
    const data = draft.constants.get(name);
    const type = data === undefined ? draft.types.get(name) : { dtype: data.dtype, shape: data.dims };
    ids.set(name, id);
    tensors.push({
      id,
      name,
      dtype: type?.dtype,
      shape: type?.shape,
      ...(data === undefined ? {} : { data }),
    });
  };
  draft.inputs.forEach(add);
  for (const name of draft.constants.keys()) add(name);
  for (const node of draft.nodes) node.outputs.forEach(add);

  const idOf = (name: string): TensorId => {
    const id = ids.get(name);
    if (id === undefined) throw new Error(`tensor ${name} was checked and is not there`);
    return id;
  };
  const optional = (name: string): TensorId | null => (name === '' ? null : idOf(name));
  const nodes = draft.nodes.map((node, index): Node => ({
    id: index as NodeId,
    op: node.op,
    domain: node.domain,
    attrs: attrsOf(node, ids),
    inputs: node.inputs.map(optional),
    outputs: node.outputs.map(optional),
    origin: node.origin,
  }));
  return { tensors, nodes, inputs: draft.inputs.map(idOf), outputs: draft.outputs.map(idOf), ids };
}

function attrsOf(
  { attrs, graphs }: DraftNode,
  ids: ReadonlyMap<string, TensorId>,
): ReadonlyMap<string, Attr> {
  if (graphs.size === 0) return attrs;
  const all = new Map<string, Attr>(attrs);
  for (const [name, graph] of graphs) all.set(name, { type: 'graph', value: opaqueGraph(graph, ids) });
  return all;
}
