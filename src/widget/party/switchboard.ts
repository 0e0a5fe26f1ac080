/**
 * A shared worker that brings the frames of one page together. The first one leads: it starts the worker, because
 * shared workers of Chromium have none of their own, and opens a port to it for every other one. No text and no
 * answer passes here.
 *
 * Security: only scripts of this server reach it, because a shared worker belongs to an origin. The name of a page
 * comes from the page and only groups frames.
 */
import type { FromSwitchboard, ToSwitchboard } from './shared-party.ts';

interface Group {
  readonly leader: MessagePort;
  /** All of them, the leader too, by number. */
  readonly members: Map<number, MessagePort>;
}

const groups = new Map<string, Group>();
let count = 0;

addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  let page: string | undefined;
  let own = 0;
  const tell = (to: MessagePort, message: FromSwitchboard, ports: MessagePort[] = []) => to.postMessage(message, ports);
  const leave = (): void => {
    const group = groups.get(page ?? '');
    if (group === undefined) return;
    group.members.delete(own);
    if (group.leader !== port) return;
    groups.delete(page ?? '');
    for (const member of group.members.values()) tell(member, { op: 'lost' });
  };
  port.addEventListener('close', leave);
  port.onmessage = ({ data, ports }: MessageEvent<ToSwitchboard>) => {
    if (data.op === 'join') {
      page = data.page;
      own = ++count;
      const group = groups.get(page) ?? { leader: port, members: new Map() };
      if (group.leader === port) tell(port, { op: 'lead' });
      groups.set(page, group);
      group.members.set(own, port);
      tell(group.leader, { op: 'open', member: own });
    } else if (data.op === 'opened') {
      const member = groups.get(page ?? '')?.members.get(data.member);
      if (member === undefined) ports[0]?.close();
      else tell(member, { op: 'party' }, [ports[0]]);
    } else leave();
  };
});
