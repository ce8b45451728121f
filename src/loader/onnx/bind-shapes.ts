import { UsageError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import type { Shape } from '../../ir/graph.js';
import type { Draft } from './draft.js';
import type { ValueType } from './value-type.js';

/**
 * Fixes the extents of graph inputs; a symbol that gets an extent gets it everywhere.
 *
 * @param bindings graph input -> extents, one per dim.
 * @throws UsageError when an input does not exist, or an extent is not positive or contradicts the file or another binding.
 */
export function bindShapes(draft: Draft, bindings: ReadonlyMap<string, readonly number[]>): Draft {
  if (bindings.size === 0) return draft;
  const problems: string[] = [];
  const symbols = new Map<string, number>();
  for (const [name, dims] of bindings) {
    if (!draft.inputs.includes(name)) {
      problems.push(`the model has no input ${JSON.stringify(name)}; it has ${draft.inputs.join(', ')}`);
      continue;
    }
    problems.push(...contradictions(name, draft.types.get(name)?.shape, dims, symbols));
  }
  if (problems.length > 0) {
    throw new UsageError(problems[0] ?? '', {
      ...(problems.length > 1 ? { places: problems.slice(1) } : {}),
      hint: `--shape ${draft.inputs.map((name) => `${name}=${shapeHint(draft.types.get(name)?.shape)}`).join(' --shape ')}`,
    });
  }
  const types = new Map<string, ValueType>();
  for (const [name, { dtype, shape }] of draft.types) {
    const bound = bindings.get(name);
    types.set(name, {
      dtype,
      shape: bound ?? shape?.map((dim) => (typeof dim === 'string' ? (symbols.get(dim) ?? dim) : dim)),
    });
  }
  return { ...draft, types };
}

/** What is wrong with one binding; extents of its symbols go into `symbols`. */
function contradictions(
  name: string,
  shape: Shape | undefined,
  dims: readonly number[],
  symbols: Map<string, number>,
): string[] {
  const input = `input ${JSON.stringify(name)}`;
  if (dims.some((dim) => !Number.isSafeInteger(dim) || dim < 1)) {
    return [`${input} is given shape ${formatDims(dims)}; positive integers are wanted`];
  }
  if (shape === undefined) return [];
  if (shape.length !== dims.length) {
    return [
      `${input} is given shape ${formatDims(dims)}; the model wants ${shape.length} dims, ${formatDims(shape)}`,
    ];
  }
  return shape.flatMap((wanted, i) => {
    const given = dims[i] ?? 0;
    if (typeof wanted === 'number' && wanted !== given) {
      return [
        `${input} is given ${given} for dim ${i}; the model wants ${wanted} (shape ${formatDims(shape)})`,
      ];
    }
    if (typeof wanted !== 'string') return [];
    const known = symbols.get(wanted);
    if (known !== undefined && known !== given) {
      return [`${input} is given ${given} for dim ${i}, "${wanted}", which is also given as ${known}`];
    }
    symbols.set(wanted, given);
    return [];
  });
}

function shapeHint(shape: Shape | undefined): string {
  return shape === undefined ? '1' : shape.map((dim) => (typeof dim === 'number' ? dim : 1)).join('x');
}
