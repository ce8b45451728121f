/**
 * Errors that the user can act on. Anything else that is thrown is a bug in qdbg and exits 70.
 *
 * Form: one line saying what is wrong in the user's words, with the value met and the value wanted; then the places;
 * then one hint that is a command or a flag.
 */
export interface ErrorDetails {
  /** The places, one line each. */
  readonly places?: readonly string[];
  /** A command or a flag. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class QdbgError extends Error {
  override readonly name: string = 'QdbgError';
  readonly exitCode = 2;
  readonly places: readonly string[];
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.places = details.places ?? [];
    this.hint = details.hint;
  }
}

/** Flag, config, missing or unwritable file, data that does not fit. */
export class UsageError extends QdbgError {
  override readonly name = 'UsageError';
}

/** The bytes are not a model, or a broken one. */
export class LoadError extends QdbgError {
  override readonly name = 'LoadError';
}

/** The model is fine, qdbg cannot do it; every instance is listed. */
export class UnsupportedError extends QdbgError {
  override readonly name = 'UnsupportedError';
}

/** Calibration or evaluation data that cannot be read or fed. */
export class DataError extends QdbgError {
  override readonly name = 'DataError';
}

/** The runtime refused the model or failed in it; `cause` is its own error. */
export class RunError extends QdbgError {
  override readonly name = 'RunError';
}
