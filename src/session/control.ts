/**
 * Control messages: small JSON bodies before, between and after the protocol's own, each in two frames (length,
 * then body). Everything that arrives is hostile until checked: bodies are capped, must be objects, and every field
 * is read through a check that names it.
 */
import { printable } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { PeerReport, heard, told } from '../core/told.ts';
import type { Channel, EndId } from '../net/wire/types.ts';

const MAX_BODY = 1 << 20;

/** What is undefined is left out. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Of the first of the two frames. */
export function tagOf(name: string): string {
  return `control/${name}-length`;
}

export async function sendControl(channel: Channel, name: string, body: Json): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  await channel.send(tagOf(name), length);
  await channel.send(`control/${name}`, bytes);
}

/** Tells the peer why this party stops, so that it can say so too: words of a fixed table, never data. */
export async function sendFailure(channel: Channel, name: string, error: TercetError): Promise<void> {
  const { code: usual, what, hint } = told(error);
  // An owner asks for it (`isViolationReport`); to everybody else it is a failure like any other.
  const code = error.code === 'ERR_SECURITY_VIOLATION' ? error.code : usual;
  // A dealer says which of its links it speaks of, and a compute party that it speaks of the dealer.
  const { party } = error;
  const about = isLate(error, channel.peer) || party === 3 || channel.self === 3 ? party : undefined;
  await sendControl(channel, name, {
    failed: error.code === 'ERR_IDENTITY_PEERS' ? distrustToJson(error) : { code, message: what, hint, party: about },
  });
}

/** A data owner that was waited for is told so: else it would take the other compute party for lost. */
function isLate({ code, party }: { readonly code: string; readonly party: number | undefined }, end: EndId): boolean {
  return code === 'ERR_PEER_TIMEOUT' && party === 0 && end === 0;
}

/**
 * Receives the control message `name`.
 * @throws {TercetError} ERR_FRAME_FORMAT for a body that is too long or no JSON object; the peer's own error when
 * it says that it failed.
 */
export async function recvControl(channel: Channel, name: string): Promise<Fields> {
  const length = new DataView((await channel.recv(tagOf(name), 4)).slice().buffer).getUint32(0, true);
  if (length > MAX_BODY) throw malformed(channel, name);
  const bytes = await channel.recv(`control/${name}`, length);
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own error quotes the body, which may hold a key.
    throw malformed(channel, name);
  }
  const fields = new Fields(body, () => malformed(channel, name));
  if (fields.has('failed')) throw peerFailure(channel, fields.object('failed'));
  return fields;
}

function endWords(end: number): string {
  return end === 3 ? 'the dealer' : `party ${end}`;
}

function malformed(channel: Channel, name: string): TercetError {
  return new TercetError(
    'ERR_FRAME_FORMAT',
    `${endWords(channel.peer)} sent a malformed "${name}" message`,
    'check that both parties run the same version of Tercet',
  );
}

/**
 * Whether a party said that a run was a violation. An owner believes it of a proved run, true or not: either way
 * somebody does not follow the protocol. Nobody else does, for strangers may say it. test/session/proved.test.ts.
 */
export function isViolationReport(error: unknown): boolean {
  return error instanceof PeerReport && error.reported === 'ERR_SECURITY_VIOLATION';
}

const DISTRUST =
  'tell both operators: each compares the identity or certificate that it expects of the other party with the one that the other has';

/**
 * Which of the compute parties did not prove itself to the other, and nothing else: where they are is not the
 * owner's to know.
 */
function distrustToJson({ code, party }: TercetError): Json {
  return {
    code,
    message: 'the compute parties do not accept each other’s identity',
    hint: DISTRUST,
    party: party === 1 || party === 2 ? party : undefined,
  };
}

/** What a compute party says about the proof between itself and the other one. The words are this side's. */
function peersDistrust({ peer }: Channel, failed: Fields): TercetError {
  const said = failed.has('party') ? failed.integer('party', 2) : 0;
  const party = said === 1 || said === 2 ? said : peer === 1 ? 2 : 1;
  return new PeerReport(
    'ERR_IDENTITY_PEERS',
    `party ${party} did not prove its identity to party ${3 - party}, says party ${peer}`,
    DISTRUST,
    { party },
  );
}

function tooLate({ peer }: Channel): TercetError {
  return new PeerReport(
    'ERR_PEER_TIMEOUT',
    `this side was too slow, says ${endWords(peer)}`,
    'run again, with less else to do for this machine and its line; a shorter text takes less of both',
    { party: 0 },
  );
}

function peerFailure(channel: Channel, failed: Fields): TercetError {
  const code = failed.string('code');
  if (code === 'ERR_IDENTITY_PEERS') return peersDistrust(channel, failed);
  const about = failed.has('party') ? failed.integer('party', 3) : channel.peer;
  if (isLate({ code, party: about }, channel.self)) return tooLate(channel);
  const words = printable(failed.string('message'), 300);
  const hint = printable(failed.string('hint'), 300);
  if (about === channel.peer || !(about === 3 || (channel.peer === 3 && (about === 1 || about === 2)))) {
    const report = new PeerReport(heard(code), `${endWords(channel.peer)}: ${words}`, hint, { party: channel.peer });
    report.reported = code;
    return report;
  }
  const message = `${endWords(about)}, says ${endWords(channel.peer)}: ${words}`;
  return new PeerReport(heard(code), message, hint, { party: about });
}

/**
 * Checked access to the fields of an untrusted object. No schema (core/json.ts): what is read next depends on what
 * was read, like the lengths in a plan.
 */
export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #fail: () => TercetError;

  constructor(value: unknown, fail: () => TercetError) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail();
    this.#value = value as Readonly<Record<string, unknown>>;
    this.#fail = fail;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#value, key);
  }

  string(key: string): string {
    const value = this.#get(key);
    if (typeof value !== 'string') throw this.#fail();
    return value;
  }

  stringOrNull(key: string): string | undefined {
    return this.#get(key) === null ? undefined : this.string(key);
  }

  numberOrNull(key: string): number | null {
    return this.isNull(key) ? null : this.number(key);
  }

  /** Whether the field is there and null. */
  isNull(key: string): boolean {
    return this.#get(key) === null;
  }

  /** A non-negative safe integer of at most `max`. */
  integer(key: string, max: number): number {
    const value = this.#get(key);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) throw this.#fail();
    return value;
  }

  number(key: string): number {
    const value = this.#get(key);
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#fail();
    return value;
  }

  object(key: string): Fields {
    return new Fields(this.#get(key), this.#fail);
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.#get(key);
    if (!allowed.includes(value as T)) throw this.#fail();
    return value as T;
  }

  boolean(key: string): boolean {
    const value = this.#get(key);
    if (typeof value !== 'boolean') throw this.#fail();
    return value;
  }

  list(key: string, maxLength: number): readonly unknown[] {
    const value = this.#get(key);
    if (!Array.isArray(value) || value.length > maxLength) throw this.#fail();
    return value;
  }

  hex(key: string, bytes: number): Uint8Array {
    const value = this.string(key);
    if (!new RegExp(`^[0-9a-f]{${2 * bytes}}$`).test(value)) throw this.#fail();
    return Uint8Array.from({ length: bytes }, (_, i) => Number.parseInt(value.slice(2 * i, 2 * i + 2), 16));
  }

  /** The keys, at most `max` of them. */
  keys(max: number): string[] {
    const keys = Object.keys(this.#value);
    if (keys.length > max) throw this.#fail();
    return keys;
  }

  #get(key: string): unknown {
    return this.has(key) ? this.#value[key] : undefined;
  }
}
