/** What is in files: of `qdbg inspect`, and what `qdbg doctor` has seen in the file beside its findings. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PageReport } from '../../report/html/page-document.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { Choice } from './choice.js';
import { InspectFiles, letterOf, tailOf } from './inspect-files.js';
import { InspectForecast } from './inspect-forecast.js';
import { InspectLayers, InspectProblems } from './inspect-layers.js';
import { InspectPorts } from './inspect-ports.js';
import { InspectQuantization } from './inspect-quantization.js';
import { InspectRanges } from './inspect-ranges.js';
import { InspectTensors } from './inspect-tensors.js';
import { InspectWeights } from './inspect-weights.js';

export type InspectPage = Extract<PageReport, { readonly command: 'inspect' }>;
export type DoctorPage = Extract<PageReport, { readonly command: 'doctor' }>;

export function InspectSections(): JSX.Element | null {
  const { report } = usePage().document;
  if (report.command === 'inspect') return <Inspected report={report} />;
  if (report.command === 'doctor') return <Examined report={report} />;
  return null;
}

function Inspected({ report }: { readonly report: InspectPage }): JSX.Element {
  const { models, weightRanges, weights } = report;
  const [chosen, setChosen] = useState('0');
  const model = models[Number(chosen)] ?? models[0];
  return (
    <>
      <InspectFiles models={models} />
      {weightRanges === undefined ? null : <InspectRanges models={models} ranges={weightRanges} />}
      {models.length < 2 ? null : (
        <p class="told model-choice">
          Below:{' '}
          <Choice
            name="Model that is shown below"
            options={models.map(({ path }, at) => ({
              value: String(at),
              label: `${letterOf(at)} ${tailOf(path)}`,
            }))}
            chosen={chosen}
            onChoose={setChosen}
          />
        </p>
      )}
      {model === undefined ? null : (
        <>
          <InspectPorts inputs={model.inputs} outputs={model.outputs} />
          <InspectProblems model={model} />
          <InspectLayers model={model} key={`layers ${chosen}`} />
          {model.quantization === undefined ? (
            <InspectForecast model={model} />
          ) : (
            <>
              <InspectQuantization
                quantization={model.quantization}
                {...(model.impliedActivations === undefined ? {} : { implied: model.impliedActivations })}
              />
              <InspectTensors quantization={model.quantization} key={`tensors ${chosen}`} />
            </>
          )}
        </>
      )}
      {weights === undefined || weights.length === 0 ? null : <InspectWeights weights={weights} />}
    </>
  );
}

const BASES: Readonly<Record<DoctorPage['basis'], string>> = {
  file: 'one file, which was read and not run',
  files: 'two files, which were read and not run',
  simulation: 'a simulation of the network in integers, beside float',
  'own integers': "the file's own integers, beside the same network in float",
  comparison: 'two networks that were run side by side',
};

function Examined({ report }: { readonly report: DoctorPage }): JSX.Element {
  const { inspected, basis } = report;
  return (
    <>
      <Section id="examined" title="What the rules looked at">
        <p class="told">{BASES[basis]}.</p>
      </Section>
      <InspectPorts inputs={inspected.inputs} outputs={inspected.outputs} />
      {inspected.quantization === undefined ? null : (
        <>
          <InspectQuantization
            quantization={inspected.quantization}
            {...(inspected.impliedActivations === undefined ? {} : { implied: inspected.impliedActivations })}
          />
          <InspectTensors quantization={inspected.quantization} />
        </>
      )}
    </>
  );
}
