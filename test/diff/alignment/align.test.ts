import { describe, expect, it } from 'vitest';
import { align } from '../../../src/diff/alignment/index.js';
import { tensorOf, nodeOf } from '../../../src/ir/graph.js';
import { viewed } from '../../../src/ir/view.js';
import { liteTwin, torchTwin, numbersOf } from './twin-networks.js';

it('debug', () => {
  const [a, b] = [torchTwin(), liteTwin()];
  const al = align(a, b);
  console.log(JSON.stringify(al.coverage), JSON.stringify(al.outputs), al.unmatched.reference.map(i=>nodeOf(a.graph,i).origin.name), al.unmatched.candidate.map(i=>nodeOf(b.graph,i).op));
  const names = new Map([...b.parts].map(([k,v])=>[v,k]));
  for (const e of al.edges) console.log(tensorOf(a.graph,e.reference).name, names.get(tensorOf(b.graph,e.candidate).name) ?? tensorOf(b.graph,e.candidate).name, e.ground, JSON.stringify(e.view));
  for (const o of al.operators) console.log(o.reference.map(i=>nodeOf(a.graph,i).op).join('+'), o.candidate.map(i=>nodeOf(b.graph,i).op).join('+'), o.ground, o.constants.map(c=>c.role+' '+c.correlation?.toFixed(4)+' '+JSON.stringify(c.view)).join(' '));
  void viewed; void numbersOf; void describe; expect(1).toBe(1);
});
