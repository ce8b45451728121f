/** `qdbg explain`: what a rule or a word means, why it matters, and what to do. */
import { Chalk, type ChalkInstance } from 'chalk';
import { CATALOGUE, ruleNamed } from '../doctor/catalogue.js';
import type { Limit, Rule } from '../doctor/rule.js';
import { UsageError } from '../errors.js';
import { closeNames } from '../quant/select.js';
import { lackText } from './findings.js';
import { labelled, printable, wrapped } from './format.js';
import { GLOSSARY, type Term } from './glossary.js';

export interface ExplainScreen {
  readonly width: number;
  readonly color: boolean;
}

const LABEL = 12;

/**
 * @param word id of a rule, an id that it had, or a word of the glossary, in any case; all of them in short when absent
 * @throws UsageError with the closest words for one that is not known
 */
export function explained(word: string | undefined, { width, color }: ExplainScreen): string {
  const style = new Chalk({ level: color ? 1 : 0 });
  if (word === undefined) return `${overview(style, width).join('\n')}\n`;
  const asked = word.trim().toLowerCase();
  const rule = ruleNamed(asked);
  if (rule !== undefined) return `${ofRule(rule, style, width).join('\n')}\n`;
  const term = GLOSSARY.find((one) => wordsOf(one).includes(asked));
  if (term !== undefined) return `${[style.bold(term.word), ...wrapped(term.text, width)].join('\n')}\n`;
  const known = [...CATALOGUE.map(({ id }) => id), ...GLOSSARY.flatMap(wordsOf)];
  const close = closeNames(asked, known);
  throw new UsageError(`${printable(word)}: there is no such rule or word`, {
    hint: close.length === 0 ? 'qdbg explain lists all of them' : `qdbg explain ${close[0] ?? ''}`,
  });
}

function wordsOf({ word, also = [] }: Term): string[] {
  return [word.toLowerCase(), ...also];
}

function overview(style: ChalkInstance, width: number): string[] {
  const families = [...new Set(CATALOGUE.map(({ id }) => familyOf(id)))];
  const longest = Math.max(...CATALOGUE.map(({ id }) => id.length)) + 2;
  return [
    'RULES  qdbg explain RULE says more',
    ...families.flatMap((family) =>
      CATALOGUE.filter(({ id }) => familyOf(id) === family)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .flatMap(({ id, title }) => {
          const [first = '', ...more] = labelled(`  ${id.padEnd(longest)}`, title, width);
          return [first.replace(id, style.bold(id)), ...more];
        }),
    ),
    '',
    'WORDS',
    ...labelled('  ', GLOSSARY.map(({ word }) => word).join(', '), width),
  ];
}

function familyOf(id: string): string {
  return id.slice(0, id.indexOf('.'));
}

function ofRule(rule: Rule, style: ChalkInstance, width: number): string[] {
  const { id, title, severity, needs, oneOf = [], text, formerly = [], limits = [] } = rule;
  const told = (label: string, said: string): string[] => labelled(label.padEnd(LABEL), said, width);
  const wanted = lackText({ needs, oneOf });
  return [
    style.bold(id),
    ...wrapped(title, width),
    '',
    ...told('what', text.what),
    ...told('why', text.why),
    ...told('instead', text.instead),
    ...told('severity', `${severity} at most`),
    ...told('needs', wanted === '' ? 'the file alone' : wanted),
    ...limits.flatMap((limit) => told('limit', limitText(limit))),
    ...(formerly.length === 0 ? [] : told('formerly', formerly.join(', '))),
    ...text.see.flatMap((place, at) => told(at === 0 ? 'see' : '', place)),
  ];
}

export function limitText({ quantity, unit, warning, error, worse }: Limit): string {
  const sign = worse === 'higher' ? '>' : '<';
  const at = (name: string, value: number | undefined): string[] =>
    value === undefined ? [] : [`${name} ${sign} ${value}${unit === '' ? '' : ` ${unit}`}`];
  return `${quantity}: ${[...at('warning', warning), ...at('error', error)].join(', ')}`;
}
