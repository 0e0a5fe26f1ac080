/**
 * What a service tells its operator: JSON lines by pino, each an event with facts.
 *
 * SECURITY: redacted by type. A fact is a number, a switch, or a `Public` word, which can only be made of a word that a
 * program chose. Whatever else comes into a line, at any level, is written as `[redacted]`: a text, an answer, a key,
 * an error's message. test/rest/gateway.test.ts greps for planted words at `trace`.
 */
import { pino } from 'pino';
import { ERROR_CODES } from '../core/errors.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A word that a program chose: it comes from nobody outside. */
export class Public {
  readonly word: string;

  private constructor(word: string) {
    this.word = word;
  }

  /** One of a list; for anything else `other`. */
  static of(word: string, known: readonly string[]): Public {
    return new Public(known.includes(word) ? word : 'other');
  }

  static code(code: string): Public {
    return Public.of(code, [...ERROR_CODES, ...OWN_CODES] as readonly string[]);
  }

  /** Hex digits, as names that are drawn here have them; for anything else `other`. */
  static hex(digits: string): Public {
    return new Public(/^[0-9a-f]{1,64}$/.test(digits) ? digits : 'other');
  }
}

const OWN_CODES = [
  'ERR_KEY',
  'ERR_ROUTE',
  'ERR_METHOD',
  'ERR_REQUEST',
  'ERR_REQUEST_SLOW',
  'ERR_HEADER_SIZE',
  'ERR_BODY',
  'ERR_BODY_TWICE',
  'ERR_BODY_TYPE',
  'ERR_BODY_SIZE',
  'ERR_TEXTS',
  'ERR_HOST',
  'ERR_RATE',
  'ERR_KEY_BUSY',
  'ERR_QUEUE_FULL',
  'ERR_TIME_LIMIT',
  'ERR_DRAINING',
] as const;
export type Fact = number | boolean | Public | undefined;

export interface ServiceLog {
  readonly level: LogLevel;
  /** @param event chosen by the program, like `request` */
  log(level: LogLevel, event: string, facts?: Readonly<Record<string, Fact>>): void;
}

const REDACTED = '[redacted]';

function written(fact: unknown): unknown {
  if (fact === undefined || typeof fact === 'number' || typeof fact === 'boolean') return fact;
  return fact instanceof Public ? fact.word : REDACTED;
}

/** @param write takes a line */
export function serviceLog(level: LogLevel, write: (line: string) => void): ServiceLog {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' }, { write });
  return {
    level,
    log(at, event, facts = {}) {
      const safe = Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, written(fact)]));
      logger[at](safe, event);
    },
  };
}
