/** One cell of the matrix: a session in which one message is changed, and how it ended for the others. */
import { SecurityViolationError, type TercetError } from '../../core/errors.ts';
import { OUTPUT_FORM } from '../../ml/models/run.ts';
import { type Check, RefusedBy } from '../../mpc/proof/verifier.ts';
import type { Channel, PartyId } from '../../net/wire/types.ts';
import { changed, isOfBoth, unchanged, waits } from './changes.ts';
import { type Cell, expectedOf, isOf } from './cells.ts';
import { GATE_BITS } from './models.ts';
import type { Engines, Played, Protocol, World } from './world.ts';

/**
 * How a session ended.
 *
 *   caught    the honest parties stopped, as they should
 *   harmless  it answered, and rightly: what was changed means nothing (bits of a key that no index reads)
 *   same      what was changed came out as it was
 *   absent    there was no such message
 *   accepted  it answered, of a protocol that proves nothing, or where nothing was changed
 *   survived  anything else: a fault
 */
type CellOutcome = 'caught' | 'harmless' | 'same' | 'absent' | 'accepted' | 'survived';

/** A line of the matrix. */
export interface TamperRow {
  readonly protocol: Protocol;
  /** Where parties compute and prove, if not in WebAssembly. */
  readonly device?: Engines['device'];
  readonly family: string;
  readonly weights: string;
  readonly cheater: PartyId;
  readonly to: PartyId;
  readonly message: string;
  readonly change: string;
  readonly outcome: CellOutcome;
  /** Of the honest parties, in order; null: that party saw nothing wrong. */
  readonly error: readonly (string | null)[];
  readonly phase: readonly (string | null)[];
  /** Of the cheater's proof, the check that refused it: `ends` is behind the first, which its claims had passed. */
  readonly check: Check | null;
  /** Nothing opened, keys overwritten, no message sent again. */
  readonly clean: boolean;
}

/** Longest wait for a message that never comes. */
const DROPPED_MS = 15_000;
/** Of a logit, against another run of the same text. */
const LOGIT_ERROR = 0.02;
const HONEST = (cheater: PartyId) => ([0, 1, 2] as const).filter((id) => id !== cheater);

/** A session with one changed message, whose sender repairs its claims where it proves. */
export async function tampered(world: World, cell: Cell, signal?: AbortSignal): Promise<TamperRow> {
  const normal = await world.normal();
  const captured = await world.captured();
  const ofRun = /(^kept-.*|-(deal|input|ahead|12|21|01|02|20))$/;
  const proves = captured !== undefined && !waits(cell.change) && ofRun.test(cell.message);
  captured?.forget(proves);
  let changes = 0;
  let met = false;
  let session: Uint8Array = new Uint8Array(32);
  let seed: Uint8Array = new Uint8Array(32);
  let formed = true;
  // The step that the cheater is at: what it sends in an earlier one is what it should.
  let step = 0;
  const earlier: Earlier[] = [];
  // What comes behind the next message to the same party.
  let held: Earlier | undefined;
  const sent = new Map<string, Uint8Array>();
  const both = isOfBoth(cell.change);
  const meant = (peer: PartyId, tag: string) =>
    step === world.step && hit(tag) && (both ? changes < 2 : changes === 0 && peer === cell.to);
  const hit = (tag: string) => isOf(cell.message, tag);
  const corrupt = (self: PartyId, channel: Channel): Channel => {
    if (self !== cell.cheater) return channel;
    const { peer, stats, ended } = channel;
    return {
      ...{ self, peer, stats, ended },
      close: () => channel.close(),
      abort: (error) => channel.abort(error),
      recv: async (tag, length) => {
        const bytes = await channel.recv(tag, length);
        if (tag === 'control/step') step++;
        if (/^proof-seed\/\d\.0\.1$/.test(tag)) seed = bytes;
        return bytes;
      },
      send: async (tag, bytes) => {
        if (proves && changes > 0 && tag === `proof-answer/${self}.0.1`) {
          const claims = await captured.repaired(self, session, seed, bytes);
          return channel.send(tag, claims ?? bytes);
        }
        // To both of the others, and the first of them hears it before anything else.
        if (tag === 'control/step' && peer === 1) step++;
        if (!meant(peer as PartyId, tag)) {
          if (!tag.startsWith('control/')) earlier.push({ tag, bytes: bytes.slice() });
          await channel.send(tag, bytes);
          const late = peer === cell.to ? held : undefined;
          if (late === undefined) return;
          held = undefined;
          return channel.send(late.tag, late.bytes);
        }
        met = true;
        const all = earlier.map((one) => one.bytes);
        const instead = changed(cell.change, bytes, all, ofStepBefore(earlier, tag, bytes.length));
        if (unchanged(bytes, instead)) return channel.send(tag, bytes);
        changes++;
        formed = instead[0]?.length === bytes.length;
        if (cell.change === 'leave') return channel.abort(new Error('left'));
        if (cell.change === 'reorder') held = { tag, bytes: bytes.slice() };
        // In place: the cheater goes on with what it sent, as prover and as verifier.
        if (instead[0]?.length === bytes.length && cell.change !== 'aside') {
          bytes.set(instead[0]);
          sent.set(tag, instead[0].slice());
        }
        for (const message of instead) await channel.send(tag, message);
      },
    };
  };
  const kept = await world.kept();
  if (kept !== undefined && cell.message.startsWith('kept-'))
    kept.lie = {
      ...{ cheater: cell.cheater, message: cell.message },
      change: (bytes) => changed(cell.change, bytes)[0],
      done: () => {
        met = true;
        changes++;
      },
    };
  const goesOn = await world.goesOn();
  if (goesOn !== undefined) goesOn.lie = { cheater: cell.cheater, sent };
  const played = await world.play({
    corrupt,
    signal,
    ...(waits(cell.change) ? { timeoutMs: DROPPED_MS } : {}),
    agreed: (made) => {
      session = made;
    },
  });
  if (kept !== undefined) kept.lie = undefined;
  if (goesOn !== undefined) goesOn.lie = undefined;
  const outcome = !met ? 'absent' : changes === 0 ? 'same' : undefined;
  return rowOf(world, cell, played, normal, outcome, formed);
}

