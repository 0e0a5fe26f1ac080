/**
 * One collection, now, in the calling thread. Loading a model leaves some hundred megabytes of garbage behind, which a
 * collector keeps for as long as nobody comes: what lies outside its heap hardly counts for it. On a heap of some 40 MB
 * this takes a few milliseconds.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Collects all garbage of this thread. */
export function collectNow(): void {
  if (collect === undefined) {
    // Only contexts that are made from here on have it.
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
