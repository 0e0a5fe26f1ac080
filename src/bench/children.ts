/** CPU of the processes that this one started and that have ended, with those that they started. */
import { existsSync, readFileSync } from 'node:fs';

/** `man 5 proc`: user and system time of children, in ticks; numbers 16 and 17, and the name before them has spaces. */
const STAT = '/proc/self/stat';
const BEHIND_NAME = 13;
/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS = 100;

/** Seconds; undefined where no such file says it. */
export function childrenCpuS(): number | undefined {
  if (!existsSync(STAT)) return undefined;
  const text = readFileSync(STAT, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[BEHIND_NAME]) + Number(fields[BEHIND_NAME + 1])) / TICKS;
}
