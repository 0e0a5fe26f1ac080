/**
 * Who may import whom (docs/ARCHITECTURE.md, layers): imports flow one way, a model's layers cannot reach anything
 * that opens a secret, and what is meant to run in a browser too imports nothing of Node. Every rule is also run on
 * a copy of the sources with one violation planted in it.
 */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/**
 * Layer (first folder) → folders whose files it may import. A longer path is a finer rule: `ml` sees of `mpc` only
 * what cannot open a value.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  compute: ['core', 'compute'],
  net: ['core', 'net'],
  mpc: ['core', 'compute', 'net', 'mpc'],
  // Relations and keys, and neither gates nor a network.
  'mpc/proof': ['core', 'compute', 'mpc/proof'],
  ml: ['core', 'compute', 'ml', 'mpc/secure'],
  hub: ['core', 'ml', 'hub'],
  session: ['core', 'compute', 'net', 'mpc', 'ml', 'session'],
  owner: ['core', 'compute', 'net', 'mpc', 'ml', 'hub', 'session', 'owner'],
  sdk: ['core', 'compute', 'net', 'ml', 'hub', 'session', 'owner', 'sdk'],
  // What a program of this machine starts: parties as processes, and links over mutual TLS to them.
  'sdk/local': ['core', 'net', 'session', 'owner', 'node', 'daemon', 'audit', 'config', 'sdk'],
  app: ['core', 'owner', 'sdk', 'app'],
  // The card on other people's pages: the app's store and views on its own markup.
  widget: ['core', 'owner', 'sdk', 'app', 'widget', 'ml/tasks/table.ts'],
  node: ['core', 'compute', 'net', 'mpc', 'ml', 'hub', 'session', 'owner', 'node'],
  daemon: ['core', 'compute', 'net', 'mpc', 'ml', 'session', 'node', 'audit', 'operate', 'daemon'],
  audit: ['core', 'net', 'audit'],
  // Settings of the command line: what is asked for is held against what the protocols are.
  config: ['core', 'mpc', 'ml', 'config'],
  // What tests alone need: the plaintext oracle. Nothing imports it, and the package leaves it out.
  testing: ['core', 'compute', 'net', 'mpc', 'testing'],
  // What operators watch a service by: its log, its metrics, its health.
  operate: ['core', 'operate'],
  // The data owner's party as a service.
  rest: ['core', 'owner', 'operate', 'rest'],
  // The page's server: what it hands out is checked by the data owner's own reader.
  server: ['core', 'net', 'ml', 'node', 'daemon', 'owner', 'server', 'widget/snippet.ts'],
  bench: ['core', 'compute', 'net', 'mpc', 'ml', 'session', 'owner', 'node', 'daemon', 'bench'],
  cli: [
    'core',
    'net',
    'ml',
    'mpc',
    'session',
    'node',
    'daemon',
    'server',
    'owner',
    'sdk',
    'bench',
    'hub',
    'audit',
    'config',
    'operate',
    'rest',
    'cli',
    'widget/snippet.ts',
  ],
};

/** The rule that a file falls under: that of its first two folders, where they have one. */
function layerOf(file: string): string {
  const [first, second] = file.split('/');
  return `${first}/${second}` in ALLOWED ? `${first}/${second}` : first;
}

/** The one command that measures: sessions of measurements leave proofs out, and nothing else may have them. */
const MEASURES = 'cli/bench.ts';

/** Layers of Node alone. Everywhere else only the files below may import `node:*`. */
const NODE_LAYERS = ['sdk/local', 'node', 'daemon', 'server', 'bench', 'audit', 'config', 'operate', 'rest', 'cli'];
const NODE_FILES = [
  'core/collect-node.ts',
  'core/private-file-node.ts',
  'net/native/native-socket.ts',
  'net/native/native-tls.ts',
  'net/thread/link-thread-node.ts',
  'net/tls/connect.ts',
  'net/tls/kept-reads.ts',
  'net/tls/listener.ts',
  'net/tls/other-tls.ts',
  'net/tls/peer-certificate.ts',
  'net/wire/listen-node.ts',
  'net/tls/certificates.ts',
  'net/tls/authority.ts',
  'net/tls/credentials.ts',
  'net/tls/self-signed.ts',
  'net/identity/identity-node.ts',
  'net/gateway/gateway-node.ts',
  'ml/files-node.ts',
  'compute/kernels/wasm/node-thread.ts',
  'compute/kernels/wasm/node-worker.ts',
  'compute/kernels/wasm/proof-worker.ts',
  'compute/kernels/wasm/source-worker.mjs',
  'hub/environment-node.ts',
  'hub/store-node.ts',
  'sdk/node.ts',
  'compute/kernels/webgpu/node-device.ts',
];

/** Built-in modules without the prefix would slip past a check of `node:`. */
const BARE_BUILTINS =
  /^(fs|path|os|net|tls|http|https|crypto|child_process|worker_threads|url|util|stream|buffer|process|zlib|dns|events|module|vm)(\/|$)/;

