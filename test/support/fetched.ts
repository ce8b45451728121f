/** Values of a program under construction, run on one sample. */
import type { ModelWriter, Value } from '../../src/compile/model-writer.js';
import type { Feed } from '../../src/run/data/dataset.js';
import { openSession } from '../../src/run/runtime.js';
import { ONE_THREAD } from './measured-networks.js';

/** As plain numbers, in the order asked for. */
export async function fetched(
  writer: ModelWriter,
  values: readonly Value[],
  feeds: ReadonlyMap<string, Feed>,
): Promise<number[][]> {
  // Identity: neither an input nor a constant may be an output itself.
  const session = await openSession(
    writer.encode(values.map((value) => writer.op('Identity', [value]))),
    ONE_THREAD,
  );
  try {
    const outputs = await session.run(feeds, 'sample');
    return outputs.map((values) => Array.from(values as ArrayLike<number | bigint>, Number));
  } finally {
    await session.close();
  }
}
