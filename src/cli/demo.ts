/**
 * `tercet demo` (npm start): the example of the README in the terminal, then the web app with the same three
 * parties on this machine.
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { defaultThreads, embeddedModel, embeddedModels, stateFolder } from '../node/defaults.ts';
import { printAnswers } from './answers.ts';
import { ENTRY } from './entry.ts';
import { integer, parseDevice } from './options.ts';
import { collect } from './party.ts';
import { cancelOnSignals } from './signals.ts';
import { printCost } from './tables.ts';
import { runOnTerminal } from './terminal.ts';

const TEXT = 'The capital of France is [MASK].';

interface DemoFlags {
  readonly example: boolean;
  readonly page: boolean;
  readonly open: boolean;
  readonly port: string;
  readonly device: string;
  readonly dealer?: boolean;
  readonly app?: string;
  readonly origins: readonly string[];
  readonly debug?: boolean;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'the first private inference: three parties on this machine answer an example, then the web app is served',
    )
    .option('--no-example', 'serve the page without the example')
    .option('--no-page', 'end after the example')
    .option('--no-open', 'do not open a browser')
    .option('--port <port>', 'port of the page', '8420')
    .option('--dealer', 'start a dealer too: the page then offers to have it deal')
    .option('--device <device>', 'auto, wasm, native or webgpu, for the compute parties', 'auto')
    .option('--app <dir>', 'folder of a page of yours that uses the SDK, instead of the web app')
    .option('--origins <url>', 'origin of a development server whose page may use these parties', collect, [])
    .action(async (flags: DemoFlags) => {
      if (flags.example) await example(flags);
      if (flags.page) await page(flags);
    });
}

async function example(flags: DemoFlags): Promise<void> {
  process.stderr.write('\n  Tercet: three parties, one text, and only its owner reads it.\n\n');
  const model = { kind: 'folder', path: embeddedModel('fill-mask') } as const;
  const how = {
    protocol: '3pc_semi_honest',
    weights: 'open',
    device: parseDevice(flags.device),
    threads: defaultThreads(),
    debug: flags.debug === true,
  } as const;
  const result = await runOnTerminal(
    { task: 'fill-mask', model, texts: [TEXT], topK: 5, compare: true, ...how },
    false,
  );
  process.stdout.write(`${printAnswers(result, [TEXT])}\n${printCost(result)}\n`);
  process.stdout.write(
    '  Try your own:  npm run -s tercet -- infer --text "Tokyo is the capital of [MASK]." --compare\n\n',
  );
}

async function page(flags: DemoFlags): Promise<void> {
  const { signal, release } = cancelOnSignals();
  const { serveLocalPage } = await import('../server/local-page.ts');
  process.stderr.write('  starting two compute parties and the page\n');
  const local = await serveLocalPage({
    entry: ENTRY,
    models: embeddedModels(),
    vectors: [embeddedModel('feature-extraction')],
    app: flags.app,
    origins: flags.origins,
    port: integer('port', flags.port, 0, 65535),
    certificates: join(stateFolder(), 'certificates'),
    device: flags.device,
    dealer: flags.dealer === true,
    threads: defaultThreads(),
    signal,
    debug: flags.debug === true,
  });
  try {
    process.stdout.write(
      `  In your browser:  ${local.url}\n  Your browser is the third party there. Ctrl-C ends all of it.\n`,
    );
    process.stdout.write(
      `  For secret weights (Settings) the page asks for your credential: a file in ${local.credentials}\n\n`,
    );
    if (flags.open && process.stdout.isTTY) {
      const { default: open } = await import('open');
      await open(local.url).catch(() => undefined);
    }
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
      if (signal.aborted) resolve();
    });
    await Promise.race([stopped, local.failed]);
  } finally {
    await local.stop();
    release();
  }
}
