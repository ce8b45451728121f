/**
 * A user's own model file in ONNX Runtime, in a process of its own: some files make the runtime abort the process that it is in,
 * or never come back, which no error handling catches.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RunError } from '../../errors.js';
import type { Feed } from '../data/dataset.js';
import { reasonOf, runtimeModule } from '../runtime.js';
import type { Answer, Described, NamedTensor, Request } from './messages.js';

export interface OriginalOptions {
  /** Threads inside an operator. */
  readonly threads: number;
  /** `none` computes node by node as written; `all` is what users run, with all fusions. */
  readonly optimization: 'all' | 'none';
  /** Milliseconds for opening the model, and for one run, before the process counts as hung. */
  readonly patienceMs?: number;
}

export interface Original {
  /** Of the runtime, such as 1.30.0. */
  readonly version: string;
  /** Types of the file's inputs and outputs by name, in the words of the IR; undefined for what is no tensor. */
  readonly inputs: ReadonlyMap<string, string | undefined>;
  readonly outputs: ReadonlyMap<string, string | undefined>;
  /**
   * Values of the named outputs.
   *
   * @param feeds of the types of `inputs`: codes where the file takes codes
   * @throws RunError when the runtime fails, crashes or hangs; nothing can be run after the last two
   */
  run(
    feeds: ReadonlyMap<string, Feed>,
    fetches: readonly string[],
  ): Promise<ReadonlyMap<string, NamedTensor>>;
  close(): Promise<void>;
}

/** Beyond what any model takes that a user would wait for. */
const PATIENCE_MS = 300_000;
/** Of what the process says before it dies, the end. */
const LAST_WORDS = 2000;

/** Types that the runtime hands to JavaScript: it aborts the process on a 4-bit output. */
const FETCHABLE: ReadonlySet<string | undefined> = new Set([
  ...['float32', 'float64', 'float16', 'bool'],
  ...['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'],
]);

export function isFetchable(type: string | undefined): boolean {
  return FETCHABLE.has(type);
}

/**
 * Opens a model file as it is.
 *
 * @param path of the model file
 * @param directory against which external data is resolved
 * @param appended bytes that make tensors outputs, see `outputsAppended`
 * @throws RunError with the reason in one line when the runtime refuses the file, crashes or hangs
 */
export async function openOriginal(
  path: string,
  directory: string,
  appended: Uint8Array,
  { threads, optimization, patienceMs = PATIENCE_MS }: OriginalOptions,
): Promise<Original> {
  const child = new Child(patienceMs);
  try {
    const opened = await child.ask({
      kind: 'open',
      runtime: runtimeModule(),
      model: path,
      appended,
      options: {
        executionProviders: ['cpu'],
        graphOptimizationLevel: optimization === 'none' ? 'disabled' : 'all',
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: 4,
        extra: { session: { model_external_initializers_file_folder_path: directory } },
      },
    });
    if (opened.kind !== 'opened') throw new RunError('ONNX Runtime gave no description of the model');
    return {
      version: opened.version,
      inputs: typesOf(opened.inputs),
      outputs: typesOf(opened.outputs),
      async run(feeds, fetches) {
        const answer = await child.ask({
          kind: 'run',
          feeds: [...feeds].map(([name, { dtype, dims, data }]) => ({ name, type: dtype, dims, data })),
          fetches,
        });
        return new Map(answer.kind === 'ran' ? answer.outputs.map((output) => [output.name, output]) : []);
      },
      close: () => child.close(),
    };
  } catch (error) {
    await child.close();
    throw error;
  }
}

function typesOf(described: readonly Described[]): ReadonlyMap<string, string | undefined> {
  return new Map(described.map(({ name, type }) => [name, type]));
}

/** One process, which answers one request at a time. */
class Child {
  readonly #process: ChildProcess;
  readonly #patienceMs: number;
  readonly #ended: Promise<string>;
  #lastWords = '';

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#process = fork(fileURLToPath(new URL('./child.js', import.meta.url)), {
      // Not the options of this process: a debugger's port can be had once.
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (text: Buffer) => {
      this.#lastWords = (this.#lastWords + text.toString()).slice(-LAST_WORDS);
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', ({ message }) => resolve(`its process cannot be used: ${message}`));
      // 'close' rather than 'exit': then what it said has been read.
      this.#process.once('close', (code, signal) => resolve(this.#endOf(code, signal)));
    });
  }

  /** @throws RunError */
  async ask(request: Request): Promise<Answer> {
    const answer = await this.#answerTo(request);
    if (typeof answer === 'string') {
      await this.close();
      throw new RunError(answer);
    }
    if (answer.kind === 'failed') {
      const verb = request.kind === 'open' ? 'refused the file' : 'failed while running it';
      throw new RunError(`ONNX Runtime ${verb}: ${reasonOf(answer.reason)}`);
    }
    return answer;
  }

  /** The answer, or why there is none. */
  #answerTo(request: Request): Promise<Answer | string> {
    let timer: NodeJS.Timeout | undefined;
    let receive: ((answer: Answer) => void) | undefined;
    const answered = new Promise<Answer>((resolve) => {
      receive = resolve;
      this.#process.once('message', receive);
    });
    const late = new Promise<string>((resolve) => {
      const seconds = Math.ceil(this.#patienceMs / 1000);
      const what = request.kind === 'open' ? 'opening the file' : 'running the file';
      timer = setTimeout(
        () => resolve(`ONNX Runtime did not finish ${what} in ${seconds} s`),
        this.#patienceMs,
      );
    });
    // Failing to send is the end of the process, which says why.
    if (this.#process.connected) this.#process.send(request, () => undefined);
    return Promise.race([answered, late, this.#ended]).finally(() => {
      clearTimeout(timer);
      if (receive !== undefined) this.#process.off('message', receive);
    });
  }

  #endOf(code: number | null, signal: NodeJS.Signals | null): string {
    const words = this.#lastWords
      .trim()
      .split('\n')
      .map((line) => line.trim());
    const said = words.find((line) => /what\(\)|error|exception|memory/i.test(line)) ?? words.at(-1) ?? '';
    const how = signal === null ? `exit code ${code ?? 'unknown'}` : signal;
    const memory = signal === 'SIGKILL' ? ', as a system out of memory does' : '';
    return `ONNX Runtime ended its process (${how})${memory}${said === '' ? '' : `: ${reasonOf(said)}`}`;
  }

  /** Nothing is kept that would have to be put in order first. */
  async close(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
