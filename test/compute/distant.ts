/**
 * Kernels in another process, which may be of another processor (`native/check`): a call is sent with the pages that
 * changed, and waited for. Every call says what it left behind on its stack.
 */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Export, Linked } from '../../src/compute/kernels/wasm/link.ts';

const PAGE = 4096;
const FIRST = 64;

/** What calls left on the stack, of all so far. */
interface Stack {
  calls: number;
  /** Words that were neither overwritten nor untouched. */
  left: number;
  /** Bytes of the deepest call. */
  depth: number;
}

export interface Distant {
  /** The kernels of tercet.wasm (0) or proof.wasm (1), on a memory of their own. One at a time. */
  link(list: 0 | 1): Linked;
  readonly stack: Stack;
  close(): void;
}

/** @param command the program, and what runs it */
export function distant(command: readonly string[]): Distant {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-distant-'));
  const [to, from] = ['to', 'from'].map((name) => join(folder, name));
  execFileSync('mkfifo', [to, from]);
  const child = spawn('sh', ['-c', 'exec "$0" "$@" serve <"$TO" >"$FROM"', ...command], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TO: to, FROM: from },
  });
  const [output, input] = [openSync(to, 'w'), openSync(from, 'r')];
  rmSync(folder, { recursive: true });
  const read = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      const some = readSync(input, bytes, at, bytes.length - at, null);
      if (some === 0) throw new Error('the distant kernels ended');
      at += some;
    }
    return bytes;
  };
  const words = (count: number) => {
    const bytes = read(new Uint8Array(8 * count));
    return Array.from(new BigUint64Array(bytes.buffer), Number);
  };
  const send = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) at += writeSync(output, bytes, at);
  };
  const line = () => {
    let text = '';
    for (const one = new Uint8Array(1); read(one)[0] !== 10; ) text += String.fromCharCode(one[0]);
    return text.split(' ');
  };
  const names = [line(), line()];
  const stack: Stack = { calls: 0, left: 0, depth: 0 };
  // What the other side's memory holds, whichever memory it is a copy of.
  let known = new Uint8Array(0);

  function call(memory: WebAssembly.Memory, list: number, kernel: number, values: readonly unknown[]): number {
    const bytes = new Uint8Array(memory.buffer);
    if (known.length < bytes.length) {
      const more = new Uint8Array(bytes.length);
      more.set(known);
      known = more;
    }
    const changed: number[] = [];
    for (let n = 0; n < bytes.length / PAGE; n++)
      if (Buffer.compare(bytes.subarray(n * PAGE, (n + 1) * PAGE), known.subarray(n * PAGE, (n + 1) * PAGE)) !== 0)
        changed.push(n);
    const args = values.map((value) => (typeof value === 'bigint' ? value : BigInt.asUintN(32, BigInt(Number(value)))));
    const head = [list, kernel, args.length, ...args, bytes.length, changed.length].map(BigInt);
    send(new Uint8Array(BigUint64Array.from(head).buffer));
    for (const n of changed) {
      const page = bytes.subarray(n * PAGE, (n + 1) * PAGE);
      send(new Uint8Array(BigUint64Array.of(BigInt(n)).buffer));
      send(page);
      known.set(page, n * PAGE);
    }
    const [answer, left, depth, count] = words(4);
    for (let i = 0; i < count; i++) {
      const [n] = words(1);
      const page = read(new Uint8Array(PAGE));
      bytes.set(page, n * PAGE);
      known.set(page, n * PAGE);
    }
    stack.calls += 1;
    stack.left += left;
    stack.depth = Math.max(stack.depth, depth);
    return answer;
  }

  return {
    stack,
    link(list) {
      const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
      const exports: Record<string, Export> = {};
      for (const [kernel, name] of names[list].entries())
        exports[name] = (...values) => call(memory, list, kernel, values);
      return { exports, memory, stack: 0, base: FIRST };
    },
    close() {
      for (const end of [output, input]) closeSync(end);
      child.kill();
    },
  };
}
