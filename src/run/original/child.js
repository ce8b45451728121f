// @ts-check
/**
 * A process that runs one model file, as it is, in ONNX Runtime. A file may abort or hang the runtime, and with it only this
 * process. Plain JavaScript without imports of its own, because it has to start from the sources as from what is built of them.
 *
 * The one that starts it sends messages and gets one answer to each, see ./process.ts.
 *
 * @typedef {import('./messages.js').Request} Request
 * @typedef {import('./messages.js').Answer} Answer
 * @typedef {import('./messages.js').RuntimeModule} RuntimeModule
 * @typedef {import('./messages.js').RuntimeSession} RuntimeSession
 * @typedef {import('./messages.js').RuntimeTensor} RuntimeTensor
 */
import { readFile } from 'node:fs/promises';

/** @type {{ readonly runtime: RuntimeModule, readonly session: RuntimeSession } | undefined} */
let open;

/**
 * @param {Request} request
 * @returns {Promise<Answer>}
 */
async function answer(request) {
  if (request.kind === 'open') {
    const runtime = /** @type {RuntimeModule} */ (await import(request.runtime));
    const bytes = Buffer.concat([await readFile(request.model), request.appended]);
    const session = await runtime.InferenceSession.create(bytes, request.options);
    open = { runtime, session };
    const { inputMetadata, outputMetadata } = session;
    const { node, common } = runtime.env.versions;
    return { kind: 'opened', version: node ?? common, inputs: inputMetadata, outputs: outputMetadata };
  }
  if (open === undefined) throw new Error('no model is open');
  const { runtime, session } = open;
  const feeds = Object.fromEntries(
    request.feeds.map(({ name, type, dims, data }) => [name, new runtime.Tensor(type, data, dims)]),
  );
  const results = await session.run(feeds, request.fetches);
  return {
    kind: 'ran',
    outputs: Object.entries(results).map(([name, { type, dims, data }]) => ({ name, type, dims, data })),
  };
}

process.on('message', (request) => {
  answer(/** @type {Request} */ (request))
    .catch((/** @type {unknown} */ error) => ({
      kind: /** @type {const} */ ('failed'),
      reason: error instanceof Error ? error.message : String(error),
    }))
    .then((reply) => process.send?.(reply))
    .catch(() => process.exit(1)); // there is nobody left to answer
});
