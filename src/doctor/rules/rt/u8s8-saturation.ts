import type { Evidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { percent } from '../../wording.js';
import { rule } from '../../rule.js';

export const saturation = rule({
  id: 'rt.u8s8-saturation',
  title: 'Sums of 8-bit products saturate on processors without VNNI',
  severity: 'error',
  needs: ['lane'],
  formerly: ['cpu.u8s8-saturation'],
  text: {
    what: 'Pairs of products of uint8 activations and int8 weights whose sum leaves 16 bits.',
    why: 'x86 processors without VNNI add two such products in 16 bits (VPMADDUBSW): larger sums are cut off at 32767. The same file is right on another machine.',
    instead:
      'Quantize with reduce_range=True (7-bit weights), or activations and weights of the same signedness; or set session.x64quantprecision to 1.',
    see: ['https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html'],
  },
  check,
});

/** Share of output codes more than two apart between the optimized and the plain run of the same file. */
const SHARE = 0.01;

/**
 * Sums of two products of uint8 activations and int8 weights leave 16 bits on x86 processors without VNNI; the optimized kernels cut
 * them off there. https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
 */
function check({ runtime, optimized, processor }: Evidence): Finding[] {
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
          ...(saturates
            ? {
                fix: {
                  title: 'use 7-bit weights, or int8 activations',
                  edit: 'quantize_static(..., reduce_range=True)',
                },
              }
            : {}),
        },
      ];
    },
  );
}
