/** What the rule of one operator sees of the pass, and what it does to it. */
import type { ConstantData, DType, FloatDType, Shape } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { draftLabel, type DraftNode } from '../draft.js';
import type { FileReaders } from './file-readers.js';
import { readerLabel, type FoldState } from './fold-state.js';
import { Unfoldable, type Emitted, type Folding, type Operand } from './folding.js';

export class NodeFolding implements Folding {
  readonly node: DraftNode;
  readonly #state: FoldState;
  readonly #readers: FileReaders;
  readonly #absorbed: DraftNode[] = [];

  constructor(node: DraftNode, state: FoldState, readers: FileReaders) {
    this.node = node;
    this.#state = state;
    this.#readers = readers;
  }

  get opset(): number {
    return this.#state.opset;
  }

  has(slot: number): boolean {
    return this.#name(slot) !== '';
  }

  constant(slot: number): ConstantData | undefined {
    return this.constantOf(this.#name(slot));
  }

  constantOf(name: string): ConstantData | undefined {
    return this.#state.draft.constants.get(name);
  }

  intAttr(name: string, otherwise: number): number {
    const attr = this.node.attrs.get(name);
    return attr?.type === 'int' ? Number(attr.value) : otherwise;
  }

  floatType(params: QuantParams): FloatDType {
    return this.#state.parameters.floatOf(params);
  }

  rank(slot: number): number | undefined {
    return shapeOf(this.#state, this.#name(slot))?.length;
  }

  /** `written`: type of codes that are written without a zero point, which would say it. */
  params(
    scaleSlot: number,
    zeroPointSlot: number,
    of: { readonly input: number } | { readonly output: number },
    axis?: number,
    blockSize = 0,
    written?: DType,
  ): QuantParams {
    const zeroPoint = this.#name(zeroPointSlot);
    const isInput = 'input' in of;
    const name = isInput ? this.#name(of.input) : (this.node.outputs[of.output] ?? '');
    // A zero point says what type is written; what is read has its own.
    const stated = isInput ? undefined : (this.#state.parameters.constant(zeroPoint)?.dtype ?? written);
    // Biases are such, ahead of time; no operator writes them.
    if (stated === 'int32' || stated === 'int64') throw new Unfoldable(`it writes codes of ${stated}`);
    return this.#state.parameters.read({
      scale: this.#name(scaleSlot),
      zeroPoint,
      of: { name, dtype: stated ?? dtypeOf(this.#state, name), shape: shapeOf(this.#state, name) },
      axis,
      blockSize,
    });
  }

  values(slot: number, given: QuantParams): Operand {
    const state = this.#state;
    const params = state.parameters.shared(given, state.parameters.floatOf(given));
    const name = this.#name(slot);
    if (state.draft.constants.has(name)) {
      const tensor = state.constantValues(name, params, state.parameters.floatOf(params));
      return { name: tensor, through: params };
    }
    const known = state.known.get(name);
    if (known?.kind === 'codes') {
      return { name: known.tensor, through: state.parameters.combined(known.params, params) };
    }
    throw new Unfoldable(this.#unknownCodes(name));
  }

  codes(slot: number): { readonly operand: Operand; readonly params: QuantParams } | undefined {
    const known = this.#state.known.get(this.#name(slot));
    if (known?.kind !== 'codes') return undefined;
    const { tensor, params } = known;
    return { operand: { name: tensor, through: params }, params };
  }

  real(slot: number): Operand {
    return this.realOf(this.#name(slot));
  }

  realOf(name: string): Operand {
    return this.#state.operand(name, readerLabel(this.node));
  }

  producerOf(name: string): DraftNode | undefined {
    return this.#readers.producer.get(name);
  }

  onlyReaderOf(name: string): DraftNode | undefined {
    return this.#readers.only(name);
  }

  absorb(node: DraftNode): void {
    this.#absorbed.push(node);
    this.#state.add(this.#state.absorbed, node);
  }

  addConstant(
    base: string,
    data: ConstantData,
    annotation?: { params: QuantParams; codes: ConstantData },
  ): Operand {
    const state = this.#state;
    const name = state.addConstant(base, data);
    if (annotation === undefined) {
      state.add(state.inner, name);
      return { name };
    }
    const params = state.parameters.shared(annotation.params, state.parameters.floatOf(annotation.params));
    state.set(state.codes, name, { data: annotation.codes, params });
    return { name, through: params };
  }

  fresh(base: string): string {
    const name = this.#state.names.next(base);
    this.#state.add(this.#state.inner, name);
    return name;
  }

  emit({ op, domain = '', inputs, attrs = new Map(), outputs, part }: Emitted): void {
    const { origin } = this.node;
    const absorbed = this.#absorbed.map(draftLabel);
    const node: DraftNode = {
      op,
      domain,
      attrs,
      graphs: new Map(),
      inputs: [],
      outputs,
      captures: [],
      origin:
        part === 'step'
          ? { ...origin, part }
          : absorbed.length === 0
            ? origin
            : { ...origin, absorbed: [...(origin.absorbed ?? []), ...absorbed] },
    };
    this.#state.emit({ node, reads: inputs });
  }

  writesCodes(slot: number, given: QuantParams): string {
    const state = this.#state;
    const name = this.node.outputs[slot] ?? '';
    if (name === '') return this.fresh(`${draftLabel(this.node)}_output`);
    if (state.captured.has(name)) throw new Unfoldable('a nested graph reads its codes');
    const float = state.parameters.floatOf(given);
    const params = state.parameters.shared(given, float);
    state.set(state.known, name, { kind: 'codes', tensor: name, params, origin: this.node.origin });
    state.set(state.types, name, { dtype: float, shape: state.types.get(name)?.shape });
    state.note(name, 'codes', name, params);
    return name;
  }

  handsOnCodes(slot: number, tensor: string, given: QuantParams): void {
    const state = this.#state;
    const name = this.node.outputs[slot] ?? '';
    if (state.captured.has(name) && state.outputs.has(name)) {
      throw new Unfoldable('its codes are an output of the network and of interest to a nested graph');
    }
    const params = state.parameters.shared(given, state.parameters.floatOf(given));
    const { origin } = this.node;
    const writer = this.node.op === 'QuantizeLinear' ? { writer: this.node } : {};
    state.set(state.known, name, { kind: 'codes', tensor, params, origin, ...writer });
    state.note(tensor, 'codes', name, params);
  }

  #name(slot: number): string {
    return this.node.inputs[slot] ?? '';
  }

  #unknownCodes(name: string): string {
    const writer = this.producerOf(name);
    const from = writer === undefined ? 'a graph input' : `what ${readerLabel(writer)} writes`;
    return `it reads '${name}', ${from}: codes of no known tensor`;
  }
}

/** Type of a value of the file. */
export function dtypeOf(
  { known, draft, inferred }: FoldState,
  name: string,
): ConstantData['dtype'] | undefined {
  const held = known.get(name);
  if (held?.kind === 'codes') return held.params.dtype;
  return (draft.constants.get(name) ?? draft.types.get(name) ?? inferred.get(name))?.dtype;
}

/** Shape of a value of the file, as far as the file says it or it follows from that of the inputs. */
function shapeOf({ constants, types, inferred }: FoldState, name: string): Shape | undefined {
  return constants.get(name)?.dims ?? inferred.get(name)?.shape ?? types.get(name)?.shape;
}
