/** A file of JSON objects, one a line: what a long measurement has made, so that a stopped one goes on. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

export function appendLine(file: string, value: unknown): void {
  appendFileSync(file, `${JSON.stringify(value)}\n`);
}

/** All lines of a file, none where it is absent. */
export function readLines<T>(file: string | undefined): T[] {
  if (file === undefined || !existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line): T[] => {
      // The last line of a run that was stopped may be half a line.
      try {
        return [JSON.parse(line) as T];
      } catch {
        return [];
      }
    });
}
