/** The answer of a sweep as annotations of GitHub Actions: nothing of it is a fault, a target that was missed is a warning. */
import { workflowCommands, type Annotation } from './github.js';
import { plural } from './format.js';
import {
  answerOf,
  effectDecibels,
  helps,
  isMeasured,
  lossOf,
  points,
  ranked,
  worth,
} from './sweep-effect.js';
import { costText } from './sweep-fixes.js';
import type { SweepReport, SweptUnit } from './sweep-report.js';
import { gainText, searchText } from './sweep-verdict.js';

const MOST_LAYERS = 3;
const MOST_FIXES = 3;

export function renderSweepGithub(report: SweepReport): string {
  return workflowCommands(report.models, report.verdict.summary, [
    ...searchAnnotations(report),
    ...layerAnnotations(report),
    ...fixAnnotations(report),
    ...failureAnnotations(report),
    ...report.exports.map(({ kind, file, note }) => notice(`export ${kind}`, `${file}: ${note}`)),
  ]);
}

function notice(title: string, message: string): Annotation {
  return { level: 'notice', title: `qdbg ${title}`, message };
}

/** Where a target was missed, a warning; what the verdict has told is not told again. */
function searchAnnotations(report: SweepReport): Annotation[] {
  const { search, verdict } = report;
  const told = searchText(report);
  if (search === undefined || told === undefined) return [];
  const answer = answerOf(search);
  if (answer === undefined) {
    const message = `${told}; stopped: ${search.stopped}`;
    return [{ level: 'warning', title: `qdbg search: ${search.target} is missed`, message }];
  }
  const layers = answer.layers.length === 0 ? [] : [`layers: ${answer.layers.join(', ')}`];
  const message = [...(verdict.summary.includes(told) ? [] : [told]), ...layers].join('; ');
  return message === '' ? [] : [notice('search', message)];
}

function layerAnnotations(report: SweepReport): Annotation[] {
  if (lossOf(report) !== 'lost') return [];
  return ranked(report.layers.filter(isMeasured), report)
    .slice(0, MOST_LAYERS)
    .map((unit) => notice(`layer ${unit.name}`, unitText(unit, report)));
}

/** Both in a sentence, with what the words mean. */
function unitText({ alone, restored }: SweptUnit, { basis: { metric } }: SweepReport): string {
  const inPoints = (amount: number | undefined): string =>
    metric === undefined || amount === undefined
      ? ''
      : `, ${points(amount, metric)} ${amount < 0 ? 'lost' : 'gained'}`;
  const cost = metric === undefined ? undefined : worth(alone?.accuracyDelta, metric);
  return [
    ...(restored === undefined || restored.failure !== undefined
      ? []
      : [
          `in float, with all else quantized (restored), the outputs keep ${effectDecibels(restored)} dB${inPoints(restored.gain)}`,
        ]),
    ...(alone === undefined || alone.failure !== undefined
      ? []
      : [
          `quantized, with all else in float (alone), they keep ${effectDecibels(alone)} dB${inPoints(cost)}`,
        ]),
  ].join('; ');
}

function fixAnnotations(report: SweepReport): Annotation[] {
  return report.fixes
    .filter((fix) => helps(fix, report.quantized))
    .slice(0, MOST_FIXES)
    .map((fix) => notice('fix', `${fix.title}: gives ${gainText(fix, report)}, cost ${costText(fix)}`));
}

function failureAnnotations({ layers, groups }: SweepReport): Annotation[] {
  const failed = [...layers, ...groups].flatMap(({ name, alone, restored }) => {
    const reason = alone?.failure ?? restored?.failure;
    return reason === undefined ? [] : [{ name, reason }];
  });
  const [first] = failed;
  if (first === undefined) return [];
  const title = `qdbg ${plural(failed.length, 'layer')} could not be run`;
  return [{ level: 'warning', title, message: `first ${first.name}: ${first.reason}` }];
}
