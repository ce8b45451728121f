/** The Lowering of one operator, over the graph that is being made. */
import { elementCount, toFloat64, toInts } from '../../../ir/elements.js';
import type { ConstantData, DType, Origin, TensorId } from '../../../ir/graph.js';
import type { FileTensor } from '../file-tensors.js';
import type { OptionValue, TfliteOperator } from '../model.js';
import type { DraftGraph } from './draft-graph.js';
import { FUSED_LIMITS, impliedLimits, type Limits } from './activation-limits.js';
import { hasLayouts, inverse, permInto } from './layout.js';
import { Unlowerable, type Attrs, type Inputs, type Layout, type Lowering } from './lowering.js';

export class OperatorLowering implements Lowering {
  readonly op: TfliteOperator;
  readonly #graph: DraftGraph;
  readonly #origin: Origin;
  #hasMain = false;

  constructor(op: TfliteOperator, graph: DraftGraph) {
    this.op = op;
    this.#graph = graph;
    this.#origin = { name: '', op: op.op, index: op.index };
  }

  get inputCount(): number {
    return this.op.inputs.length;
  }

  get outputCount(): number {
    return this.op.outputs.length;
  }

  has(slot: number): boolean {
    return (this.op.inputs[slot] ?? -1) >= 0;
  }

  shape(slot: number): readonly number[] {
    return this.#in(slot).dims;
  }

  outputShape(slot = 0): readonly number[] {
    return this.#out(slot).dims;
  }

