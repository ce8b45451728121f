/** Name of an HTML report that was given none. */
export const HTML_FILE = 'qdbg-report.html';
