import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../src/doctor/evidence.js';
import { saturation } from '../../src/doctor/rules/rt/u8s8-saturation.js';
import { loadModel } from '../../src/loader/index.js';
import { SCHEMES } from '../../src/quant/presets.js';
import type { OperatorSaturation, SaturationStudy } from '../../src/run/saturation.js';

async function evidenceOf(name: string): Promise<Evidence> {
  const { graph, lane } = await loadModel(`fixtures/saturation/${name}.onnx`);
  return { graph, ...(lane === undefined ? {} : { lane }) };
}

const NET = await evidenceOf('conv_im2col');

/** A study of which the first operator is the network's own. */
function studied(saturates: boolean | undefined, ...dbs: readonly (number | undefined)[]): SaturationStudy {
  const bound = { channels: 5, pairs: 65, saturable: 4, saturableChannels: 3, anyOrder: 20 };
  const operators = dbs.map((sqnrDb): OperatorSaturation => ({
    node: NET.graph.nodes[0]!.id,
    channels: 5,
    bound,
    pairs: 1000,
    saturatedShare: sqnrDb === undefined ? 0 : 0.03,
    outputs: 100,
    changedShare: sqnrDb === undefined ? 0 : 0.25,
    ...(sqnrDb === undefined ? {} : { sqnrDb }),
  }));
  return { operators, unmeasured: [], samples: 8, processor: { text: 'this processor', saturates } };
}

const said = (rest: Partial<Evidence>, net = NET) => saturation.check({ ...net, ...rest });
const severity = (saturates: boolean | undefined, ...dbs: readonly (number | undefined)[]) =>
  said({ saturation: studied(saturates, ...dbs) }).map((finding) => finding.severity);

describe('rt.u8s8-saturation', () => {
  it('is an error only where this processor does the damage', () => {
    expect(severity(true, 14.9)).toEqual(['error']);
    expect(severity(true, 24.9)).toEqual(['warning']);
    expect(severity(true, 30)).toEqual(['note']);
  });

  it.each([false, undefined])('is a warning at most where another processor would (%s)', (saturates) => {
    expect(severity(saturates, 1)).toEqual(['warning']);
    expect(severity(saturates, 14.9)).toEqual(['warning']);
    expect(severity(saturates, 24.9)).toEqual(['note']);
    expect(severity(saturates, 25.1)).toEqual([]);
  });

  it('says nothing where no output changed, whatever the weights allow', () => {
    expect(severity(true, undefined, undefined)).toEqual([]);
    expect(said({ saturation: studied(true) })).toEqual([]);
  });

  it('tells of the worst operator, with what was counted and a fix', () => {
    const [finding] = said({ saturation: studied(false, 12.34, undefined, 40) });
    expect(finding).toMatchObject({ rule: 'rt.u8s8-saturation', subject: { node: 'conv' } });
    expect(finding!.message).toBe(
      'x86 processors without VNNI cut 3 % of the sums of two 8-bit products to 16 bits: 25 % of the outputs change, ' +
        '12.3 dB SQNR beside the exact ones over 8 samples; so do 1 more of 3 operators, less badly',
    );
    expect(finding!.args).toMatchObject({ sqnrDb: 12.34, touched: 2, operators: 3, samples: 8 });
    expect(finding!.fix!.edit).toContain('reduce_range=True');
    const [simulated] = said({ saturation: studied(false, 12.34), scheme: SCHEMES['ort']! });
    expect(simulated!.fix!.edit).toContain('session.x64quantprecision=1');
  });

  it('is silent on simulations of other targets', () => {
    expect(said({ saturation: studied(true, 1), scheme: SCHEMES['tensorrt']! })).toEqual([]);
  });

  it('has nothing to say of a simulation without data: there is no file yet', () => {
    const { name, tensors, uses } = NET.lane!;
    expect(said({ lane: { name, tensors, uses }, scheme: SCHEMES['ort']! })).toEqual([]);
  });

  it('is a note without data, from the weights alone', () => {
    const [finding, ...others] = said({});
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'note', subject: { node: 'conv' } });
    expect(finding!.message).toMatch(/^the weights of 1 of 1 operators allow sums .* in \d of 5 channels, /);
  });

  it('is that note where the study measured nothing', () => {
    const none = studied(true);
    const unmeasured = [{ node: NET.graph.nodes[0]!.id, reason: 'its activations are not measured' }];
    expect(said({ saturation: { ...none, operators: [], unmeasured } })).toMatchObject([
      { severity: 'note' },
    ]);
  });

  it.each(['conv_7_bits', 'conv_u8u8', 'conv_s8s8', 'conv_depthwise_16', 'qdq_conv_int8_shared'])(
    'is silent on %s',
    async (name) => {
      expect(said({}, await evidenceOf(name))).toEqual([]);
    },
  );

  it('tells of int8 activations in QDQ files, of which the runtime makes uint8', async () => {
    expect(said({}, await evidenceOf('qdq_conv_int8'))).toMatchObject([{ severity: 'note' }]);
  });
});
