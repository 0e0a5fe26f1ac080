/**
 * Ranges that were measured on samples, kept for the next start: `<cache>/measured-ranges/<key>.json`.
 *
 * What is kept is the measurement alone, never a plan. A plan follows from it *and* from the proof, which every
 * start computes from the weights. So a wrong measurement can make a plan dearer than it need be, refuse texts that
 * it would have taken, or differ from the other party's, which both notice; it cannot leave a check out
 * (`ml/checked-plan.ts`). Even so, a file is taken only if nobody but this user could have written it and it is
 * whole; else the ranges are measured again and the file is replaced.
 */
import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../hub/environment-node.ts';
import type { MeasuredRanges } from '../ml/checked-plan.ts';
import type { ModelConfig } from '../ml/config.ts';
import { isRecord, own } from '../ml/json.ts';
import { isOwn, isOwnFolder } from './own-files.ts';

export interface Measurements {
  /** Undefined where there is none that can be trusted to be what was written. */
  read(key: string, config: ModelConfig): Promise<MeasuredRanges | undefined>;
  /** Keeps them where it can; a cache that cannot be written is no failure. */
  write(key: string, ranges: MeasuredRanges): Promise<void>;
}

const LARGEST_FILE = 1 << 20;

/** In a folder of this user; made when it is not there. */
export function measurementsIn(folder = join(cacheFolder(), 'measured-ranges')): Measurements {
  const at = (key: string) => join(folder, `${key}.json`);
  return {
    async read(key, config) {
      try {
        const file = await lstat(at(key));
        if (!(await isOwnFolder(folder)) || !file.isFile() || !isOwn(file)) return undefined;
        if (file.size > LARGEST_FILE) return undefined;
        const text = await readFile(at(key), 'utf8');
        const end = text.indexOf('\n');
        const json = text.slice(end + 1);
        return text.slice(0, end) === digest(key, json) ? rangesFrom(JSON.parse(json), config) : undefined;
      } catch {
        return undefined;
      }
    },
    async write(key, ranges) {
      const own = join(folder, `${key}.${randomUUID()}`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const json = JSON.stringify(ranges);
        await writeFile(own, `${digest(key, json)}\n${json}`, { flag: 'wx', mode: 0o600 });
        await rename(own, at(key));
      } catch {
        await rm(own, { force: true }).catch(() => undefined);
      }
    },
  };
}

/** Of key and content, so that a file under another name is not taken. */
function digest(key: string, json: string): string {
  return createHash('sha256').update(`${key}\n${json}`).digest('hex');
}

const LISTS = { activation: 1, spread: 1, value: 1, variance: 2, leastVariance: 2 } as const;
const NUMBERS = [
  'headActivation',
  'embeddingVariance',
  'leastEmbeddingVariance',
  'headVariance',
  'leastHeadVariance',
  'logit',
  'sampled',
] as const;

/** Ranges of a model of this shape, every number finite and not negative. */
function rangesFrom(json: unknown, { layers }: ModelConfig): MeasuredRanges | undefined {
  if (!isRecord(json)) return undefined;
  const number = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
  for (const [name, each] of Object.entries(LISTS)) {
    const list = own(json, name);
    if (!Array.isArray(list) || list.length !== each * layers || !list.every(number)) return undefined;
  }
  if (!NUMBERS.every((name) => number(own(json, name)))) return undefined;
  const names = [...Object.keys(LISTS), ...NUMBERS];
  return Object.fromEntries(names.map((name) => [name, own(json, name)])) as unknown as MeasuredRanges;
}
