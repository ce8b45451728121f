import { nodeLabel, nodeOf } from '../../../ir/graph.js';
import { kernelWeights } from '../../../quant/saturation/kernel-weights.js';
import { pairBound } from '../../../quant/saturation/pairs.js';
import { saturableProducts } from '../../../quant/saturation/products.js';
import type { OperatorSaturation, SaturationStudy } from '../../../run/saturation.js';
import type { With } from '../../evidence.js';
import type { Diagnosed, Finding, Fix, Severity } from '../../finding.js';
import { rule } from '../../rule.js';
import { percent } from '../../wording.js';

/**
 * SQNR (dB) of an operator whose sums are cut, beside the exact one. Of four image networks run as on a processor with AVX2 only, those
 * whose worst operator had 13, 16, 19 and 23 dB lost 9, 3, 8 and 0 of 100 right answers.
 */
const BROKEN_DB = 15;
const WORN_DB = 25;
/** Share of output codes more than two apart between the optimized and the plain run of the same file. */
const SHARE = 0.01;

export const saturation = rule({
  id: 'rt.u8s8-saturation',
  title: 'Sums of 8-bit products saturate on processors without VNNI',
  severity: 'error',
  needs: ['lane'],
  formerly: ['cpu.u8s8-saturation'],
  text: {
    what: 'Sums of two products of uint8 activations and int8 weights that leave 16 bits. With data they are counted, and the operator is computed a second time with such sums cut; from the weights alone it is only said that some could: two neighbours of one sign that add up to 129 or more.',
    why: 'ONNX Runtime adds two such products in 16 bits on x86 processors without VNNI (VPMADDUBSW); larger sums become 32767, smaller ones -32768. The same file is right on another machine. Of QDQ files int8 activations are no way out: the runtime makes uint8 of them on x86.',
    instead:
      'Quantize with reduce_range=True (7-bit weights) or to uint8 weights, or set session.x64quantprecision to 1, which is slower; evaluate on the processor that the network is for.',
    see: [
      'https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html',
      'https://github.com/microsoft/onnxruntime/issues/6004',
      'rt.mismatch',
    ],
  },
  limits: [
    {
      quantity: 'SQNR of an operator with sums cut to 16 bits, on a processor that cuts them',
      unit: 'dB',
      warning: WORN_DB,
      error: BROKEN_DB,
      worse: 'lower',
    },
    {
      quantity: 'SQNR of an operator with sums cut to 16 bits, on other processors',
      unit: 'dB',
      warning: BROKEN_DB,
      worse: 'lower',
    },
  ],
  check: (evidence) => {
    const { lane, scheme, saturation: study } = evidence;
    const seen = seenInRuntime(evidence);
    // Other targets have kernels of their own.
    if (scheme !== undefined && scheme.placement !== 'ort') return seen;
    const counted = study === undefined ? undefined : counts(evidence, study);
    // What is simulated has no file yet whose weights could be told of.
    return [...seen, ...(counted ?? (lane.codes === undefined ? [] : possible(evidence)))];
  },
});

const FIX: Fix = {
  title: 'use 7-bit weights, or let the runtime add all products in 32 bits',
  edit: 'quantize_static(..., reduce_range=True), or session option session.x64quantprecision=1',
};
const SIMULATED_FIX: Fix = {
  title: 'use uint8 weights, or let the runtime add all products in 32 bits',
  edit: '--weights uint8, or session option session.x64quantprecision=1',
};

