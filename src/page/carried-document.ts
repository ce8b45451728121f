/** The document that a page carries: JSON, deflated, in base64, in an element that browsers do not run. */
import type { PageDocument } from '../report/html/page-document.js';

/** @throws Error for a page that was cut off or changed */
export async function carriedDocument(): Promise<PageDocument> {
  const carrier = document.getElementById('document');
  if (carrier === null) throw new Error('the file ends before its data: it was not copied whole');
  const packed = Uint8Array.from(atob(carrier.textContent.trim()), (character) => character.charCodeAt(0));
  const text = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return JSON.parse(await new Response(text).text()) as PageDocument;
}