  dtype(slot: number): DType {
    return typed(this.#in(slot));
  }

  outputDtype(slot = 0): DType {
    return typed(this.#out(slot));
  }

  isQuantized(slot: number): boolean {
    return this.#in(slot).params !== undefined;
  }

  isQuantizedOutput(slot = 0): boolean {
    return this.#out(slot).params !== undefined;
  }

  constant(slot: number): ConstantData | undefined {
    return this.#in(slot).data;
  }

  integers(slot: number): readonly number[] {
    const { stored, name } = this.#in(slot);
    if (stored === undefined)
      throw new Unlowerable(`'${name}' is computed while it runs; a constant is wanted`);
    return toInts(stored);
  }

  numbers(slot: number): readonly number[] {
    const { data, name } = this.#in(slot);
    if (data === undefined)
      throw new Unlowerable(`'${name}' is computed while it runs; a constant is wanted`);
    return Array.from(toFloat64(data));
  }

  option(name: string): OptionValue {
    const value = this.op.options[name];
    if (value === undefined) throw new Unlowerable(`it has no option ${name}`);
    return value;
  }

  intOption(name: string): number {
    const value = this.option(name);
    if (typeof value !== 'number') throw new Unlowerable(`option ${name} is no number`);
    return value;
  }

  boolOption(name: string): boolean {
    return this.option(name) === true;
  }

  floatOption(name: string): number {
    return this.intOption(name);
  }

  layoutOf(slot: number): Layout {
    const { data, dims } = this.#in(slot);
    return data !== undefined || !hasLayouts(dims.length) ? 'file' : this.#graph.layoutOf(this.#index(slot));
  }

  commonLayout(slots: readonly number[]): Layout {
    const pictures = slots.filter((slot) => this.has(slot) && this.#isPicture(slot));
    const ranks = new Set(pictures.map((slot) => this.shape(slot).length));
    const highest = Math.max(...slots.map((slot) => (this.has(slot) ? this.shape(slot).length : 0)));
    if (ranks.size !== 1 || !ranks.has(highest)) return 'file';
    return pictures.some((slot) => this.layoutOf(slot) === 'channels-first') ? 'channels-first' : 'file';
  }

  axisIn(layout: Layout, rank: number, axis: number): number {
    const counted = axis < 0 ? axis + rank : axis;
    if (!(counted >= 0 && counted < rank)) throw new Unlowerable(`axis ${axis} of a tensor of rank ${rank}`);
    return inverse(permInto(layout, rank))[counted] ?? counted;
  }

  inLayout<T>(layout: Layout, values: readonly T[]): readonly T[] {
    return permInto(layout, values.length).map((axis) => values[axis] as T);
  }

  input(slot: number, layout: Layout): TensorId {
    return this.#graph.inLayout(this.#index(slot), layout, this.shape(slot).length, this.#origin);
  }

  permuted(slot: number, perm: readonly number[]): TensorId {
    return this.#graph.permuted(this.#index(slot), perm, this.#origin);
  }

  operand(slot: number, layout: Layout, rank: number): TensorId {
    const { dims } = this.#in(slot);
    const isPlain = layout === 'file' || !hasLayouts(rank) || elementCount(dims) === 1;
    if (isPlain && dims.length < rank) return this.input(slot, 'file');
    return this.#graph.inLayout(this.#index(slot), layout, rank, this.#origin);
  }

  ints(values: readonly number[], dims: readonly number[] = [values.length]): TensorId {
    return this.#graph.constant('int64', values, dims);
  }

  floats(values: readonly number[], dims: readonly number[] = [values.length]): TensorId {
    return this.#graph.constant('float32', values, dims);
  }

  step(op: string, inputs: Inputs, attrs: Attrs = {}): TensorId {
    const output = this.#graph.addInner(this.#innerName());
    this.#graph.node(op, '', inputs, [output], attrs, { ...this.#origin, part: 'step' });
    return output;
  }

  steps(op: string, inputs: Inputs, attrs: Attrs, outputs: number): readonly TensorId[] {
    const made = Array.from({ length: outputs }, () => this.#graph.addInner(this.#innerName()));
    this.#graph.node(op, '', inputs, made, attrs, { ...this.#origin, part: 'step' });
    return made;
  }

  main(op: string, inputs: Inputs, attrs: Attrs = {}): TensorId {
    const output = this.#graph.addInner(this.#innerName());
    this.#graph.node(op, '', inputs, [output], attrs, this.#next());
    return output;
  }

  write(slot: number, layout: Layout, op: string, inputs: Inputs, attrs: Attrs = {}): void {
    this.#graph.node(op, '', inputs, [this.#written(slot, layout)], attrs, this.#next());
  }

  writeActivated(slot: number, layout: Layout, op: string, inputs: Inputs, attrs: Attrs = {}): void {
    const activation = String(this.op.options['fusedActivationFunction'] ?? 'NONE');
    const implied = activation === 'NONE' ? impliedLimits(this.op.op, this.#out(slot)) : undefined;
    const limits = implied ?? FUSED_LIMITS[activation];
    if (activation === 'NONE' && limits === undefined) {
      this.write(slot, layout, op, inputs, attrs);
      return;
    }
    const raw = this.#hasMain ? this.step(op, inputs, attrs) : this.main(op, inputs, attrs);
    if (limits !== undefined) this.#writeClamped(slot, layout, raw, limits, implied !== undefined);
    else if (activation === 'TANH') this.write(slot, layout, 'Tanh', [raw]);
    else throw new Unlowerable(`its fused activation function is ${activation}`);
  }

  writeAll(layout: Layout, op: string, inputs: Inputs, attrs: Attrs = {}): void {
    const outputs = this.op.outputs.map((_, slot) => this.#written(slot, layout));
    this.#graph.node(op, '', inputs, outputs, attrs, this.#next());
  }

  #writeClamped(slot: number, layout: Layout, raw: TensorId, limits: Limits, isImplied: boolean): void {
    const [lowest, highest] = limits;
    const isRelu = lowest === 0 && highest === Infinity;
    const bounds = isRelu ? [] : [this.floats([lowest], []), this.floats([highest], [])];
    const origin: Origin = { ...this.#origin, part: 'step', ...(isImplied ? { implied: true } : {}) };
    const output = [this.#written(slot, layout)];
    this.#graph.node(isRelu ? 'Relu' : 'Clip', '', [raw, ...bounds], output, {}, origin);
  }

  #written(slot: number, layout: Layout): TensorId | null {
    const index = this.op.outputs[slot] ?? -1;
    return index < 0 ? null : this.#graph.writtenIn(index, layout);
  }

  /** The origin of the next written node: of the operator itself the first time, of a step of it after that. */
  #next(): Origin {
    const isFirst = !this.#hasMain;
    this.#hasMain = true;
    return isFirst ? this.#origin : { ...this.#origin, part: 'step' };
  }

  #innerName(): string {
    const index = this.op.outputs.find((output) => output >= 0);
    return index === undefined ? this.op.op : this.#graph.fileTensor(index).name;
  }

  #isPicture(slot: number): boolean {
    const { data, dims } = this.#in(slot);
    return data === undefined && hasLayouts(dims.length);
  }

  #index(slot: number): number {
    const index = this.op.inputs[slot] ?? -1;
    if (index < 0) throw new Unlowerable(`input ${slot} is not given`);
    return index;
  }

  #in(slot: number): FileTensor {
    return this.#graph.fileTensor(this.#index(slot));
  }

  #out(slot: number): FileTensor {
    const index = this.op.outputs[slot] ?? -1;
    if (index < 0) throw new Unlowerable(`output ${slot} is not given`);
    return this.#graph.fileTensor(index);
  }
}

function typed({ dtype, name }: FileTensor): DType {
  if (dtype === undefined) throw new Unlowerable(`'${name}' is a resource`);
  return dtype;
}
