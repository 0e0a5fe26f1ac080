// CPU seconds that a link between compute parties takes for a gigabyte, by who has its TLS: `node bench/link-cost.mjs`
// after `npm run build` and, for the library, `npm run build:native`. Party 1 sends, party 2 receives, each a process
// of its own. Pairs of both are measured in turns; nothing is kept.
//   --runs N       rounds of turns (default 3)         --megabytes N  of a run (default 1000)
//   --message N    bytes of a message (default 2^20)
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { builtLibrary } from '../dist/compute/kernels/wasm/node-worker.js';
import { otherTls } from '../dist/net/native/native-socket.js';
import { loadTls } from '../dist/net/native/native-tls.js';
import { LinkThread } from '../dist/net/thread/link-thread-node.js';
import { createCertificates, credentialsOf } from '../dist/net/tls/certificates.js';
import { connectTls } from '../dist/net/tls/connect.js';
import { listenTls } from '../dist/net/tls/listener.js';

const SESSION = new Uint8Array(16).fill(7);
const library = builtLibrary();

async function serve({ credentials, native, messages, length }) {
  const listener = await listenTls({ self: 1, credentials, native });
  process.send({ port: listener.port });
  const link = await listener.accept({ peer: 2, session: SESSION });
  const payload = new Uint8Array(length).fill(3);
  const send = async (count) => {
    for (let i = 0; i < count; i++) await link.send('part', payload);
    await link.recv('done', 1);
  };
  await send(Math.ceil(messages / 10));
  const before = process.cpuUsage();
  await send(messages);
  report(before);
  await link.close();
  await listener.close();
}

async function take({ credentials, native, messages, length, port }) {
  const options = { self: 2, peer: 1, host: '127.0.0.1', port, credentials, session: SESSION };
  const thread = native === undefined ? new LinkThread() : undefined;
  const link = await (thread?.connect(options) ?? connectTls({ ...options, native }));
  const recv = async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += (await link.recv('part', length))[i % length];
    if (sum !== 3 * count) throw new Error('a message differs');
    await link.send('done', Uint8Array.of(1));
  };
  await recv(Math.ceil(messages / 10));
  const before = process.cpuUsage();
  await recv(messages);
  report(before);
  await link.close();
  await thread?.close();
}

function report(before) {
  const { user, system } = process.cpuUsage(before);
  process.send({ userS: user / 1e6, systemS: system / 1e6 });
}

if (process.send !== undefined) {
  process.once('message', async ({ role, rust, ...rest }) => {
    const tls = rust ? loadTls(library.library) : undefined;
    const native = tls === undefined ? undefined : otherTls(tls);
    await (role === 'serve' ? serve : take)({ ...rest, native });
    await tls?.close();
    process.disconnect();
  });
} else {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '3' },
      megabytes: { type: 'string', default: '1000' },
      message: { type: 'string', default: String(2 ** 20) },
    },
  });
  const length = Number(values.message);
  const messages = Math.round((Number(values.megabytes) * 1e6) / length);
  const certificates = await createCertificates();
  const start = (message) => {
    const child = fork(fileURLToPath(import.meta.url));
    child.send({ ...message, messages, length });
    return child;
  };
  const pairs = library === undefined ? [[false, false]] : [0, 1, 2, 3].map((i) => [(i & 1) === 1, i > 1]);
  const all = new Map();
  for (let run = 0; run < Number(values.runs); run++)
    for (const [one, two] of run % 2 === 1 ? [...pairs].reverse() : pairs) {
      const sender = start({ role: 'serve', credentials: credentialsOf(certificates, 1), rust: one });
      const [{ port }] = await once(sender, 'message');
      const sent = once(sender, 'message');
      const gone = [once(sender, 'exit')];
      const receiver = start({ role: 'take', credentials: credentialsOf(certificates, 2), rust: two, port });
      gone.push(once(receiver, 'exit'));
      const [[out], [into]] = await Promise.all([sent, once(receiver, 'message')]);
      await Promise.all(gone);
      const name = `${one ? 'Rust' : 'Node'} to ${two ? 'Rust' : 'Node'}`;
      all.set(name, [...(all.get(name) ?? []), { out, into }]);
    }
  const scale = 1e9 / (messages * length);
  const median = (values) => (scale * [...values].sort((a, b) => a - b)[values.length >> 1]).toFixed(2);
  console.log('CPU seconds per GB, medians: sender (user, system), receiver (user, system)');
  for (const [name, runs] of all) {
    const of = (pick) => median(runs.map(pick));
    const side = (end) =>
      `${of((r) => r[end].userS + r[end].systemS)} (${of((r) => r[end].userS)}, ${of((r) => r[end].systemS)})`;
    console.log(`${name}: ${side('out')}  ${side('into')}`);
  }
}
