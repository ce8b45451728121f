// @ts-check
/**
 * A process of the pool, see ./pool.ts: what is said to it is a task, what it says are the words of ./worker.ts. Plain JavaScript
 * because it is what Node.js is started with, from the sources as from what is built of them.
 *
 * @typedef {import('./worker.js').Task} Task
 */
import { Worker } from './worker.js';

const worker = new Worker();

process.on('message', (task) => {
  void worker.work(/** @type {Task} */ (task), (said) => {
    // Without a callback an error in sending would be thrown: then there is nobody left to say it to.
    process.send?.(said, undefined, undefined, () => undefined);
  });
});
process.on('disconnect', () => process.exit());
