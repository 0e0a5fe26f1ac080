/**
 * Typed errors: a stable code, a kind that says whose fault it is, and a hint that says what to do next.
 *
 * Messages carry codes, lengths, names and types, never the content of a text, a share or a key;
 * `test/security/redaction.test.ts` holds that.
 */

/** Whose fault an error is. `usage` ends a command with exit code 2, a violation with 3, everything else with 1. */
export type ErrorKind = 'usage' | 'config' | 'state' | 'io' | 'peer' | 'device' | 'internal';

/**
 * What happened. Codes are stable, messages are not: programs tell errors apart by them. The page has a table of
 * what to say for each (src/app/error-table.ts).
 */
export type ErrorCode =
  | 'ERR_ARGUMENT'
  | 'ERR_TEXT_EMPTY'
  | 'ERR_TEXT_TOO_LONG'
  | 'ERR_TEXT_ENCODING'
  | 'ERR_TEXT_CONTROL'
  | 'ERR_TOO_MANY_TOKENS'
  | 'ERR_NO_MASK'
  | 'ERR_MODEL_NOT_FOUND'
  | 'ERR_MODEL_FORMAT'
  | 'ERR_MODEL_CONFIG'
  | 'ERR_MODEL_UNSUPPORTED'
  | 'ERR_TOKENIZER'
  | 'ERR_PROTOCOL_UNAVAILABLE'
  | 'ERR_DEVICE_UNAVAILABLE'
  | 'ERR_RANGE'
  | 'ERR_RANGE_EXCEEDED'
  | 'ERR_SHAPE'
  | 'ERR_STATE'
  | 'ERR_PAD_REUSE'
  | 'ERR_INSECURE'
  | 'ERR_PEER_UNREACHABLE'
  | 'ERR_PEER_CERTIFICATE'
  | 'ERR_PEER_CLOSED'
  | 'ERR_PEER_TIMEOUT'
  | 'ERR_PEER_MISMATCH'
  | 'ERR_PEER_BUSY'
  | 'ERR_TOO_LARGE'
  | 'ERR_PEER_LET_GO'
  | 'ERR_PEER_FAILED'
  | 'ERR_SECURITY_VIOLATION'
  | 'ERR_FRAME_SESSION'
  | 'ERR_FRAME_SEQUENCE'
  | 'ERR_FRAME_TAG'
  | 'ERR_FRAME_LENGTH'
  | 'ERR_FRAME_FORMAT'
  | 'ERR_DEVICE_LOST'
  | 'ERR_DEVICE_MEMORY'
  | 'ERR_IDENTITY_KEY'
  | 'ERR_IDENTITY_PARTY'
  | 'ERR_IDENTITY_REPLAY'
  | 'ERR_IDENTITY_FINGERPRINT'
  | 'ERR_IDENTITY_PEERS'
  | 'ERR_MODEL_HASH'
  | 'ERR_CREDENTIAL_MISSING'
  | 'ERR_CREDENTIAL_EXPIRED'
  | 'ERR_CREDENTIAL_REVOKED'
  | 'ERR_CREDENTIAL_SHARING'
  | 'ERR_CREDENTIAL_SIGNATURE'
  | 'ERR_CREDENTIAL_DEALER'
  | 'ERR_LINK_BLOCKED'
  | 'ERR_DOWNLOAD'
  | 'ERR_INTEGRITY'
  | 'ERR_KERNEL'
  | 'ERR_WORKER'
  | 'ERR_ABORTED'
  | 'ERR_INTERNAL';