/** What the optimized kernels get wrong that the plain ones do not. */
function seenInRuntime({ runtime, optimized, processor }: With<'lane'>): Finding[] {
  if (runtime === undefined || optimized === undefined) return [];
  const plain = new Map(runtime.tensors.map((tensor) => [tensor.tensor, tensor]));
  return optimized.tensors.flatMap(
    ({ tensor, node, values, beyondTwoCodes = 0, maxCodes = 0 }): Finding[] => {
      const before = plain.get(tensor)?.beyondTwoCodes ?? 0;
      if (beyondTwoCodes - before <= SHARE * values) return [];
      const saturates = processor?.saturates === true;
      return [
        {
          rule: saturates ? 'rt.u8s8-saturation' : 'rt.mismatch',
          severity: 'error',
          subject: { ...(node === '' ? {} : { node }), tensor },
          message:
            `with all optimizations ${percent(beyondTwoCodes / values)} of the codes differ from the plain run of the same file, by up to ${maxCodes}` +
            (saturates
              ? `: ${processor.text} has no VNNI, where sums of uint8 times int8 products saturate`
              : ''),
          args: { differing: beyondTwoCodes, values, maxCodes },
          ...(saturates ? { fix: FIX } : {}),
        },
      ];
    },
  );
}

/** Of all operators the one with the lowest SQNR. Undefined where nothing was counted. */
function counts(
  { graph, scheme }: With<'lane'>,
  { operators, unmeasured, samples, processor: { saturates } }: SaturationStudy,
): Diagnosed[] | undefined {
  if (operators.length === 0 && unmeasured.length > 0) return undefined;
  const touched = operators.filter(({ sqnrDb }) => sqnrDb !== undefined);
  const [worst] = [...touched].sort((a, b) => dbOf(a) - dbOf(b));
  const severity = worst && severityOf(dbOf(worst), saturates === true);
  if (worst === undefined || severity === undefined) return [];
  const here =
    saturates === true ? 'This processor, an x86 without VNNI, cuts' : 'x86 processors without VNNI cut';
  const others =
    touched.length === 1
      ? ''
      : `; so do ${touched.length - 1} more of ${operators.length} operators, less badly`;
  return [
    {
      rule: 'rt.u8s8-saturation',
      severity,
      subject: { node: nodeLabel(nodeOf(graph, worst.node)) },
      message:
        `${here} ${percent(worst.saturatedShare)} of the sums of two 8-bit products to 16 bits: ` +
        `${percent(worst.changedShare)} of the outputs change, ${dbOf(worst).toFixed(1)} dB SQNR beside the exact ones over ${samples} sample${samples === 1 ? '' : 's'}${others}`,
      args: {
        saturatedShare: worst.saturatedShare,
        changedShare: worst.changedShare,
        sqnrDb: dbOf(worst),
        pairs: worst.pairs,
        operators: operators.length,
        touched: touched.length,
        samples,
      },
      fix: scheme === undefined ? FIX : SIMULATED_FIX,
    },
  ];
}

function dbOf({ sqnrDb = Infinity }: OperatorSaturation): number {
  return sqnrDb;
}

/** A model that is right here and worse elsewhere is no error: nobody said where it will run. */
function severityOf(db: number, isHere: boolean): Severity | undefined {
  if (db < BROKEN_DB) return isHere ? 'error' : 'warning';
  if (db < WORN_DB) return isHere ? 'warning' : 'note';
  return isHere ? 'note' : undefined;
}

/** Weights alone: what some activations could do. */
function possible({ graph, lane }: With<'lane'>): Diagnosed[] {
  const bounds = saturableProducts(graph, lane).map((product) => ({
    node: product.node,
    ...pairBound(kernelWeights(graph, lane, product)),
  }));
  const able = bounds.filter(({ saturable }) => saturable > 0);
  const [worst] = [...able].sort((a, b) => b.saturable / b.pairs - a.saturable / a.pairs);
  if (worst === undefined) return [];
  const { saturable, pairs, channels, saturableChannels, anyOrder } = worst;
  return [
    {
      rule: 'rt.u8s8-saturation',
      severity: 'note',
      subject: { node: nodeLabel(worst.node) },
      message:
        `the weights of ${able.length} of ${bounds.length} operators allow sums of two 8-bit products to leave 16 bits on x86 processors without VNNI; ` +
        `most do here: ${percent(saturable / pairs)} of the pairs, in ${saturableChannels} of ${channels} channels, if their activations are large`,
      args: {
        operators: bounds.length,
        able: able.length,
        saturable,
        pairs,
        saturableChannels,
        channels,
        anyOrder,
      },
      fix: FIX,
    },
  ];
}
