/**
 * Processes that answer tasks one at a time, each in its own memory: a runtime that aborts or hangs takes one with it, and a new one
 * stands in for it.
 *
 * Not tinypool (2.2.0), which isolates crashes as well, because of three things that were tried: it does not say by which signal a
 * process ended, it copies what a dying process prints to the terminal, and a task that waits for a process which is killed while it
 * starts is never answered.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { QdbgError, DataError, LoadError, RunError, UnsupportedError, UsageError } from '../../../errors.js';
import { reasonOf } from '../../../run/runtime.js';
import { LostError } from './chunked-runner.js';

/** An error in plain data. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly places: readonly string[];
  readonly hint: string | undefined;
}

/** What a process says while it works on a task, which shows that it is alive, and at last its answer. */
export type Said<Answer> =
  /** What every task needs is there. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'sample' }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly error: WireError };

export interface PoolOptions {
  readonly processes: number;
  /** Milliseconds without a word after which a process counts as hung. */
  readonly patienceMs: number;
  /** Module that every process runs. */
  readonly entry: URL;
}

/** Of what a process says before it dies, the end. */
const LAST_WORDS = 4000;
/** The line of an error, as C++ and Node.js write it. */
const REASON = /^\s*what\(\):|^\w*(error|exception)\b.*:|out of memory/i;

const ERRORS = { UsageError, LoadError, UnsupportedError, DataError, RunError, QdbgError };

export class ProcessPool<Task extends object, Answer> {
  readonly #options: PoolOptions;
  readonly #idle: Child<Task, Answer>[] = [];
  readonly #all = new Set<Child<Task, Answer>>();

  /** Processes are started when there are tasks for them. */
  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * The caller keeps to the number of processes: each call has one of its own.
   *
   * @throws LostError when the process ends or says nothing for too long
   * @throws QdbgError as the task did
   */
  async run(task: Task, watch: () => void): Promise<Answer> {
    const child = this.#idleChild() ?? this.#started();
    try {
      const answer = await child.ask(task, watch);
      this.#idle.push(child);
      return answer;
    } catch (error) {
      if (error instanceof LostError) {
        this.#all.delete(child);
        await child.close();
      } else this.#idle.push(child);
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((child) => child.close()));
    this.#all.clear();
    this.#idle.length = 0;
  }

  /** One that still runs: they are also killed while they wait. */
  #idleChild(): Child<Task, Answer> | undefined {
    for (let child = this.#idle.pop(); child !== undefined; child = this.#idle.pop()) {
      if (child.isConnected) return child;
      this.#all.delete(child);
    }
    return undefined;
  }

  #started(): Child<Task, Answer> {
    const child = new Child<Task, Answer>(this.#options);
    this.#all.add(child);
    return child;
  }
}

class Child<Task extends object, Answer> {
  readonly #process: ChildProcess;
  readonly #patienceMs: number;
  readonly #ended: Promise<string>;
  #lastWords = '';

  constructor({ entry, patienceMs }: PoolOptions) {
    this.#patienceMs = patienceMs;
    this.#process = fork(entry, {
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

  get isConnected(): boolean {
    return this.#process.connected;
  }

  ask(task: Task, watch: () => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let hasBegun = false;
      let timer: NodeJS.Timeout | undefined;
      const lost = (why: string): void => {
        settle();
        reject(new LostError(why, hasBegun));
      };
      const wait = (): void => {
        clearTimeout(timer);
        const seconds = Math.ceil(this.#patienceMs / 1000);
        timer = setTimeout(() => lost(`ONNX Runtime did not answer within ${seconds} s`), this.#patienceMs);
      };
      const hear = (said: Said<Answer>): void => {
        wait();
        if (said.kind === 'begun') hasBegun = true;
        else if (said.kind === 'sample') watch();
        else {
          settle();
          if (said.kind === 'answer') resolve(said.answer);
          else reject(errorOf(said.error));
        }
      };
      const settle = (): void => {
        clearTimeout(timer);
        this.#process.off('message', hear);
      };
      this.#process.on('message', hear);
      wait();
      void this.#ended.then(lost);
      // Failing to send is the end of the process, which says why.
      if (this.#process.connected) this.#process.send(task, () => undefined);
    });
  }

  #endOf(code: number | null, signal: NodeJS.Signals | null): string {
    const said = this.#lastWords.split('\n').find((line) => REASON.test(line));
    const words = said === undefined ? '' : ` (${reasonOf(said.replace('what():', ''))})`;
    if (signal === 'SIGKILL')
      return `its process was killed, as a system out of memory does: ${signal}${words}`;
    return signal === null
      ? `its process ended with exit code ${code ?? 'unknown'}${words}`
      : `ONNX Runtime crashed: ${signal}${words}`;
  }

  /** Nothing is kept that would have to be put in order first. */
  async close(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

export function wireError(error: unknown): WireError {
  const { name, message, stack = message } = error instanceof Error ? error : new Error(String(error));
  return error instanceof QdbgError
    ? { name, message, places: error.places, hint: error.hint }
    : { name: 'Error', message: stack, places: [], hint: undefined };
}

function errorOf({ name, message, places, hint }: WireError): Error {
  const [, Kind] = Object.entries(ERRORS).find(([known]) => known === name) ?? [];
  if (Kind === undefined) return new Error(message);
  return new Kind(message, { places, ...(hint === undefined ? {} : { hint }) });
}
