/** Inference over real models against the shapes ONNX Runtime computed in them (fixtures/infer/models.py). */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DType, Graph } from '../../../src/ir/graph.js';
import { topologyOf } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { loadModel } from '../../../src/loader/index.js';

interface Facts {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly tensors: Readonly<Record<string, readonly [DType, readonly number[]]>>;
}

const FACTS = JSON.parse(
  readFileSync(new URL('../../../fixtures/infer/models.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Facts>>;

const MODELS = fileURLToPath(new URL('../../../../shared/models', import.meta.url));

/** Behind these, extents depend on the data of the run. */
const DATA_DEPENDENT = new Set(['NonMaxSuppression', 'NonZero']);

/** The file's own notes about intermediate tensors would hide what inference does not find. */
function withoutNotes(graph: Graph): Graph {
  const { producer } = topologyOf(graph);
  const forget = { dtype: undefined, shape: undefined };
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) =>
      producer[tensor.id] === undefined ? tensor : { ...tensor, ...forget },
    ),
  };
}

/** Tensors that a data-dependent operator reaches. */
function dataDependent(graph: Graph): ReadonlySet<string> {
  const ids = new Set<number>();
  for (const node of graph.nodes) {
    if (!DATA_DEPENDENT.has(node.op) && !node.inputs.some((id) => id !== null && ids.has(id))) continue;
    for (const id of node.outputs) if (id !== null) ids.add(id);
  }
  return new Set(graph.tensors.filter(({ id }) => ids.has(id)).map(({ name }) => name));
}

describe.skipIf(!existsSync(MODELS))('inferShapes on real models', () => {
  it.each(Object.entries(FACTS))(
    'finds every shape in %s that does not depend on data',
    async (path, facts) => {
      const shapes = new Map(Object.entries(facts.inputs));
      const { graph, lane } = await loadModel(`${MODELS}/${path}`, { shapes });
      const inferred = inferShapes(withoutNotes(graph));
      const dependent = dataDependent(inferred);
      const wrong: string[] = [];
      let compared = 0;
      for (const { id, name, dtype, shape } of inferred.tensors) {
        const real = facts.tensors[name];
        if (real === undefined) continue;
        const fits =
          shape?.every((dim, i) => dim === real[1][i] || (dim === null && dependent.has(name))) === true;
        // Codes of the file are float values with a quantizer here.
        const wanted = lane?.tensors.has(id) === true ? 'float32' : real[0];
        const complete = fits && shape.length === real[1].length && dtype === wanted;
        if (!complete)
          wrong.push(`${name}: ${dtype} [${shape?.join(', ')}], really ${real[0]} [${real[1].join(', ')}]`);
        compared += 1;
      }
      expect(wrong).toEqual([]);
      // Where a file has a value, its codes and the value read back, there is one tensor here.
      const least = lane === undefined ? 0.6 : 0.25;
      expect(compared).toBeGreaterThan(Object.keys(facts.tensors).length * least);
    },
  );
});
