/**
 * V8's garbage collector, told about our kind of garbage.
 *
 * A party moves gigabytes through ArrayBuffers on a heap of about 10 MB. V8 adds them to the heap's size when it
 * decides whether to collect, so it collected every 5 MB of traffic: 33 % of P1's main thread for BERT-base at 32
 * tokens (--trace-gc, Node 20). With a heap that may grow thirtyfold before the next collection it is 2 %, for
 * about 300 MB more resident memory.
 */
import { setFlagsFromString } from 'node:v8';

/** Call once, before the first message. */
export function relaxCollector(): void {
  setFlagsFromString('--heap-growing-percent=3000');
}
