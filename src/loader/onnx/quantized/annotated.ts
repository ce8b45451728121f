/** The folded graph: every tensor with the quantizers that its readers want, and nothing that nobody reads any more. */
import type { ConstantData } from '../../../ir/graph.js';
import type { DynamicQuantizer, QuantParams, StoredNames } from '../../../ir/lane.js';
import type { Draft, DraftNode } from '../draft.js';
import type { FileReaders } from './file-readers.js';
import type { Emission, FoldState } from './fold-state.js';

/** One input of one node. */
interface Reading {
  readonly emission: Emission;
  readonly slot: number;
  readonly through: QuantParams | DynamicQuantizer | undefined;
}

/** Operators that look at the shape alone: codes have that of their tensor. */
export const SHAPE_READERS: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** Writes the outputs of the network, then places annotations. Called once, after the last node of the file. */
export function annotated(state: FoldState, readers: FileReaders): Draft {
  const given = writeOutputs(state);
  const live = liveEmissions(state, readers);
  const { tensors, quantizers } = new Placing(live, given, state).result();
  const names = finalNames(state, live);
  const rename = (name: string): string => names.get(name) ?? name;
  const nodes = live.map((emission): DraftNode => {
    const own = quantizers.get(emission);
    const inputs = emission.reads.map((operand) => (operand === null ? '' : rename(operand.name)));
    return { ...emission.node, inputs, ...(own === undefined ? {} : { quantizers: own }) };
  });
  const keyed = <V>(map: ReadonlyMap<string, V>): Map<string, V> =>
    new Map([...map].map(([name, value]) => [rename(name), value]));
  return {
    ...state.draft,
    nodes,
    constants: readConstants(state, readers, nodes, keyed(state.constants)),
    types: state.types,
    quantization: {
      tensors: keyed(tensors),
      codes: keyed(new Map([...state.codes].map(([name, { data }]) => [name, data]))),
      stored: keyed(storedNames(state, tensors)),
      faults: state.parameters.faults,
      inner: new Set([...state.inner].map(rename)),
    },
  };
}

/**
 * Outputs of the network that are codes, or read back from codes, need tensors of their names.
 *
 * @returns all outputs, and the quantizers of tensors that are codes in the file
 */
function writeOutputs(state: FoldState): Map<string, QuantParams | undefined> {
  const given = new Map<string, QuantParams | undefined>();
  for (const name of state.draft.outputs) {
    const known = state.draft.constants.has(name) ? undefined : state.known.get(name);
    given.set(name, undefined);
    if (known === undefined || known.tensor === name) continue;
    state.materializeValues(name, known);
    if (known.kind === 'codes') state.note(name, 'codes', name, known.params);
  }
  for (const [name, { params }] of state.codes) given.set(name, params);
  for (const [name, { tensor, params }] of state.known) if (tensor === name) given.set(name, params);
  return given;
}

/** Without the nodes that only fed what is folded now. */
function liveEmissions(state: FoldState, readers: FileReaders): Emission[] {
  const read = new Set([...state.draft.outputs, ...state.captured]);
  const live: Emission[] = [];
  for (const emission of state.emissions.toReversed()) {
    const { node, reads } = emission;
    const isRead = node.outputs.some((output) => read.has(output));
    const wasRead = state.absorbed.has(node) || node.outputs.some((output) => readers.read.has(output));
    if (!isRead && wasRead) continue;
    for (const operand of reads) if (operand !== null) read.add(operand.name);
    live.push(emission);
  }
  return live.reverse();
}

class Placing {
  readonly #emissions: readonly Emission[];
  readonly #readings = new Map<string, Reading[]>();
  readonly #tensors = new Map<string, QuantParams>();
  readonly #quantizers = new Map<Emission, Map<number, QuantParams | DynamicQuantizer>>();
  /** Outputs of the network, and tensors that are codes in the file, with the quantizer that they pass. */
  readonly #given: ReadonlyMap<string, QuantParams | undefined>;
  readonly #state: FoldState;

  constructor(
    emissions: readonly Emission[],
    given: ReadonlyMap<string, QuantParams | undefined>,
    state: FoldState,
  ) {
    this.#emissions = emissions;
    this.#given = given;
    this.#state = state;
    for (const emission of emissions) {
      if (SHAPE_READERS.has(emission.node.op)) continue;
      emission.reads.forEach((operand, slot) => {
        if (operand === null) return;
        const readings = this.#readings.get(operand.name) ?? [];
        this.#readings.set(operand.name, readings);
        readings.push({ emission, slot, through: operand.through });
      });
    }
  }

