/**
 * ONNX Runtime, behind one door: the only file that imports onnxruntime-node, and only once a session is opened, so that
 * static commands never load it.
 */
import { performance } from 'node:perf_hooks';
import type * as Ort from 'onnxruntime-node';
import type { CompiledModel } from '../compile/model-writer.js';
import { RunError, UnsupportedError } from '../errors.js';
import type { Feed } from './data/dataset.js';

export type Fetched =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface FetchedTensor {
  readonly data: Fetched;
  readonly dims: readonly number[];
}

export interface SessionOptions {
  /** Threads inside an operator. */
  readonly threads: number;
  /** `none` computes node by node as written, as a reference; `all` fuses and uses blocked convolutions. */
  readonly optimization?: 'all' | 'none';
}

export interface Session {
  /** Milliseconds it took to prepare the model. */
  readonly openedInMs: number;
  /**
   * Values of the model's outputs, in their order. `feeds` may hold more inputs than the model reads.
   *
   * @param sample its name, for the message when the network fails on it
   * @throws RunError
   */
  run(feeds: ReadonlyMap<string, Feed>, sample?: string): Promise<readonly Fetched[]>;
  /** As `run`, with the extents of every output. */
  fetch(feeds: ReadonlyMap<string, Feed>, sample?: string): Promise<readonly FetchedTensor[]>;
  close(): Promise<void>;
}

/**
 * Graph transformers of ONNX Runtime that find nothing in a graph of probes, or fuse what a probe has to see. Every one walks
 * the whole graph: without them a session of 12,000 nodes opens in less than half the time. Constant folding, the fusions of
 * convolutions and matrix products with bias and activation, and the blocked convolution layout stay.
 */
const SKIPPED_TRANSFORMERS = [
  'AttentionFusion',
  'BiasDropoutFusion',
  'BiasGeluFusion',
  'BiasSkipLayerNormFusion',
  'BiasSoftmaxFusion',
  'CastFloat16Transformer',
  'CommonSubexpressionElimination',
  'ConstantSharing',
  'DoubleQDQPairsRemover',
  'DynamicQuantizeMatMulFusion',
  'EmbedLayerNormFusion',
  'FastGeluFusion',
  'FreeDimensionOverrideTransformer',
  'FuseFp16InitializerToFp32NodeTransformer',
  'GatherSliceToSplitFusion',
  'GatherToSliceFusion',
  'GeluFusionL1',
  'GeluFusionL2',
  'GroupQueryAttentionFusion',
  'GroupQueryAttentionPreNormFusion',
  'LayerNormFusionL1',
  'LayerNormFusionL2',
  'Level2_RuleBasedTransformer',
  'MatMulActivationFusion',
  'MatMulIntegerToFloatFusion',
  'MatMulNBitsFusion',
  'MatMulScaleFusion',
  'MatmulTransposeFusion',
  'MemcpyTransformer',
  'NhwcTransformer',
  'QDQFinalCleanupTransformer',
  'QuickGeluFusion',
  'RemoveDuplicateCastTransformer',
  'ReshapeFusion',
  'SimplifiedLayerNormFusion',
  'SkipLayerNormFusion',
  'SliceConcatToSpaceToDepthFusion',
  'TransposeOptimizer_CPUExecutionProvider',
].join(';');

/** How the runtime says that it has no operator of that name, or none for these types. */
const LACKS =
  /not a registered function\/op|No Op registered for|Could not find an implementation|NOT_IMPLEMENTED/;

const INSPECT_HINT = 'qdbg inspect MODEL shows what is in it';

async function runtime(): Promise<typeof Ort> {
  return import('onnxruntime-node');
}

/** "onnxruntime-node 1.x": numbers of two versions need not agree to the last bit. */
export async function runtimeVersion(): Promise<string> {
  const { env } = await runtime();
  return `onnxruntime-node ${env.versions.node ?? env.versions.common}`;
}

/** Where the runtime lies, for a process of its own. */
export function runtimeModule(): string {
  return import.meta.resolve('onnxruntime-node');
}

export async function openSession(model: CompiledModel, options: SessionOptions): Promise<Session> {
  const ort = await runtime();
  const started = performance.now();
  const session = await create(ort, model, options);
  const openedInMs = performance.now() - started;
  const fetch = async (
    feeds: ReadonlyMap<string, Feed>,
    sample: string | undefined,
  ): Promise<FetchedTensor[]> => {
    const tensors: Record<string, Ort.Tensor> = {};
    session.inputNames.forEach((name, i) => {
      const input = model.inputs[i] ?? name;
      const feed = feeds.get(input);
      if (feed === undefined) throw new RangeError(`no feed for input ${input}`);
      tensors[name] = new ort.Tensor(feed.dtype as Ort.Tensor.Type, feed.data as Float32Array, feed.dims);
    });
    const results = await session.run(tensors).catch((cause: unknown) => {
      throw new RunError(`the network failed while running: ${reasonOf(cause)}`, {
        ...(sample === undefined ? {} : { places: [`sample ${sample}`] }),
        hint:
          sample?.startsWith('random#') === true
            ? INSPECT_HINT
            : 'random in place of the data shows whether the data or the model is at fault',
        cause,
      });
    });
    return model.outputs.map((name) => {
      const { data, dims } = results[name] as Ort.Tensor;
      return { data: data as Fetched, dims };
    });
  };
  return {
    openedInMs,
    fetch,
    run: async (feeds, sample) => (await fetch(feeds, sample)).map(({ data }) => data),
    close: () => session.release(),
  };
}

function create(
  ort: typeof Ort,
  model: CompiledModel,
  options: SessionOptions,
): Promise<Ort.InferenceSession> {
  const folder = model.externalDirectory;
  return ort.InferenceSession.create(model.bytes, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: options.optimization === 'none' ? 'disabled' : 'all',
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
    extra: {
      optimization: { disable_specified_optimizers: SKIPPED_TRANSFORMERS },
      session: {
        // Quantize/Dequantize pairs must stay what they are: fused into integer kernels they would be another network.
        disable_quant_qdq: '1',
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  }).catch((cause: unknown) => {
    const reason = reasonOf(cause);
    const details = { hint: INSPECT_HINT, cause };
    if (LACKS.test(reason)) {
      throw new UnsupportedError(`ONNX Runtime cannot run this network: ${reason}`, details);
    }
    throw new RunError(`ONNX Runtime refused the network: ${reason}`, details);
  });
}

/** The runtime's own message without its source positions, and without what compiling has added to names. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text
    .replace(/\s+/g, ' ')
    .replace(/^\S*onnxruntime\S*:\d+ .*?\] /, '')
    .replace(
      /Non-zero status code returned while running (\S+) node\. Name:'(.*?)' Status Message: /,
      (_, op: string, name: string) => (name === '' || name.startsWith('~') ? `${op}: ` : `${op} ${name}: `),
    )
    .replace(/\S*\/onnxruntime\/\S+:\d+ .* was false\. /, '')
    .replace(/\S*\/onnxruntime\/\S+:\d+ .*?\)(?: const)?(?: \[with .*?\])? (?=[A-Z])/, '')
    .replace(/(?<=[^\s'"(])~\d+(?=['"):\s])/g, '')
    .trim();
}