interface Import {
  readonly file: string;
  readonly specifier: string;
  /** Path below the root that a relative import means. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
}

function sources(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|js)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

/** Imports, re-exports and dynamic imports, comments left out. */
function importsOf(root: string, file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
  const found = [
    ...text.matchAll(/\b(import|export)\s+(type\s+)?(?:[\w$*\s{},]+?\s+from\s+)?['"]([^'"\n]+)['"]/g),
    ...text.matchAll(/\b(import)(\s*)\(\s*['"]([^'"\n]+)['"]/g),
  ];
  return found.map(([, , type, specifier]) => ({
    file,
    specifier,
    target: specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier)).replaceAll('\\', '/')
      : undefined,
    // `import { type A }` still loads the module (verbatimModuleSyntax); only `import type` does not.
    typeOnly: (type ?? '').trim() === 'type',
  }));
}

/** Every broken rule of a source tree, as one line each. */
function violations(root: string): string[] {
  const files = sources(root);
  const known = new Set(files);
  const imports = files.flatMap((file) => importsOf(root, file));
  const broken: string[] = [];
  for (const file of files) if (!(layerOf(file) in ALLOWED)) broken.push(`${file} is in no layer`);
  for (const { file, specifier, target } of imports) {
    const layer = layerOf(file);
    if (target === undefined) {
      const builtin = specifier.startsWith('node:') || BARE_BUILTINS.test(specifier);
      if (builtin && !NODE_LAYERS.includes(layer) && !NODE_FILES.includes(file))
        broken.push(`${file} imports ${specifier}`);
      continue;
    }
    // Styles come with a view that is loaded late; the bundler has them.
    if (layer === 'app' && target.endsWith('.css')) continue;
    if (!known.has(target)) broken.push(`${file} imports ${target}, which is not there`);
    else if (target.startsWith('bench/') && layer === 'cli' && file !== MEASURES)
      broken.push(`${file} imports ${target}`);
    else if (!(ALLOWED[layer] ?? []).some((allowed) => target === allowed || target.startsWith(`${allowed}/`)))
      broken.push(`${file} imports ${target}`);
  }
  return [...broken, ...cycles(imports)];
}