const KIND: Record<ErrorCode, ErrorKind> = {
  ERR_ARGUMENT: 'usage',
  ERR_TEXT_EMPTY: 'usage',
  ERR_TEXT_TOO_LONG: 'usage',
  ERR_TEXT_ENCODING: 'usage',
  ERR_TEXT_CONTROL: 'usage',
  ERR_TOO_MANY_TOKENS: 'usage',
  ERR_NO_MASK: 'usage',
  ERR_MODEL_NOT_FOUND: 'config',
  ERR_MODEL_FORMAT: 'config',
  ERR_MODEL_CONFIG: 'config',
  ERR_MODEL_UNSUPPORTED: 'config',
  ERR_TOKENIZER: 'config',
  ERR_PROTOCOL_UNAVAILABLE: 'usage',
  ERR_DEVICE_UNAVAILABLE: 'usage',
  ERR_RANGE: 'config',
  ERR_RANGE_EXCEEDED: 'usage',
  ERR_SHAPE: 'internal',
  ERR_STATE: 'state',
  ERR_PAD_REUSE: 'internal',
  ERR_INSECURE: 'state',
  ERR_PEER_UNREACHABLE: 'io',
  ERR_PEER_CERTIFICATE: 'peer',
  ERR_PEER_CLOSED: 'peer',
  ERR_PEER_TIMEOUT: 'peer',
  ERR_PEER_MISMATCH: 'peer',
  ERR_PEER_BUSY: 'peer',
  ERR_TOO_LARGE: 'peer',
  ERR_PEER_LET_GO: 'peer',
  ERR_PEER_FAILED: 'peer',
  ERR_SECURITY_VIOLATION: 'peer',
  ERR_FRAME_SESSION: 'peer',
  ERR_FRAME_SEQUENCE: 'peer',
  ERR_FRAME_TAG: 'peer',
  ERR_FRAME_LENGTH: 'peer',
  ERR_FRAME_FORMAT: 'peer',
  ERR_DEVICE_LOST: 'device',
  ERR_DEVICE_MEMORY: 'device',
  ERR_IDENTITY_KEY: 'peer',
  ERR_IDENTITY_PARTY: 'peer',
  ERR_IDENTITY_REPLAY: 'peer',
  ERR_IDENTITY_FINGERPRINT: 'peer',
  ERR_IDENTITY_PEERS: 'peer',
  ERR_MODEL_HASH: 'peer',
  ERR_CREDENTIAL_MISSING: 'peer',
  ERR_CREDENTIAL_EXPIRED: 'peer',
  ERR_CREDENTIAL_REVOKED: 'peer',
  ERR_CREDENTIAL_SHARING: 'peer',
  ERR_CREDENTIAL_SIGNATURE: 'peer',
  ERR_CREDENTIAL_DEALER: 'peer',
  ERR_LINK_BLOCKED: 'io',
  ERR_DOWNLOAD: 'io',
  ERR_INTEGRITY: 'config',
  ERR_KERNEL: 'device',
  ERR_WORKER: 'device',
  ERR_ABORTED: 'state',
  ERR_INTERNAL: 'internal',
};

/** Every code. */
export const ERROR_CODES = Object.keys(KIND) as readonly ErrorCode[];

/**
 * The kind of a code, or undefined for a string that is none. What a peer reports is judged by `heard` (told.ts),
 * not by this.
 */
export function kindOf(code: string): ErrorKind | undefined {
  return Object.hasOwn(KIND, code) ? KIND[code as ErrorCode] : undefined;
}

/**
 * Codes that say that somebody did not prove who it is to the end that throws them: from another end they would be
 * second-hand.
 */
const OWN_VERDICTS: readonly string[] = [
  'ERR_PEER_CERTIFICATE',
  'ERR_IDENTITY_KEY',
  'ERR_IDENTITY_PARTY',
  'ERR_IDENTITY_REPLAY',
  'ERR_IDENTITY_FINGERPRINT',
] satisfies readonly ErrorCode[];

/**
 * Whether only the end that checked may say so. What a peer says about proofs between others has a code of its own,
 * ERR_IDENTITY_PEERS.
 */
export function isOwnVerdict(code: string): boolean {
  return OWN_VERDICTS.includes(code);
}

/**
 * Every error that Tercet throws on purpose. `message` is one line; `hint` says what the reader can do. Neither holds
 * anything of a text, a share or a key.
 *
 * @example
 * try {
 *   await model.predict('no blank here');
 * } catch (error) {
 *   if (error instanceof TercetError && error.code === 'ERR_NO_MASK') console.log(error.hint);
 *   else throw error;
 * }
 */
export class TercetError extends Error {
  /** What happened, for programs. */
  readonly code: ErrorCode;
  /** Whose fault it is. */
  readonly kind: ErrorKind;
  /** What to do about it, for people. */
  readonly hint: string;
  /** The party that it is about, where that is known; 3 is a dealer. */
  readonly party: 0 | 1 | 2 | 3 | undefined;

  constructor(
    code: ErrorCode,
    what: string,
    hint: string,
    options?: { cause?: unknown; party?: 0 | 1 | 2 | 3 | undefined },
  ) {
    super(what, options);
    this.party = options?.party;
    this.name = 'TercetError';
    this.code = code;
    this.kind = KIND[code];
    this.hint = hint;
    // The code decides the class: an error is of the same one wherever it was made, or made again behind a port.
    const named = new.target === TercetError ? namedClass(code) : undefined;
    if (named === undefined) return;
    Object.setPrototypeOf(this, named.is.prototype as object);
    this.name = named.name;
  }

  /**
   * The paragraph of the documentation on this code (docs/ERRORS.md): an address relative to where that is served.
   */
  get documentation(): string {
    return `errors.html#${this.code.toLowerCase()}`;
  }

  /**
   * The one line that the command line prints.
   *
   * @example
   * const error = new TercetError('ERR_NO_MASK', 'there is no blank', 'write [MASK] where the word is missing');
   * console.log(error.line());
   *
   * @throws never
   */
  line(): string {
    return `tercet: ${this.code}: ${this.message} — ${this.hint}`;
  }
}

