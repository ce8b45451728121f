/** The document that a page carries: JSON, deflated, in base64, in an element that browsers do not run. */
import type { PageDocument } from '../report/html/page-document.js';

/** @throws Error for a page that was cut off or changed */
export async function carriedDocument(): Promise<PageDocument> {
  const carrier = document.getElementById('document');
  if (carrier === null) throw new Error('the file ends before its data: it was not copied whole');
  const packed = bytesOf(atob(carrier.textContent.trim()));
  const text = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return JSON.parse(await new Response(text).text()) as PageDocument;
}

/** A loop: Uint8Array.from makes a string of every byte, a quarter of the time that a large page takes to open. */
function bytesOf(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
