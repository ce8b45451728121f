/** What passes between this process and the one that runs a user's file. */
import type { Fetched } from '../runtime.js';

export interface OpenRequest {
  readonly kind: 'open';
  /** URL of the runtime's module. */
  readonly runtime: string;
  /** Path of the model file. */
  readonly model: string;
  /** Bytes behind those of the file. */
  readonly appended: Uint8Array;
  /** As the runtime takes them. */
  readonly options: object;
}

/** Elements as the runtime has them: float16 as its bits, bool as 0 and 1. */
export interface NamedTensor {
  readonly name: string;
  /** In the runtime's words, which are those of the IR. */
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Fetched;
}

export interface RunRequest {
  readonly kind: 'run';
  readonly feeds: readonly NamedTensor[];
  /** Names of the outputs that are wanted. */
  readonly fetches: readonly string[];
}

export type Request = OpenRequest | RunRequest;

/** An input or output of a model; sequences and maps are no tensors and have no type. */
export interface Described {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
}

export interface Opened {
  readonly kind: 'opened';
  readonly version: string;
  readonly inputs: readonly Described[];
  readonly outputs: readonly Described[];
}

export interface Ran {
  readonly kind: 'ran';
  readonly outputs: readonly NamedTensor[];
}

export type Answer = Opened | Ran | { readonly kind: 'failed'; readonly reason: string };

/** What the process uses of the runtime, which its own code does not name. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Fetched;
}

export interface RuntimeSession {
  readonly inputMetadata: readonly Described[];
  readonly outputMetadata: readonly Described[];
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, RuntimeTensor>>>;
}

export interface RuntimeModule {
  readonly env: { readonly versions: { readonly common: string; readonly node?: string } };
  readonly Tensor: new (type: string, data: Fetched, dims: readonly number[]) => RuntimeTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<RuntimeSession>;
  };
}