/**
 * The device has not the memory for a run: ERR_DEVICE_MEMORY. Other runs are not disturbed, and a smaller one may do.
 *
 * @example
 * async function classifyAll(texts: string[], batchSize = 8) {
 *   try {
 *     return await model.classifyBatch(texts, { batchSize });
 *   } catch (error) {
 *     if (!(error instanceof GpuOutOfMemoryError) || batchSize === 1) throw error;
 *     return classifyAll(texts, Math.floor(batchSize / 2));
 *   }
 * }
 */
export abstract class GpuOutOfMemoryError extends TercetError {}

/** A party or a server cannot be reached, or its link ended. */
export abstract class NetworkError extends TercetError {}

/**
 * A party did not answer in time: ERR_PEER_TIMEOUT.
 *
 * @example
 * try {
 *   await model.predict('The capital of France is [MASK].');
 * } catch (error) {
 *   if (!(error instanceof NetworkTimeoutError)) throw error;
 *   for (const { party, ok } of await model.health()) console.log(party, ok);
 * }
 */
export abstract class NetworkTimeoutError extends NetworkError {}

/** The text cannot run as it is: it is empty, too long, has no blank, or goes beyond the ranges of the model. */
export abstract class InputError extends TercetError {}

/** Where a party was caught: the parties disagree on what they run, a proof was refused, outputs differ. */
export type ViolationPhase = 'agreement' | 'messages' | 'proof' | 'output';

/**
 * Somebody was not who they should be, or sent what nobody sends by mistake; it was noticed before anything opened.
 * Never tried again with the same keys.
 *
 * ERR_SECURITY_VIOLATION, a deviation from the protocol, has one text for every cause: what exactly was wrong may
 * follow from a secret. Of that code alone `phase` says where it was.
 *
 * @example
 * try {
 *   await model.predict('The capital of France is [MASK].');
 * } catch (error) {
 *   if (error instanceof SecurityViolationError) console.log(error.code, error.party, error.phase);
 *   else throw error;
 * }
 */
export class SecurityViolationError extends TercetError {
  declare readonly phase: ViolationPhase | undefined;

  /**
   * @param party who is accused, where one is: with two honest parties, that is not always known
   * @param cause what this party saw; it stays here
   */
  constructor(phase: ViolationPhase, party?: 0 | 1 | 2, cause?: unknown) {
    const whose = party === undefined ? '' : ` of party ${party}`;
    super(
      'ERR_SECURITY_VIOLATION',
      `the run was stopped: its ${phase}${whose} did not pass`,
      'one of the parties does not follow the protocol; nothing was opened; do not run this again with the same parties',
      { party, cause },
    );
    this.name = 'SecurityViolationError';
    this.phase = phase;
  }
}

/** Whether a code says that somebody was caught, and not that something broke. */
export function isViolation(code: string): boolean {
  return VIOLATION.test(code);
}

const VIOLATION =
  /^ERR_(SECURITY_VIOLATION|FRAME_(TAG|SEQUENCE|SESSION)|IDENTITY_|PEER_CERTIFICATE|CREDENTIAL_SIGNATURE|INTEGRITY)/;

/** Names are written out: a page's build changes those of classes. */
const NAMED = [
  { name: 'GpuOutOfMemoryError', is: GpuOutOfMemoryError, has: (code: string) => code === 'ERR_DEVICE_MEMORY' },
  { name: 'NetworkTimeoutError', is: NetworkTimeoutError, has: (code: string) => code === 'ERR_PEER_TIMEOUT' },
  {
    name: 'NetworkError',
    is: NetworkError,
    has: (code: string) => /^ERR_(PEER_(UNREACHABLE|CLOSED)|LINK_BLOCKED|DOWNLOAD)$/.test(code),
  },
  {
    name: 'InputError',
    is: InputError,
    has: (code: string) => /^ERR_(TEXT_\w+|TOO_MANY_TOKENS|NO_MASK|RANGE_EXCEEDED)$/.test(code),
  },
  { name: 'SecurityViolationError', is: SecurityViolationError, has: isViolation },
] as const;

function namedClass(code: string): (typeof NAMED)[number] | undefined {
  return NAMED.find(({ has }) => has(code));
}

/** Throws unless `condition` holds; for states that only a bug in Tercet can reach. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new TercetError('ERR_INTERNAL', what, 'this is a bug in Tercet, please report it');
}

/** Wraps anything thrown into a TercetError, so that a boundary (process, worker, command line) prints one form. */
export function asTercetError(error: unknown): TercetError {
  if (error instanceof TercetError) return error;
  return new TercetError(
    'ERR_INTERNAL',
    error instanceof Error ? error.name : 'unexpected failure',
    'look at its cause (on the command line: --debug)',
    {
      cause: error,
    },
  );
}
