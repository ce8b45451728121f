/** Running sums of one output. */
import type { Edge } from '../../compile/edges.js';
import type { TensorId } from '../../ir/graph.js';
import { AnswerCounts } from './answers.js';
import { formOf, SUM_SLACK, type OutputForm } from './form.js';
import { SampledValues } from './sampled-values.js';
import type { FloatAndQuantized, StudiedOutput, Sums } from './studied-output.js';
import { SampleVectors } from './vectors.js';
import { Welford } from './welford.js';

/** Of the range of all values: what an element differs by between samples to count as moving, and in LSB. */
const MOVING_SHARE = 0.05;
const MOVING_STEPS = 2;
/** Of the largest absolute value: less is a constant with noise. */
const MOVING_LEAST = 0.01;
/** Of what an element differs by in float: without an LSB, less counts as standing still. */
const STUCK_SHARE = 0.02;
/** 8 bits for 0 to 1. */
const FINEST_STEP = 1 / 256;
/** What rounding of the output alone may cost a sum. */
const ROUNDING_SLACK = 0.05;
/** A value so far outside 0 to 1 is no rounding. */
const OUTSIDE_LEAST = 0.02;

export class OutputSums {
  readonly #edge: Edge;
  readonly #step: number | undefined;
  readonly #most: number;
  #state: State | undefined;
  #samples = 0;

  /**
   * @param step between two values of the lane
   * @param most elements to follow
   */
  constructor(edge: Edge, step: number | undefined, most: number) {
    this.#edge = edge;
    this.#step = step;
    this.#most = most;
  }

  /** All values of one sample, in float and in the lane. */
  add(float: Float32Array, quantized: Float32Array): void {
    const state = (this.#state ??= new State(formOf(this.#edge, float, this.#most)));
    this.#samples++;
    const { classes, stride, rows } = state.form;
    const x = state.x;
    const y = state.y;
    rows.forEach((first, row) => {
      for (let c = 0; c < classes; c++) {
        x[row * classes + c] = float[first + c * stride] as number;
        y[row * classes + c] = quantized[first + c * stride] as number;
      }
    });
    state.float.add(x);
    state.quantized.add(y);
    state.vectors.add(x, y);
    state.sampled.add(x, y);
    this.#addValues(state, x, y);
    if (classes > 1) {
      for (let at = 0; at < x.length; at += classes) {
        state.answers.add(x, y, at, this.#step);
        this.#addSum(state, x, y, at);
      }
    }
  }

  #addValues(state: State, x: Float32Array, y: Float32Array): void {
    const step = this.#step ?? 0;
    const slack = Math.max(step, OUTSIDE_LEAST);
    const half = Math.max(step, FINEST_STEP) * 1.001;
    for (let i = 0; i < x.length; i++) {
      const a = x[i] as number;
      const b = y[i] as number;
      if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
      state.values++;
      state.sumEE += (b - a) * (b - a);
      if (Math.abs(a - 0.5) <= half) state.halfFloat++;
      if (Math.abs(b - 0.5) <= half) state.halfQuantized++;
      if (a < 0 || a > 1) state.outsideFloat++;
      if (b < -slack || b > 1 + slack) state.outsideQuantized++;
    }
  }

  #addSum(state: State, x: Float32Array, y: Float32Array, at: number): void {
    const step = Math.min(this.#step ?? FINEST_STEP, FINEST_STEP);
    let float = 0;
    let rounded = 0;
    let quantized = 0;
    for (let i = at; i < at + state.form.classes; i++) {
      const value = x[i] as number;
      float += value;
      rounded += step * Math.round(value / step);
      quantized += y[i] as number;
    }
    state.worstSum = Math.max(state.worstSum, Number.isFinite(float) ? Math.abs(float - 1) : Infinity);
    // Of many small probabilities rounding leaves nothing: such a row says nothing.
    if (!(Math.abs(rounded - 1) <= ROUNDING_SLACK) || !Number.isFinite(quantized)) return;
    state.sumRows++;
    state.sumOfSums += quantized;
    state.sumOfDepartures += Math.abs(quantized - 1);
  }

  /** Undefined where nothing was added. */
  result(tensor: TensorId, name: string): StudiedOutput | undefined {
    const state = this.#state;
    if (state === undefined || state.values === 0) return undefined;
    const step = this.#step;
    const range = { min: state.float.lowest, max: state.float.highest };
    const answers = state.answers.result(state.form);
    const cosine = state.form.allRows === state.form.rows.length ? state.vectors.result() : undefined;
    const levels = step === undefined ? undefined : state.sampled.spread(range) / step;
    return {
      tensor,
      name,
      elements: state.x.length,
      ...(step === undefined ? {} : { lsb: step }),
      range,
      variance: this.#variance(state, (step ?? 1) ** 2),
      ...this.#movement(state, range),
      ...(answers === undefined ? {} : { answers }),
      ...sumsOf(state),
      half: { float: state.halfFloat / state.values, quantized: state.halfQuantized / state.values },
      ...(state.outsideFloat > 0 ? {} : { outside: state.outsideQuantized / state.values }),
      ...(levels === undefined ? {} : { levels }),
      codes: state.sampled.codes,
      noise: state.sumEE / state.values,
      ...(cosine === undefined ? {} : { cosine }),
    };
  }

  #variance({ float, quantized }: State, unit: number): FloatAndQuantized {
    return { float: float.meanVariance / unit, quantized: quantized.meanVariance / unit };
  }

  #movement(
    { float, quantized }: State,
    { min, max }: StudiedOutput['range'],
  ): Pick<StudiedOutput, 'moving' | 'stuck'> {
    const step = this.#step;
    const clear = Math.max(
      MOVING_SHARE * (max - min),
      MOVING_STEPS * (step ?? 0),
      MOVING_LEAST * Math.max(Math.abs(min), Math.abs(max)),
    );
    let moving = 0;
    let stuck = 0;
    for (let i = 0; i < float.count; i++) {
      const by = float.rangeOf(i);
      const still = step === undefined ? STUCK_SHARE * by : 1.001 * step;
      // NaN and infinite values compare false.
      if (!(by >= clear) || by === 0) continue;
      moving++;
      if (quantized.rangeOf(i) <= still) stuck++;
    }
    return { moving, stuck };
  }
}

/** Of one output, for the rows that are looked at. */
class State {
  readonly form: OutputForm;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly float: Welford;
  readonly quantized: Welford;
  readonly answers: AnswerCounts;
  readonly vectors: SampleVectors;
  readonly sampled = new SampledValues();
  values = 0;
  sumEE = 0;
  halfFloat = 0;
  halfQuantized = 0;
  outsideFloat = 0;
  outsideQuantized = 0;
  worstSum = 0;
  sumRows = 0;
  sumOfSums = 0;
  sumOfDepartures = 0;

  constructor(form: OutputForm) {
    this.form = form;
    const count = form.rows.length * form.classes;
    this.x = new Float32Array(count);
    this.y = new Float32Array(count);
    this.float = new Welford(count);
    this.quantized = new Welford(count);
    this.answers = new AnswerCounts(form.classes);
    this.vectors = new SampleVectors(count);
  }
}

function sumsOf({ form, worstSum, sumRows, sumOfSums, sumOfDepartures }: State): { sums?: Sums } {
  if (form.classes < 2 || worstSum > SUM_SLACK) return {};
  if (sumRows === 0) return { sums: { rows: 0 } };
  return {
    sums: { rows: sumRows, lane: { departure: sumOfDepartures / sumRows, mean: sumOfSums / sumRows } },
  };
}