  result(): {
    tensors: Map<string, QuantParams>;
    quantizers: ReadonlyMap<Emission, ReadonlyMap<number, QuantParams | DynamicQuantizer>>;
  } {
    for (const [name, params] of this.#given) if (params !== undefined) this.#tensors.set(name, params);
    for (const [name, readings] of this.#readings) this.#place(name, readings);
    for (const emission of this.#emissions) if (emission.made === 'values') this.#placeBehind(emission);
    return { tensors: this.#tensors, quantizers: this.#quantizers };
  }

  /** One quantizer of the tensor where all readers want that one, else one for each reader. */
  #place(name: string, readings: readonly Reading[]): void {
    const firm = readings.filter(({ emission }) => emission.made !== 'codes');
    const [first] = firm;
    const params = first?.through;
    if (params === undefined && firm.every(({ through }) => through === undefined)) return;
    const own = this.#given.get(name);
    const isBare = this.#state.captured.has(name) || (own === undefined && this.#given.has(name));
    const isOne =
      !isBare &&
      (own === undefined || own === params) &&
      params !== undefined &&
      !('kind' in params) &&
      firm.every(({ through }) => through === params) &&
      readings.every(({ through }) => through === params) &&
      // Codes written again are the same codes when values are read back as they were written.
      (params.read === undefined || firm.length === readings.length);
    if (isOne) {
      this.#tensors.set(name, params);
      return;
    }
    for (const { emission, slot, through } of firm) {
      if (through === undefined || through === own) continue;
      const ofNode = this.#quantizers.get(emission) ?? new Map<number, QuantParams | DynamicQuantizer>();
      this.#quantizers.set(emission, ofNode);
      ofNode.set(slot, through);
    }
  }

  /** An Identity that only brings quantized values out of the network carries their quantizer itself, too. */
  #placeBehind(emission: Emission): void {
    const [output = ''] = emission.node.outputs;
    const [operand] = emission.reads;
    const params = operand?.through;
    if (operand === null || operand === undefined || params === undefined || 'kind' in params) return;
    if (this.#readings.get(output)?.some(({ through }) => through !== undefined)) return;
    // Quantized again behind it, if only by a node whose codes nobody reads.
    const codes = this.#state.stored.get(output)?.codes ?? new Map<string, QuantParams>();
    if ([...codes.keys()].some((name) => name !== output)) return;
    // Through a quantizer twice is as good as once, unless values are read back otherwise than they were written.
    const isBefore = this.#tensors.get(operand.name) === params;
    if (isBefore && params.read !== undefined) return;
    this.#tensors.set(output, params);
    this.#quantizers.get(emission)?.delete(0);
  }
}

/** Constants of codes give their names to their values, unless something still reads the codes. */
function finalNames(
  { codedConstants, outputs, captured }: FoldState,
  live: readonly Emission[],
): Map<string, string> {
  const taken = new Set([...outputs, ...captured]);
  for (const { reads } of live) for (const operand of reads) if (operand !== null) taken.add(operand.name);
  const names = new Map<string, string>();
  for (const { codes, tensor } of codedConstants) {
    if (taken.has(codes) || !taken.has(tensor)) continue;
    taken.add(codes);
    names.set(tensor, codes);
  }
  return names;
}

/** Without scales, zero points and codes that only folded nodes read. Those that the file never used stay. */
function readConstants(
  { draft, captured }: FoldState,
  readers: FileReaders,
  nodes: readonly DraftNode[],
  constants: ReadonlyMap<string, ConstantData>,
): Map<string, ConstantData> {
  const read = new Set([...draft.outputs, ...captured, ...nodes.flatMap(({ inputs }) => inputs)]);
  return new Map(
    [...constants].filter(
      ([name]) => read.has(name) || (draft.constants.has(name) && !readers.read.has(name)),
    ),
  );
}

/** Of a tensor with a quantizer of its own, the names of what passed that one; else of all that the file has of it. */
function storedNames(
  { stored, parameters }: FoldState,
  tensors: ReadonlyMap<string, QuantParams>,
): Map<string, StoredNames> {
  const isWriter = (params: QuantParams, of: QuantParams): boolean => params === parameters.writerOf(of);
  return new Map(
    [...stored].map(([tensor, { codes, values }]) => {
      const own = tensors.get(tensor);
      const written = [...codes].filter(([, params]) => own === undefined || isWriter(params, own));
      const read = [...values].filter(([, params]) => own === undefined || params === own);
      return [tensor, { codes: written.map(([name]) => name), values: read.map(([name]) => name) }];
    }),
  );
}
