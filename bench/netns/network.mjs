// Three hosts in network namespaces: home ── (latency, rate) ── net ── p1, p2. Needs root and Linux.
//
// Shaped by tc netem where the kernel has it, else by shaper.rs.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHROMIUM, ROOT, start } from '../browser/parties.mjs';

export const HOME = { upMbit: 20, downMbit: 100 };
const ADDRESSES = ['10.77.1.2', '10.77.2.2'];
/** Commands of party 1, party 2 and the page's server run behind these. */
export const HOSTS = [
  { prefix: ['ip', 'netns', 'exec', 't-p1'], address: ADDRESSES[0] },
  { prefix: ['ip', 'netns', 'exec', 't-p2'], address: ADDRESSES[1] },
  { prefix: ['ip', 'netns', 'exec', 't-home'], address: '127.0.0.1' },
];

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const NAMES = ['t-home', 't-net', 't-p1', 't-p2'];

/** Prepares what shapes, once. @param folder for what is built */
export function openShaper(folder) {
  const netem = hasNetem();
  if (!netem)
    execFileSync('rustc', [
      '--edition',
      '2021',
      '-O',
      '-o',
      join(folder, 'shaper'),
      join(ROOT, 'bench/netns/shaper.rs'),
    ]);
  return { name: netem ? 'tc netem' : 'bench/netns/shaper.rs', netem, folder };
}

function hasNetem() {
  try {
    ip('link', 'add', 't-probe', 'type', 'veth', 'peer', 'name', 't-probe2');
    execFileSync('tc', ['qdisc', 'add', 'dev', 't-probe', 'root', 'netem', 'delay', '1ms'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    try {
      ip('link', 'del', 't-probe');
    } catch {
      // It was not made.
    }
  }
}

function clear() {
  for (const name of NAMES) {
    try {
      ip('netns', 'del', name);
    } catch {
      // It is not there.
    }
  }
}

/** Makes the network. Returns how to undo it. */
export async function network({ netem, folder }, latencyMs, { upMbit, downMbit } = HOME) {
  clear();
  for (const name of NAMES) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  let shaper;
  if (netem) {
    ip('link', 'add', 'shape-a', 'netns', 't-home', 'type', 'veth', 'peer', 'name', 'shape-b', 'netns', 't-net');
    for (const [host, device, mbit] of [
      ['t-home', 'shape-a', upMbit],
      ['t-net', 'shape-b', downMbit],
    ])
      execFileSync('tc', [
        '-n',
        host,
        'qdisc',
        'add',
        'dev',
        device,
        'root',
        'netem',
        'delay',
        `${latencyMs}ms`,
        'rate',
        `${mbit}mbit`,
        'limit',
        '2000',
      ]);
  } else {
    const { child, found } = start(
      [],
      [join(folder, 'shaper'), String(latencyMs), String(upMbit), String(downMbit)],
      {},
      /ready/,
    );
    await found;
    shaper = child;
    shaper.removeAllListeners('exit');
    ip('link', 'set', 'shape-a', 'netns', 't-home');
    ip('link', 'set', 'shape-b', 'netns', 't-net');
  }
  ip('-n', 't-home', 'addr', 'add', '10.77.0.2/30', 'dev', 'shape-a');
  ip('-n', 't-home', 'link', 'set', 'shape-a', 'up');
  ip('-n', 't-home', 'route', 'add', 'default', ...(netem ? ['via', '10.77.0.1'] : []), 'dev', 'shape-a');
  ip('-n', 't-net', 'addr', 'add', '10.77.0.1/30', 'dev', 'shape-b');
  ip('-n', 't-net', 'link', 'set', 'shape-b', 'up');
  for (const i of [1, 2]) {
    ip('link', 'add', `t-e${i}`, 'netns', 't-net', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `t-p${i}`);
    ip('-n', 't-net', 'addr', 'add', `10.77.${i}.1/24`, 'dev', `t-e${i}`);
    ip('-n', 't-net', 'link', 'set', `t-e${i}`, 'up');
    ip('-n', `t-p${i}`, 'addr', 'add', `10.77.${i}.2/24`, 'dev', 'eth0');
    ip('-n', `t-p${i}`, 'link', 'set', 'eth0', 'up');
    ip('-n', `t-p${i}`, 'route', 'add', 'default', 'via', `10.77.${i}.1`);
  }
  execFileSync('ip', ['netns', 'exec', 't-net', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  return () => {
    shaper?.kill();
    clear();
  };
}

/** A certificate for the parties' addresses: a browser wants TLS, and the identity is proved by the party's own key inside it. */
export function certificate(folder) {
  const [key, cert] = [join(folder, 'web.key'), join(folder, 'web.crt')];
  const subject = ['-subj', '/CN=tercet measurements', '-addext', `subjectAltName=IP:${ADDRESSES.join(',IP:')}`];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ],
    { stdio: 'ignore' },
  );
  return { key, cert };
}

/** A command that starts Chromium on the home host. */
export function chromiumAtHome(folder) {
  const wrapper = join(folder, 'chromium-at-home');
  writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec t-home ${CHROMIUM} "$@"\n`, { mode: 0o755 });
  return wrapper;
}
