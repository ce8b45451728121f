/** Steers terminals, turns text around, ends C strings. */
export const HOSTILE = '\u001b[31mRED\u0007\r\nqdbg: fine \u202egnp.exe\u2066\u009b31m\u0000end';
