/**
 * What an error says to a person: a title, what happened, what to do, where in the picture, and which buttons.
 * Nothing here carries a text, a share or a key.
 */
import { type ErrorCode, kindOf } from '../core/errors.ts';
import { ADDRESS, type Action, LATE, type Row, TABLE, UNSERVED, WEB_PAGE } from './error-table.ts';

/** What the page knows of an error: duck-typed, because it may have crossed a worker's boundary. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** The party it is about; 0 is this tab. */
  readonly party?: 0 | 1 | 2 | 3 | undefined;
  /** Found by the page itself: options in its address; weights that are not served; or what it says of it. */
  readonly found?: 'address' | 'weights' | Row;
}

export interface Explanation {
  readonly title: string;
  readonly happened: string;
  readonly remedy: string;
  readonly actions: readonly Action[];
  /** Where it is shown in the picture; 0 is this tab. */
  readonly party?: 0 | 1 | 2 | 3 | undefined;
  /** Which links of that party are crossed out. */
  readonly cut: 'own' | 'all' | undefined;
  /** The word in place of the party's health. */
  readonly mark: string;
  /** Belongs under the text box, not into the slot. */
  readonly input: boolean;
}

export interface Names {
  /** Operators of party 1 and 2. */
  readonly operators: readonly [string, string];
  readonly maxTokens: number | undefined;
  /** Where the run was, like `layer 7 of 12`. */
  readonly place?: string;
  /** Whether a part of a text had come by then. */
  readonly begun?: boolean;
}

/** Anything thrown, as a failure. A foreign error gives its name only: its message could quote what it was given. */
export function failureOf(error: unknown): Failure {
  if (typeof error === 'object' && error !== null) {
    const { code, message, hint, party } = error as Partial<Record<'code' | 'message' | 'hint' | 'party', unknown>>;
    if (typeof code === 'string' && kindOf(code) !== undefined) {
      return {
        code: code as ErrorCode,
        message: typeof message === 'string' ? message : '',
        hint: typeof hint === 'string' ? hint : '',
        party: party === 0 || party === 1 || party === 2 || party === 3 ? party : undefined,
      };
    }
  }
  return { code: 'ERR_INTERNAL', message: error instanceof Error ? error.name : 'unexpected failure', hint: '' };
}

export function explain(failure: Failure, names: Names): Explanation {
  const row = rowOf(failure);
  const party = failure.party === 0 ? undefined : failure.party;
  const operator = party === undefined ? 'the party' : party === 3 ? 'the dealer' : names.operators[party - 1];
  const words: Record<string, string> = {
    Party: party === undefined ? 'A party' : party === 3 ? 'The dealer' : `Party ${party}`,
    party: party === undefined ? 'a party' : party === 3 ? 'the dealer' : `party ${party}`,
    operator,
    opened:
      names.begun === true
        ? 'What had come stays below, and nothing more was opened.'
        : 'Nothing was opened, and your text is still in the box.',
    place: names.place === undefined ? '' : `, at ${names.place}`,
    limit: names.maxTokens === undefined ? '' : ` to ${names.maxTokens} tokens`,
  };
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_whole, name: string) => words[name]);
  const place = row.here === true ? 0 : failure.party;
  return {
    title: fill(row.title),
    happened: fill(row.happened),
    remedy: fill(row.remedy),
    actions: row.actions ?? ['run'],
    party: place,
    cut: row.cut,
    mark: row.mark ?? '',
    input: row.input ?? false,
  };
}

function rowOf({ code, message, party, found }: Failure): Row {
  if (code === 'ERR_PEER_TIMEOUT' && party === 0) return LATE;
  if (typeof found === 'object') return found;
  if (found !== undefined) return found === 'address' ? ADDRESS : UNSERVED;
  return code === 'ERR_DOWNLOAD' && /web page/.test(message) ? WEB_PAGE : TABLE[code];
}