interface Earlier {
  readonly tag: string;
  readonly bytes: Uint8Array;
}

/** The message of the step before in whose place one stands: of its tag, else of its kind and, if there is one, length. */
function ofStepBefore(earlier: readonly Earlier[], tag: string, length: number): Uint8Array | undefined {
  const kind = tag.split('/')[0];
  const alike = earlier.filter((one) => one.tag.split('/')[0] === kind);
  const fits = alike.filter(({ bytes }) => bytes.length === length);
  return (fits.find((one) => one.tag === tag) ?? fits[0] ?? alike[0])?.bytes;
}

function whereOf({ protocol, device }: World): Pick<TamperRow, 'protocol' | 'device'> {
  return device === undefined ? { protocol } : { protocol, device };
}

function rowOf(
  world: World,
  cell: Cell,
  played: Played,
  normal: Played,
  known: CellOutcome | undefined,
  formed: boolean,
): TamperRow {
  const { family, weights, cheater, to, message, change } = cell;
  const errors = HONEST(cheater).map((id) => played.errors[id]);
  const phase = errors.map((error) => (error instanceof SecurityViolationError ? (error.phase ?? null) : null));
  const clean = isClean(cell, played, normal);
  return {
    ...whereOf(world),
    ...{ family, weights, cheater, to, message, change },
    outcome: known ?? (world.proved ? proved(world, cell, played, normal, { clean, formed }) : unproved(played)),
    error: errors.map((error) => error?.code ?? null),
    phase,
    check: checkOf(errors),
    clean,
  };
}

function checkOf(errors: readonly (TercetError | undefined)[]): Check | null {
  const causes = errors.map((error) => error?.cause);
  return causes.find((cause) => cause instanceof RefusedBy)?.check ?? null;
}

/** Where nothing is proved, the answer comes, whatever it is. */
function unproved({ errors }: Played): CellOutcome {
  return errors.every((error) => error === undefined) ? 'accepted' : 'caught';
}

function proved(
  world: World,
  cell: Cell,
  played: Played,
  normal: Played,
  { clean, formed }: { readonly clean: boolean; readonly formed: boolean },
): CellOutcome {
  const { phase, beforeText, late } = expectedOf(cell, formed);
  const honest = HONEST(cell.cheater).map((id) => played.errors[id]);
  if (played.logits !== undefined)
    return honest.every((error) => error === undefined) && sameAnswer(world, played, normal) ? 'harmless' : 'survived';
  const caught = honest.filter((error) => error instanceof SecurityViolationError);
  const place = phase === undefined || caught.some((error) => (error as SecurityViolationError).phase === phase);
  const others = honest.every(
    (error) =>
      error instanceof SecurityViolationError ||
      (late && error === undefined) ||
      // Before the text: another left, or sent what nobody waits for.
      (beforeText && (error === undefined || error.kind === 'peer')),
  );
  const noticed = caught.length > 0 || (beforeText && honest.some((error) => error?.kind === 'peer'));
  return clean && noticed && place && others ? 'caught' : 'survived';
}

/** Of a model, two answers differ by their rounding; where ring words are widened beyond their range, by wraps. */
function sameAnswer({ family, weights }: World, { logits }: Played, normal: Played): boolean {
  const wrap = 2 ** (GATE_BITS - OUTPUT_FORM[weights].scale);
  return (
    logits?.every((value, i) => {
      const off = Math.abs(value - (normal.logits?.[i] ?? Number.NaN));
      return family === 'gates' ? off % wrap === 0 : off <= LOGIT_ERROR;
    }) === true
  );
}

/** Of every honest party: nothing opened, keys overwritten, and no message sent more often than in any session. */
function isClean({ cheater }: Cell, { logits, wiped, sent }: Played, normal: Played): boolean {
  const times = countsOf(normal);
  const once = [...countsOf({ sent: sent.filter(({ from }) => from !== cheater) })].every(
    ([key, count]) => count <= (times.get(key) ?? 0),
  );
  return logits === undefined && once && HONEST(cheater).every((id) => wiped[id] ?? true);
}

/** How often each message of a gate or a proof was sent. */
function countsOf({ sent }: Pick<Played, 'sent'>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { from, to, tag } of sent) {
    if (tag.startsWith('control/')) continue;
    const key = `${from} ${to} ${tag}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** The session that nobody changes: it answers, keys are overwritten. */
export async function control(world: World): Promise<TamperRow> {
  const captured = await world.captured();
  captured?.forget(false);
  const { errors, logits, wiped } = await world.normal();
  const answered = logits !== undefined && errors.every((error) => error === undefined);
  const { family, weights } = world;
  return {
    ...whereOf(world),
    ...{ family, weights, cheater: 0, to: 0, message: '', change: 'none' },
    outcome: answered ? 'accepted' : 'survived',
    error: errors.map((error) => error?.code ?? null),
    phase: errors.map((error) => (error instanceof SecurityViolationError ? (error.phase ?? null) : null)),
    check: null,
    clean: !world.proved || wiped.every((one) => one === true),
  };
}
