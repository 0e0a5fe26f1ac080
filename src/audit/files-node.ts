/** The files of a log: `audit-000000.jsonl` and on, each a run of whole lines; the last one grows. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { MAX_LINE } from './record.ts';

const NAME = /^audit-(\d{6})\.jsonl$/;

export const fileName = (number: number): string => `audit-${String(number).padStart(6, '0')}.jsonl`;

/** Numbers of the files in a folder, in order. */
export async function fileNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new TercetError('ERR_ARGUMENT', 'the folder of the audit log cannot be read', 'check the path', { cause });
  });
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** A line, and where it stands. */
export interface Line {
  readonly text: string;
  /** Name of the file. */
  readonly file: string;
  /** From 1. */
  readonly number: number;
  /** Whether its end is there. */
  readonly whole: boolean;
}

/** All lines of a log in order, in memory that does not grow with it. A line that is too long is cut. */
export async function* linesOf(folder: string): AsyncGenerator<Line> {
  for (const number of await fileNumbers(folder)) yield* linesOfFile(folder, fileName(number));
}

export async function* linesOfFile(folder: string, file: string): AsyncGenerator<Line> {
  let rest = '';
  let number = 1;
  for await (const chunk of createReadStream(join(folder, file), 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, 2 * MAX_LINE);
    for (const text of lines) yield { text, file, number: number++, whole: true };
  }
  if (rest !== '') yield { text: rest, file, number, whole: false };
}