/** Cycles of imports, those of types alone too, each once, from its first file on. */
function cycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { file, target } of imports)
    if (target !== undefined) edges.set(file, [...(edges.get(file) ?? []), target]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at !== -1) {
      found.push(`cycle: ${[...path.slice(at), file].join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}

describe('imports', () => {
  it('of the whole source tree follow the table, and there is no cycle', () => {
    expect(violations(SRC)).toEqual([]);
  });

  it('are the only way to a layer: no string outside the command line names its folder', () => {
    const named = (text: string) => /(['"`])[^'"`\n]*\bcli\/[^'"`\n]*\1/.test(text);
    expect(named("new URL('../cli/main.js', import.meta.url)")).toBe(true);
    const outside = sources(SRC).filter((file) => !file.startsWith('cli/'));
    expect(outside.filter((file) => named(readFileSync(join(SRC, file), 'utf8')))).toEqual([]);
  });

  it('are found at all: the check reads every file and several hundred imports', () => {
    const all = sources(SRC).flatMap((file) => importsOf(SRC, file));
    expect(sources(SRC).length).toBeGreaterThan(80);
    expect(all.length).toBeGreaterThan(300);
    expect(all.filter(({ typeOnly }) => typeOnly).length).toBeGreaterThan(50);
    // Each file that may use Node does: the list of exceptions holds no dead entry.
    for (const file of NODE_FILES)
      expect(
        importsOf(SRC, file).some(({ specifier }) => specifier.startsWith('node:')),
        file,
      ).toBe(true);
  });

  describe('that break a rule are found in a copy of the tree', () => {
    const root = mkdtempSync(join(tmpdir(), 'tercet-layers-'));
    cpSync(SRC, root, { recursive: true });
    afterAll(() => rmSync(root, { recursive: true, force: true }));

    /** Adds a line to a file (or makes the file), looks, and puts everything back. */
    function planted(file: string, line: string): string[] {
      const path = join(root, file);
      const before = sources(root).includes(file) ? readFileSync(path, 'utf8') : undefined;
      writeFileSync(path, `${line}\n${before ?? ''}`);
      try {
        return violations(root);
      } finally {
        if (before === undefined) rmSync(path);
        else writeFileSync(path, before);
      }
    }

    it('the copy itself is clean', () => expect(violations(root)).toEqual([]));

    it.each([
      ['core/errors.ts', "import type { Words } from '../compute/ring.ts';", 'core/errors.ts imports compute/ring.ts'],
      [
        'compute/ring.ts',
        "import type { Channel } from '../net/wire/types.ts';",
        'compute/ring.ts imports net/wire/types.ts',
      ],
      [
        'net/wire/queue.ts',
        "import type { Words } from '../../compute/ring.ts';",
        'net/wire/queue.ts imports compute/ring.ts',
      ],
      [
        'compute/ring.ts',
        "import type { Wire } from '../mpc/share/wire.ts';",
        'compute/ring.ts imports mpc/share/wire.ts',
      ],
      [
        'mpc/proof/prover.ts',
        "import type { Gates } from '../protocol/types.ts';",
        'mpc/proof/prover.ts imports mpc/protocol/types.ts',
      ],
      [
        'mpc/secure/polynomial.ts',
        "import type { BertConfig } from '../../ml/config.ts';",
        'mpc/secure/polynomial.ts imports ml/config.ts',
      ],
      [
        'ml/config.ts',
        "import type { Gates } from '../mpc/protocol/types.ts';",
        'ml/config.ts imports mpc/protocol/types.ts',
      ],
      ['ml/config.ts', "import { Masked } from '../mpc/share/masked.ts';", 'ml/config.ts imports mpc/share/masked.ts'],
      ['ml/config.ts', "export { PairPrg } from '../mpc/prg/prg.ts';", 'ml/config.ts imports mpc/prg/prg.ts'],
      ['ml/config.ts', "export * from '../mpc/prg/prg.ts';", 'ml/config.ts imports mpc/prg/prg.ts'],
      [
        'ml/config.ts',
        "const late = await import('../mpc/protocol/frame/engine.ts');",
        'ml/config.ts imports mpc/protocol/frame/engine.ts',
      ],
      [
        'ml/config.ts',
        "import type { Channel } from '../net/wire/types.ts';",
        'ml/config.ts imports net/wire/types.ts',
      ],
      [
        'ml/config.ts',
        "import { revealLogits } from '../session/reveal.ts';",
        'ml/config.ts imports session/reveal.ts',
      ],
      [
        'session/reveal.ts',
        "import type {\n  Device,\n} from '../node/kernels.ts';",
        'session/reveal.ts imports node/kernels.ts',
      ],
      ['node/kernels.ts', "import '../cli/main.ts';", 'node/kernels.ts imports cli/main.ts'],
      ['session/control.ts', "import { randomBytes } from 'node:crypto';", 'session/control.ts imports node:crypto'],
      ['session/control.ts', "import { randomBytes } from 'crypto';", 'session/control.ts imports crypto'],
      ['mpc/prg/prg.ts', "const { randomBytes } = await import('node:crypto');", 'mpc/prg/prg.ts imports node:crypto'],
      ['net/wire/frame.ts', "import * as fs from 'node:fs';", 'net/wire/frame.ts imports node:fs'],
      ['app/main.ts', "import { OwnerSession } from '../session/owner.ts';", 'app/main.ts imports session/owner.ts'],
      [
        'widget/element.ts',
        "import { OwnerSession } from '../session/owner.ts';",
        'widget/element.ts imports session/owner.ts',
      ],
      [
        'server/site.ts',
        "import type { Setup } from '../widget/messages.ts';",
        'server/site.ts imports widget/messages.ts',
      ],
      ['app/start.ts', "import '../widget/loader.ts';", 'app/start.ts imports widget/loader.ts'],
      ['sdk/index.ts', "import '../daemon/daemon.ts';", 'sdk/index.ts imports daemon/daemon.ts'],
      ['sdk/worker/worker.ts', "import { readFileSync } from 'node:fs';", 'sdk/worker/worker.ts imports node:fs'],
      [
        'compute/kernels/webgpu/kernels.ts',
        "import 'node:process';",
        'compute/kernels/webgpu/kernels.ts imports node:process',
      ],
      [
        'cli/serve.ts',
        "import { withoutProofs } from '../bench/in-process/unproved.ts';",
        'cli/serve.ts imports bench/in-process/unproved.ts',
      ],
      [
        'daemon/daemon.ts',
        "import { withoutProofs } from '../bench/in-process/unproved.ts';",
        'daemon/daemon.ts imports bench/in-process/unproved.ts',
      ],
      ['bench/rows.ts', "import '../cli/main.ts';", 'bench/rows.ts imports cli/main.ts'],
      ['extra/thing.ts', '', 'extra/thing.ts is in no layer'],
      [
        'core/bytes.ts',
        "import { x } from './nowhere.ts';",
        'core/bytes.ts imports core/nowhere.ts, which is not there',
      ],
    ])('%s: %s', (file, line, expected) => {
      if (file.startsWith('extra/')) cpSync(join(root, 'core'), join(root, 'extra'), { recursive: true });
      const found = planted(file, line);
      if (file.startsWith('extra/')) rmSync(join(root, 'extra'), { recursive: true });
      expect(found.filter((entry) => !entry.startsWith('cycle: '))).toContain(expected);
    });

    it('a cycle, of values or of types alone', () => {
      // core/bytes.ts imports nothing, and core/told.ts imports core/errors.ts.
      expect(planted('core/errors.ts', "import { told } from './told.ts';")).toEqual([
        expect.stringMatching(/^cycle: core\/(errors|told)\.ts → /),
      ]);
      expect(planted('core/errors.ts', "import type { Told } from './told.ts';")).toEqual([
        expect.stringMatching(/^cycle: core\/(errors|told)\.ts → /),
      ]);
    });

    it('and a comment or a string that only mentions an import is none', () => {
      expect(
        planted('core/errors.ts', "// import { x } from '../compute/ring.ts';\n/* import y from 'node:fs'; */"),
      ).toEqual([]);
    });
  });
});
